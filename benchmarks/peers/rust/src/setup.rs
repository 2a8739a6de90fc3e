//! What all cases need, before and around what is measured.
use std::collections::HashMap;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use yamux::Stream;

use crate::session::Session;

pub type Figures = HashMap<&'static str, f64>;

pub const READ_BYTES: usize = 65_536;

/// What this process has used of all cores.
pub fn cpu_millis() -> f64 {
    let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
    // the pointer is to a value of the right type that outlives the call
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let millis = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    millis(usage.ru_utime) + millis(usage.ru_stime)
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub fn text(error: std::io::Error) -> String {
    error.to_string()
}

/// Lets the other end go on, which waits in `hear`.
pub async fn tell(stream: &mut Stream) -> Result<(), String> {
    stream.write_all(&[1]).await.map_err(text)?;
    stream.flush().await.map_err(text)
}

pub async fn hear(stream: &mut Stream) -> Result<(), String> {
    stream.read_exact(&mut [0]).await.map_err(text)
}

/// Open at both ends, with a byte there and one back on each, before anything is measured: a stream is acknowledged
/// with the first that is written, and no more than 256 are opened that are not.
pub async fn channels(
    session: &Session,
    count: usize,
    client: bool,
) -> Result<Vec<Stream>, String> {
    let mut streams = Vec::with_capacity(count);

    while streams.len() < count {
        let stream = if client {
            let mut stream = session.open().await?;
            tell(&mut stream).await?;
            stream
        } else {
            let mut stream = session.accept().await?;
            hear(&mut stream).await?;
            tell(&mut stream).await?;
            stream
        };
        streams.push(stream);
    }

    if client {
        for stream in &mut streams {
            hear(stream).await?;
        }
    }

    Ok(streams)
}
