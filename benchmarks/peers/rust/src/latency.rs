//! Ping-pong, alone and beside bulk.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt};
use yamux::Stream;

use crate::session::Session;
use crate::setup::{channels, cpu_millis, hear, millis, tell, text, Figures, READ_BYTES};
use crate::transfer::send_on;
use crate::Request;

/// What a write of bulk has, beside which there are pings.
const BULK_BYTES: usize = 65_536;

/// One at a time until it is enough: the round trips in milliseconds, in order of length.
async fn pings(
    stream: &mut Stream,
    bytes: usize,
    enough: impl Fn() -> bool,
) -> Result<Vec<f64>, String> {
    let mut message = vec![1; bytes];
    let mut times = Vec::new();

    while times.is_empty() || !enough() {
        let sent = Instant::now();
        stream.write_all(&message).await.map_err(text)?;
        stream.flush().await.map_err(text)?;
        stream.read_exact(&mut message).await.map_err(text)?;
        times.push(millis(sent.elapsed()));
    }

    times.sort_by(f64::total_cmp);

    Ok(times)
}

/// Answers pings until the connection is closed.
async fn echo(mut stream: Stream, bytes: usize) {
    let mut message = vec![0; bytes];

    while stream.read_exact(&mut message).await.is_ok() {
        if stream.write_all(&message).await.is_err() || stream.flush().await.is_err() {
            break;
        }
    }
}

fn quantiles(times: &[f64]) -> Figures {
    HashMap::from([
        ("p50", times[times.len() / 2]),
        ("p99", times[times.len() * 99 / 100]),
    ])
}

pub async fn ping_pong(
    session: &Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let mut stream = channels(session, 1, client).await?.remove(0);

    if !client {
        echo(stream, request.bytes).await;

        return Ok(Figures::new());
    }

    let duration = Duration::from_millis(request.millis);
    let cpu = cpu_millis();
    let start = Instant::now();
    let times = pings(&mut stream, request.bytes, || start.elapsed() >= duration).await?;
    let count = times.len() as f64;
    let mut figures = quantiles(&times);

    figures.insert("rate", count / millis(start.elapsed()) * 1e3);
    figures.insert("cpu", (cpu_millis() - cpu) * 1e3 / count);

    Ok(figures)
}

/// The pings go the way that the bulk goes.
pub async fn echo_under_bulk(
    session: &Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let mut streams = channels(session, 2, client).await?;
    let mut ping = streams.remove(1);
    let bulk = streams.remove(0);

    if !client {
        return count_bulk(bulk, ping, request.bytes).await;
    }

    tokio::spawn(send_on(bulk, BULK_BYTES));
    // the bulk is under way
    hear(&mut ping).await?;

    let duration = Duration::from_millis(request.millis);
    let start = Instant::now();
    let times = pings(&mut ping, request.bytes, || start.elapsed() >= duration).await?;

    Ok(quantiles(&times))
}

/// Counts from the first pings to the last, after which the client closes the connection.
async fn count_bulk(mut bulk: Stream, mut ping: Stream, bytes: usize) -> Result<Figures, String> {
    let mut buffer = vec![0; READ_BYTES];
    let mut total = 0;
    let mut elapsed = Duration::ZERO;

    bulk.read(&mut buffer).await.map_err(text)?;
    tell(&mut ping).await?;
    tokio::spawn(echo(ping, bytes));

    let start = Instant::now();

    while let Ok(read @ 1..) = bulk.read(&mut buffer).await {
        total += read;
        elapsed = start.elapsed();
    }

    Ok(HashMap::from([
        ("bytes", total as f64),
        ("millis", millis(elapsed)),
    ]))
}

/// Much is handed over in a single write, and pings go on until all of it has arrived.
pub async fn echo_behind_queue(
    session: &Session,
    request: &Request,
    client: bool,
) -> Result<Figures, String> {
    let mut streams = channels(session, 2, client).await?;
    let mut ping = streams.remove(1);
    let mut bulk = streams.remove(0);

    if !client {
        tokio::spawn(echo(ping, request.bytes));

        let mut buffer = vec![0; READ_BYTES];
        let mut arrived = 0;

        while arrived < request.queue_bytes {
            match bulk.read(&mut buffer).await.map_err(text)? {
                0 => return Err("the bulk ended too early".to_string()),
                read => arrived += read,
            }
        }

        tell(&mut bulk).await?;
        // until the client closes the connection
        let _ = hear(&mut bulk).await;

        return Ok(Figures::new());
    }

    let queue = vec![7; request.queue_bytes];
    let arrived = Arc::new(AtomicBool::new(false));
    let seen = arrived.clone();

    tokio::spawn(async move {
        if bulk.write_all(&queue).await.is_ok() {
            let _ = hear(&mut bulk).await;
        }

        arrived.store(true, Ordering::Relaxed);
    });

    let times = pings(&mut ping, request.bytes, || seen.load(Ordering::Relaxed)).await?;

    Ok(quantiles(&times))
}
