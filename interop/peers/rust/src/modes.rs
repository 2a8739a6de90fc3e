//! What a peer does with the streams of its connection, by name.
use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use serde_json::{json, Value};

use crate::report;
use crate::session::{Session, Stream};

const PERIOD: usize = 251;
const CHUNK: usize = 64 * 1024;

/// What is sent, over and over: what is lost or swapped is seen.
static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..PERIOD * 4096)
        .map(|index| (index % PERIOD) as u8)
        .collect()
});

#[derive(Clone, Copy)]
enum Mode {
    Echo,
    Sink,
    Half,
    Close,
    Reset,
    Slow,
    NoAccept,
    Source(usize),
    GoAway,
}

pub async fn run(session: Session, mode: &str, number: usize) {
    let (first, others) = match mode {
        "echo" => (Mode::Echo, Mode::Echo),
        "sink" => (Mode::Sink, Mode::Sink),
        "half" => (Mode::Half, Mode::Half),
        "close" => (Mode::Close, Mode::Close),
        "reset" => (Mode::Reset, Mode::Reset),
        "source" => (Mode::Source(number), Mode::Source(number)),
        "slow" => (Mode::Slow, Mode::Echo),
        "noaccept" => (Mode::NoAccept, Mode::NoAccept),
        "flood" => (Mode::Source(number), Mode::Echo),
        "goaway" => (Mode::GoAway, Mode::GoAway),
        "open" => {
            tokio::spawn(open_many(session.clone(), number));
            (Mode::Echo, Mode::Echo)
        }
        "empty" => {
            tokio::spawn(open_empty(session.clone()));
            (Mode::Echo, Mode::Echo)
        }
        "ping" => {
            report(json!({ "event": "done", "how": "unsupported" }));
            (Mode::Echo, Mode::Echo)
        }
        _ => {
            eprintln!("there is no mode {mode}");
            std::process::exit(2);
        }
    };

    for index in 0.. {
        match session.accept().await {
            Ok(stream) => {
                let session = session.clone();
                let mode = if index == 0 { first } else { others };

                report(json!({ "event": "stream", "stream": index }));
                tokio::spawn(async move {
                    let mut end = handle(stream, mode, session).await;

                    end["event"] = json!("end");
                    end["stream"] = json!(index);
                    report(end);
                });
            }
            Err(reason) => {
                report(json!({ "event": "closed", "message": reason }));
                return;
            }
        }
    }
}

async fn handle(mut stream: Stream, mode: Mode, session: Session) -> Value {
    match mode {
        Mode::Echo => echo(stream).await,
        Mode::Sink => {
            let end = receive(&mut stream).await;
            let _ = stream.close().await;
            end
        }
        Mode::Half => {
            let end = receive(&mut stream).await;
            let length = end["bytes"].as_u64().unwrap_or(0) as usize;
            match send(&mut stream, length).await {
                Ok(()) => {
                    let _ = stream.close().await;
                    end
                }
                Err(error) => ending(error),
            }
        }
        Mode::Close => match stream.close().await {
            Ok(()) => json!({ "how": "local" }),
            Err(error) => ending(error),
        },
        Mode::Reset => {
            let _ = stream.read(&mut [0]).await;
            drop(stream);
            json!({ "how": "local" })
        }
        Mode::Slow => slow(stream).await,
        // the crate acknowledges with the first bytes that it sends
        Mode::NoAccept => std::future::pending().await,
        Mode::Source(length) => source(stream, length).await,
        Mode::GoAway => {
            let _ = stream.read(&mut [0]).await;
            session.close().await;
            json!({ "how": "local" })
        }
    }
}

fn ending(error: std::io::Error) -> Value {
    let how = match error.kind() {
        ErrorKind::ConnectionReset => "reset",
        _ => "error",
    };

    json!({ "how": how, "message": error.to_string() })
}

/// Reads to the end: how many bytes came, whether they were right, and how it ended.
async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Value {
    copy(stream, &mut futures::io::sink()).await
}

async fn copy(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> Value {
    let mut buffer = vec![0; CHUNK];
    let (mut total, mut intact) = (0, true);

    let mut end = loop {
        match from.read(&mut buffer).await {
            Ok(0) => break json!({ "how": "eof" }),
            Ok(count) => {
                let at = total % PERIOD;
                intact = intact && buffer[..count] == PATTERN[at..at + count];
                total += count;
                let mut written = to.write_all(&buffer[..count]).await;
                if written.is_ok() {
                    written = to.flush().await;
                }
                if let Err(error) = written {
                    break ending(error);
                }
            }
            Err(error) => break ending(error),
        }
    };

    end["bytes"] = json!(total);
    end["intact"] = json!(intact);
    end
}

async fn send(to: &mut (impl AsyncWrite + Unpin), length: usize) -> std::io::Result<()> {
    let mut left = length;

    while left > 0 {
        let count = left.min(PATTERN.len());
        to.write_all(&PATTERN[..count]).await?;
        left -= count;
    }

    to.flush().await
}

async fn echo(stream: Stream) -> Value {
    let (mut reader, mut writer) = stream.split();
    let end = copy(&mut reader, &mut writer).await;
    let _ = writer.close().await;
    end
}

/// Writes, ends its half, and then reads.
async fn source(mut stream: Stream, length: usize) -> Value {
    if let Err(error) = send(&mut stream, length).await {
        return ending(error);
    }
    if let Err(error) = stream.close().await {
        return ending(error);
    }
    receive(&mut stream).await
}

async fn slow(mut stream: Stream) -> Value {
    let mut buffer = vec![0; 1024];
    let mut total = 0;

    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => break,
            Ok(count) => total += count,
            Err(error) => return ending(error),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let _ = stream.close().await;
    json!({ "how": "eof", "bytes": total })
}

/// Opens streams at once, writes a little on each, ends, and wants it back.
async fn open_many(session: Session, count: usize) {
    let failed = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let session = session.clone();
            let failed = failed.clone();

            tokio::spawn(async move {
                let result = ask(session).await;
                if result.is_err() {
                    failed.fetch_add(1, Ordering::SeqCst);
                }
                result.err()
            })
        })
        .collect();
    let mut message = None;

    for task in tasks {
        message = task.await.expect("no panic").or(message);
    }

    report(json!({
        "event": "done",
        "streams": count,
        "failed": failed.load(Ordering::SeqCst),
        "message": message,
    }));
}

async fn ask(session: Session) -> Result<(), String> {
    let mut stream = session.open().await?;

    send(&mut stream, 1024)
        .await
        .map_err(|error| error.to_string())?;
    stream.close().await.map_err(|error| error.to_string())?;

    let end = receive(&mut stream).await;

    if end["how"] == "eof" && end["bytes"] == 1024 && end["intact"] == true {
        Ok(())
    } else {
        Err(format!("the echo was cut or wrong: {end}"))
    }
}

/// Opens a stream, ends its half without a byte, and waits for the other half.
async fn open_empty(session: Session) {
    let mut end = match session.open().await {
        Ok(mut stream) => match stream.close().await {
            Ok(()) => receive(&mut stream).await,
            Err(error) => ending(error),
        },
        Err(reason) => json!({ "how": "error", "message": reason }),
    };

    end["event"] = json!("done");
    report(end);
}
