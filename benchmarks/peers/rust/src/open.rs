//! Streams that live for one byte there and one byte back.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt};

use crate::session::Session;
use crate::setup::{cpu_millis, hear, millis, tell, text, Figures};
use crate::Request;

pub async fn open_echo_close(
    session: Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let cpu = cpu_millis();

    if !client {
        while let Ok(mut stream) = session.accept().await {
            tokio::spawn(async move {
                if hear(&mut stream).await.is_ok() && tell(&mut stream).await.is_ok() {
                    // until the client has ended its half
                    let _ = stream.read(&mut [0]).await;
                    let _ = stream.close().await;
                }
            });
        }

        return Ok(HashMap::from([("serverCpuMillis", cpu_millis() - cpu)]));
    }

    let session = Arc::new(session);
    let duration = Duration::from_millis(request.millis);
    let start = Instant::now();
    let loops: Vec<_> = (0..request.streams)
        .map(|_| {
            let session = session.clone();

            tokio::spawn(async move {
                let mut count = 0;

                while start.elapsed() < duration {
                    echo_once(&session).await?;
                    count += 1;
                }

                Ok::<u64, String>(count)
            })
        })
        .collect();
    let mut count = 0;

    for one in loops {
        count += one.await.map_err(|error| error.to_string())??;
    }

    Ok(HashMap::from([
        ("count", count as f64),
        ("millis", millis(start.elapsed())),
        ("clientCpuMillis", cpu_millis() - cpu),
    ]))
}

async fn echo_once(session: &Session) -> Result<(), String> {
    let mut stream = session.open().await?;

    tell(&mut stream).await?;
    hear(&mut stream).await?;
    stream.close().await.map_err(text)
}
