//! The yamux crate, driven by the benchmark: `bench server|client yamux`, then a line of JSON for each sample.
mod latency;
mod memory;
mod open;
mod session;
mod setup;
mod transfer;

use std::io::BufRead;

use serde::Deserialize;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use session::Session;
use setup::Figures;

/// One sample. The client is told the port besides.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    kind: String,
    streams: usize,
    /// Of a message.
    bytes: usize,
    millis: u64,
    /// Not counted, before.
    #[serde(default)]
    ramp_millis: u64,
    /// Handed over in a single write.
    #[serde(default)]
    queue_bytes: usize,
    #[serde(default)]
    port: u16,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let listener = match arguments.get(1).map(String::as_str) {
        Some("server") => Some(
            TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port of loopback"),
        ),
        Some("client") => None,
        _ => {
            eprintln!("usage: bench server|client yamux");
            std::process::exit(2);
        }
    };
    let port = listener
        .as_ref()
        .map(|listener| listener.local_addr().expect("it is bound").port());

    println!("{}", json!({ "type": "listening", "port": port }));

    for line in std::io::stdin().lock().lines() {
        let request: Request =
            serde_json::from_str(&line.expect("standard input")).expect("a line of JSON");

        println!("{}", json!({ "type": "started" }));

        match run(listener.as_ref(), request).await {
            Ok(figures) => println!("{}", json!({ "type": "figures", "figures": figures })),
            Err(reason) => println!("{}", json!({ "type": "failed", "reason": reason })),
        }
    }
}

/// Makes a connection of its own for each sample.
async fn run(listener: Option<&TcpListener>, request: Request) -> Result<Figures, String> {
    let socket = match listener {
        Some(listener) => listener.accept().await.map(|(socket, _)| socket),
        None => TcpStream::connect(("127.0.0.1", request.port)).await,
    }
    .map_err(|error| error.to_string())?;

    socket
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;

    let client = listener.is_none();
    let session = Session::new(socket, client, request.streams);

    match request.kind.as_str() {
        "upload" | "download" | "round" => transfer::transfer(&session, &request, client).await,
        "ping-pong" => latency::ping_pong(&session, &request, client).await,
        "open" => open::open_echo_close(session, &request, client).await,
        "echo-under-bulk" => latency::echo_under_bulk(&session, &request, client).await,
        "echo-behind-queue" => latency::echo_behind_queue(&session, &request, client).await,
        "idle" => memory::idle(&session, &request, client).await,
        "slow-reader" => memory::slow_reader(&session, &request, client).await,
        kind => Err(format!("there is no case {kind}")),
    }
}
