//! One end sends as much as it can, the other counts.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, Semaphore};
use yamux::Stream;

use crate::session::Session;
use crate::setup::{channels, cpu_millis, millis, Figures, READ_BYTES};
use crate::Request;

/// A sender that goes round is that far ahead of the receiver at most, who acknowledges as often as that.
const AHEAD_BYTES: usize = 4 << 20;
const ACKNOWLEDGE_BYTES: usize = 65_536;

/// For messages over many streams: 10,000 buffers of 64 KiB would be most of what is measured.
const ROUND_READ_BYTES: usize = 4_096;

/// The end that receives counts, and closes the connection when it is enough.
pub async fn transfer(
    session: &Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let round = request.kind == "round";
    // one more for acknowledgements
    let count = request.streams + usize::from(round);
    let mut streams = channels(session, count, client).await?;
    let acknowledgements = if round { streams.pop() } else { None };

    if client == (request.kind == "download") {
        return receive(session, streams, acknowledgements, request).await;
    }

    let cpu = cpu_millis();

    match acknowledgements {
        Some(acknowledgements) => send_round(streams, acknowledgements, request.bytes).await,
        None => send(streams, request.bytes).await,
    }

    Ok(HashMap::from([("sendCpuMillis", cpu_millis() - cpu)]))
}

async fn send(streams: Vec<Stream>, bytes: usize) {
    let senders: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(send_on(stream, bytes)))
        .collect();

    for sender in senders {
        let _ = sender.await;
    }
}

/// Writes until the connection is closed.
pub async fn send_on(mut stream: Stream, bytes: usize) {
    let message = vec![7; bytes];
    while stream.write_all(&message).await.is_ok() {}
}

/// Writes on one stream after the other. Each byte that is acknowledged allows for more.
async fn send_round(mut streams: Vec<Stream>, mut acknowledgements: Stream, bytes: usize) {
    let message = vec![7; bytes];
    let credits = Arc::new(Semaphore::new(AHEAD_BYTES / ACKNOWLEDGE_BYTES));
    let granted = credits.clone();

    tokio::spawn(async move {
        let mut buffer = [0; AHEAD_BYTES / ACKNOWLEDGE_BYTES];

        while let Ok(read @ 1..) = acknowledgements.read(&mut buffer).await {
            granted.add_permits(read);
        }

        granted.close();
    });

    let mut sent = 0;

    loop {
        for stream in &mut streams {
            if stream.write_all(&message).await.is_err() {
                return;
            }

            sent += bytes;

            if sent >= ACKNOWLEDGE_BYTES {
                sent -= ACKNOWLEDGE_BYTES;

                match credits.acquire().await {
                    Ok(credit) => credit.forget(),
                    Err(_) => return,
                }
            }
        }
    }
}

/// Counts what comes in on all streams together: from the first byte on, after so long to warm up.
struct Meter {
    ramp: Duration,
    first: OnceLock<Instant>,
    ramped: AtomicU64,
    counted: AtomicU64,
    acknowledgements: mpsc::UnboundedSender<usize>,
}

impl Meter {
    /// How much it is by now, and for how long, once it has warmed up.
    fn count(&self, read: usize) -> Option<(u64, Duration)> {
        let now = Instant::now();
        let since = *self.first.get_or_init(|| now) + self.ramp;
        let read = read as u64;

        if now < since {
            self.ramped.fetch_add(read, Ordering::Relaxed);
            return None;
        }

        let before = self.counted.fetch_add(read, Ordering::Relaxed);
        let bytes = before + read;
        let acknowledged = |bytes: u64| bytes as usize / ACKNOWLEDGE_BYTES;
        let due = acknowledged(bytes) - acknowledged(before);

        if due > 0 {
            // where there is nobody to acknowledge it to, nobody waits
            let _ = self.acknowledgements.send(due);
        }

        Some((bytes, now - since))
    }
}

async fn receive(
    session: &Session,
    streams: Vec<Stream>,
    acknowledgements: Option<Stream>,
    request: &Request,
) -> Result<Figures, String> {
    let duration = Duration::from_millis(request.millis);
    let size = if acknowledgements.is_some() {
        ROUND_READ_BYTES
    } else {
        READ_BYTES
    };
    let cpu = cpu_millis();
    let (acknowledge, due) = mpsc::unbounded_channel();
    let meter = Arc::new(Meter {
        ramp: Duration::from_millis(request.ramp_millis),
        first: OnceLock::new(),
        ramped: AtomicU64::new(0),
        counted: AtomicU64::new(0),
        acknowledgements: acknowledge,
    });
    let (done, mut result) = mpsc::unbounded_channel();

    if let Some(stream) = acknowledgements {
        tokio::spawn(send_acknowledgements(stream, due));
    }

    for mut stream in streams {
        let (meter, done) = (meter.clone(), done.clone());

        tokio::spawn(async move {
            let mut buffer = vec![0; size];

            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                match meter.count(read) {
                    Some((bytes, elapsed)) if elapsed >= duration => {
                        let _ = done.send((bytes, elapsed));
                        return;
                    }
                    _ => {}
                }
            }
        });
    }

    drop(done);

    let (bytes, elapsed) = result
        .recv()
        .await
        .ok_or("the connection ended before the sample did")?;
    let used = cpu_millis() - cpu;
    session.close();

    Ok(HashMap::from([
        ("bytes", bytes as f64),
        ("rampBytes", meter.ramped.load(Ordering::Relaxed) as f64),
        ("millis", millis(elapsed)),
        ("receiveCpuMillis", used),
    ]))
}

async fn send_acknowledgements(mut stream: Stream, mut due: mpsc::UnboundedReceiver<usize>) {
    while let Some(count) = due.recv().await {
        if stream.write_all(&vec![1; count]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
