//! What streams take that do nothing, or that nobody reads as fast as another writes.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use crate::session::Session;
use crate::setup::{channels, hear, tell, text, Figures};
use crate::Request;

/// How often a slow reader takes a message.
const READ_MILLIS: u64 = 50;

/// What is allocated, in all arenas.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn heap_bytes() -> f64 {
    // it has no arguments, and touches nothing of ours
    let info = unsafe { libc::mallinfo2() };
    info.uordblks as f64 + info.hblkhd as f64
}

/// Only the C library of GNU says so: no figure elsewhere.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn heap_bytes() -> f64 {
    f64::NAN
}

pub async fn idle(session: &Session, request: &Request, client: bool) -> Result<Figures, String> {
    let mut first = channels(session, 1, client).await?.remove(0);
    let before = heap_bytes();

    if client {
        hear(&mut first).await?;
    } else {
        tell(&mut first).await?;
    }

    let streams = channels(session, request.streams, client).await?;
    let each = (heap_bytes() - before) / request.streams as f64;

    if client {
        hear(&mut first).await?;
    } else {
        tell(&mut first).await?;
        // until the client closes the connection
        let _ = hear(&mut first).await;
    }

    drop(streams);

    Ok(HashMap::from([(
        if client { "opened" } else { "accepted" },
        each,
    )]))
}

/// Looks at the memory of this process now and then, until told to stop: then says by how much it grew at most.
struct Watch {
    stop: Arc<AtomicBool>,
    grown: JoinHandle<f64>,
}

impl Watch {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let before = heap_bytes();
        let grown = tokio::spawn(async move {
            let mut peak = before;

            while !stopped.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(READ_MILLIS / 2)).await;
                peak = peak.max(heap_bytes());
            }

            peak - before
        });

        Watch { stop, grown }
    }

    async fn grown(self) -> Result<f64, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.grown.await.map_err(|error| error.to_string())
    }
}

/// Takes a message every 50 ms of a writer that offers all it can.
pub async fn slow_reader(
    session: &Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let mut stream = channels(session, 1, client).await?.remove(0);
    let mut message = vec![7; request.bytes];
    let watch = Watch::start();

    if client {
        let mut sent = 0;

        while let Ok(written @ 1..) = stream.write(&message).await {
            sent += written;
        }

        return Ok(HashMap::from([
            ("writer", watch.grown().await?),
            ("sent", sent as f64),
        ]));
    }

    let duration = Duration::from_millis(request.millis);
    let start = Instant::now();
    let mut reads = 0;

    while start.elapsed() < duration {
        stream.read_exact(&mut message).await.map_err(text)?;
        reads += 1;

        let due = start + Duration::from_millis(reads * READ_MILLIS);
        tokio::time::sleep_until(due.into()).await;
    }

    Ok(HashMap::from([
        ("reader", watch.grown().await?),
        ("taken", reads as f64 * request.bytes as f64),
    ]))
}
