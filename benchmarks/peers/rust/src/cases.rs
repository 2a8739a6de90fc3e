//! The cases, each with its two ends.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt};
use yamux::Stream;

use crate::session::Session;
use crate::Request;

pub type Figures = HashMap<&'static str, f64>;

const READ_BYTES: usize = 65_536;

/// What this process has used of all cores.
fn cpu_millis() -> f64 {
    let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
    // the pointer is to a value of the right type that outlives the call
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let millis = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    millis(usage.ru_utime) + millis(usage.ru_stime)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}

/// Open at both ends, with a byte read on each, before anything is measured.
async fn channels(session: &Session, count: usize, client: bool) -> Result<Vec<Stream>, String> {
    let mut streams = Vec::with_capacity(count);
    let mut hello = [0; 1];

    while streams.len() < count {
        let stream = if client {
            let mut stream = session.open().await?;
            stream.write_all(&hello).await.map_err(text)?;
            stream.flush().await.map_err(text)?;
            stream
        } else {
            let mut stream = session.accept().await?;
            stream.read_exact(&mut hello).await.map_err(text)?;
            stream
        };
        streams.push(stream);
    }

    // the accepting end says when it has them all
    if client {
        streams[0].read_exact(&mut hello).await.map_err(text)?;
    } else {
        streams[0].write_all(&hello).await.map_err(text)?;
        streams[0].flush().await.map_err(text)?;
    }

    Ok(streams)
}

/// The end that receives counts, and closes the connection when it is enough.
pub async fn transfer(
    session: &Session,
    request: &Request,
    client: bool,
    sends: bool,
) -> Result<Figures, String> {
    let streams = channels(session, request.streams, client).await?;

    if sends {
        Ok(send(streams, request.bytes).await)
    } else {
        receive(session, streams, Duration::from_millis(request.millis)).await
    }
}

async fn send(streams: Vec<Stream>, bytes: usize) -> Figures {
    let cpu = cpu_millis();
    let senders: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            tokio::spawn(async move {
                let message = vec![7; bytes];
                while stream.write_all(&message).await.is_ok() {}
            })
        })
        .collect();

    for sender in senders {
        let _ = sender.await;
    }

    HashMap::from([("sendCpuMillis", cpu_millis() - cpu)])
}

async fn receive(
    session: &Session,
    streams: Vec<Stream>,
    duration: Duration,
) -> Result<Figures, String> {
    let cpu = cpu_millis();
    let total = Arc::new(AtomicU64::new(0));
    let first = Arc::new(Mutex::new(None));
    let (done, mut result) = tokio::sync::mpsc::unbounded_channel();

    for mut stream in streams {
        let (total, first, done) = (total.clone(), first.clone(), done.clone());

        tokio::spawn(async move {
            let mut buffer = vec![0; READ_BYTES];
            let mut start: Option<Instant> = None;

            while let Ok(read) = stream.read(&mut buffer).await {
                if read == 0 {
                    return;
                }

                let now = Instant::now();
                let since = *start
                    .get_or_insert_with(|| *first.lock().expect("no panics").get_or_insert(now));
                let bytes = total.fetch_add(read as u64, Ordering::Relaxed) + read as u64;
                let elapsed = now.saturating_duration_since(since);

                if elapsed >= duration {
                    let _ = done.send((bytes, elapsed));
                    return;
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
        ("millis", millis(elapsed)),
        ("receiveCpuMillis", used),
    ]))
}

pub async fn ping_pong(
    session: &Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let mut stream = channels(session, 1, client).await?.remove(0);
    let mut message = vec![1; request.bytes];

    if !client {
        while stream.read_exact(&mut message).await.is_ok() {
            if stream.write_all(&message).await.is_err() || stream.flush().await.is_err() {
                break;
            }
        }

        return Ok(Figures::new());
    }

    let duration = Duration::from_millis(request.millis);
    let mut times = Vec::new();
    let cpu = cpu_millis();
    let start = Instant::now();

    while start.elapsed() < duration {
        let sent = Instant::now();
        stream.write_all(&message).await.map_err(text)?;
        stream.flush().await.map_err(text)?;
        stream.read_exact(&mut message).await.map_err(text)?;
        times.push(millis(sent.elapsed()));
    }

    let elapsed = millis(start.elapsed());
    let used = cpu_millis() - cpu;
    let count = times.len();
    times.sort_by(f64::total_cmp);

    Ok(HashMap::from([
        ("rate", count as f64 / elapsed * 1e3),
        ("p50", times[count / 2]),
        ("p99", times[count * 99 / 100]),
        ("cpu", used * 1e3 / count as f64),
    ]))
}

pub async fn open_echo_close(
    session: Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let cpu = cpu_millis();

    if !client {
        while let Ok(mut stream) = session.accept().await {
            tokio::spawn(async move {
                let mut one = [0; 1];

                if stream.read_exact(&mut one).await.is_ok() && stream.write_all(&one).await.is_ok()
                {
                    let _ = stream.flush().await;
                    // until the client has ended its half
                    let _ = stream.read(&mut one).await;
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
    let mut one = [0; 1];

    stream.write_all(&one).await.map_err(text)?;
    stream.flush().await.map_err(text)?;
    stream.read_exact(&mut one).await.map_err(text)?;
    stream.close().await.map_err(text)
}
