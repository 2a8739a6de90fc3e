//! A peer for the interoperability tests, with the muxers of Rust: see ../../README.md for the contract.
mod bare;
mod host;
mod modes;
mod redis;
mod session;
mod transport;

use serde_json::{json, Value};
use tokio::io::AsyncReadExt;

use session::Session;

/// One line on standard output: made before it is printed, as the process may be told to end meanwhile.
pub fn report(event: Value) {
    let line = event.to_string();
    println!("{line}");
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();

    if arguments.len() == 1 && arguments[0] == "transport-test" {
        if let Err(reason) = transport::run().await {
            eprintln!("{reason}");
            std::process::exit(1);
        }
        return;
    }

    if arguments.len() < 3 || arguments.len() > 4 {
        eprintln!("usage: peer MUXER MODE NUMBER [ADDRESS] | peer transport-test");
        std::process::exit(2);
    }

    tokio::spawn(async move {
        let number = arguments[2].parse().expect("NUMBER is a number");

        match connect(&arguments[0], arguments.get(3)).await {
            Ok(session) => {
                report(json!({ "event": "connected" }));
                modes::run(session, &arguments[1], number).await;
            }
            Err(reason) => {
                eprintln!("{reason}");
                std::process::exit(1);
            }
        }
    });

    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    std::process::exit(0);
}

/// Prints the address that it listens at, or the one that it dials.
async fn connect(muxer: &str, address: Option<&String>) -> Result<Session, String> {
    match muxer {
        "libp2p-yamux" | "libp2p-mplex" => {
            let connection = host::connect(muxer, address).await?;
            Ok(Session::new(connection, Some(host::PROTOCOL)))
        }
        _ => Ok(Session::new(bare::connect(muxer, address).await?, None)),
    }
}
