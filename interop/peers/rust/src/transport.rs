//! The libp2p project's contract of cross-implementation tests: see ../../../transport-test/README.md.
use std::env::var;
use std::time::Instant;

use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::io::AsyncReadExt as _;

use crate::host;
use crate::redis::Redis;
use crate::session::{Session, Stream};

const PING: &str = "/ipfs/ping/1.0.0";
const PING_BYTES: usize = 32;
const PATIENCE_SECONDS: &str = "180";

fn setting(name: &str) -> Result<String, String> {
    var(name).map_err(|_| format!("{name} is not set"))
}

pub async fn run() -> Result<(), String> {
    let key = format!("{}_listener_multiaddr", setting("TEST_KEY")?);
    let muxer = match (
        setting("TRANSPORT")?.as_str(),
        setting("SECURE_CHANNEL")?.as_str(),
        setting("MUXER")?.as_str(),
    ) {
        ("tcp", "noise", "yamux") => "libp2p-yamux",
        ("tcp", "noise", "mplex") => "libp2p-mplex",
        _ => return Err("only tcp with noise, and yamux or mplex".to_string()),
    };
    let store = Redis::connect(&setting("REDIS_ADDR")?)
        .await
        .map_err(|error| error.to_string())?;

    if setting("IS_DIALER")? == "true" {
        dial(store, muxer, &key).await
    } else {
        listen(store, muxer, &key).await
    }
}

async fn listen(mut store: Redis, muxer: &str, key: &str) -> Result<(), String> {
    let identity = host::identity();
    let mut node = host::node(muxer, &identity)?;
    let address = format!("/ip4/{}/tcp/0", setting("LISTENER_IP")?);
    let address = host::listen(&mut node, &address).await?;

    store.call(&["DEL", key]).await?;
    store
        .call(&["RPUSH", key, &format!("{address}/p2p/{}", identity.id)])
        .await?;

    tokio::spawn(async move {
        let session = Session::new(host::accept(&mut node).await?, Some(PING));

        while let Ok(stream) = session.accept().await {
            tokio::spawn(answer(stream));
        }

        Ok::<(), String>(())
    });

    // the dialer decides when it is over: whoever started us ends us
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    Ok(())
}

async fn answer(mut stream: Stream) -> std::io::Result<()> {
    let mut payload = [0; PING_BYTES];

    loop {
        stream.read_exact(&mut payload).await?;
        stream.write_all(&payload).await?;
        stream.flush().await?;
    }
}

async fn dial(mut store: Redis, muxer: &str, key: &str) -> Result<(), String> {
    let found = store.call(&["BLPOP", key, PATIENCE_SECONDS]).await?;
    let address = found.get(1).ok_or("no listener came")?;
    let mut node = host::node(muxer, &host::identity())?;
    let started = Instant::now();
    let session = Session::new(host::dial(&mut node, address).await?, Some(PING));
    let mut stream = session.open().await?;

    ping(&mut stream).await.map_err(|error| error.to_string())?;

    let handshake_plus_one = started.elapsed();
    let again = Instant::now();

    ping(&mut stream).await.map_err(|error| error.to_string())?;

    println!(
        "latency:\n  handshake_plus_one_rtt: {:.3}\n  ping_rtt: {:.3}\n  unit: ms",
        handshake_plus_one.as_secs_f64() * 1000.0,
        again.elapsed().as_secs_f64() * 1000.0
    );

    Ok(())
}

async fn ping(stream: &mut Stream) -> std::io::Result<()> {
    let payload = [7; PING_BYTES];
    let mut answer = [0; PING_BYTES];

    stream.write_all(&payload).await?;
    stream.flush().await?;
    stream.read_exact(&mut answer).await?;

    if answer == payload {
        Ok(())
    } else {
        Err(std::io::Error::other("the answer to the ping is another"))
    }
}
