//! The yamux crate, in two versions, on a TCP socket.
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use crate::session::{Connection, Stream};

/// Twice the most that a scenario opens: with the crate's default of 512 it ends the connection beyond that.
pub const MAX_STREAMS: usize = 2048;

pub async fn connect(muxer: &str, address: Option<&String>) -> Result<Box<dyn Connection>, String> {
    let socket = socket(address).await.map_err(|error| error.to_string())?;
    let client = address.is_some();

    socket
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;

    match muxer {
        "yamux-0.13" => Ok(Box::new(version013(socket.compat(), client))),
        "yamux-0.14" => Ok(Box::new(version014(socket.compat(), client))),
        _ => Err(format!("there is no muxer {muxer}")),
    }
}

async fn socket(address: Option<&String>) -> std::io::Result<TcpStream> {
    if let Some(address) = address {
        println!("{address}");
        return TcpStream::connect(address).await;
    }

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(listener.accept().await?.0)
}

macro_rules! bare {
    ($name:ident, $yamux:ident) => {
        fn $name(socket: Compat<TcpStream>, client: bool) -> $yamux::Connection<Compat<TcpStream>> {
            let mut config = $yamux::Config::default();
            config.set_max_num_streams(MAX_STREAMS);
            let mode = if client {
                $yamux::Mode::Client
            } else {
                $yamux::Mode::Server
            };
            $yamux::Connection::new(socket, config, mode)
        }

        impl Connection for $yamux::Connection<Compat<TcpStream>> {
            fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, String>> {
                self.poll_new_outbound(cx)
                    .map_ok(|stream| Box::new(stream) as Stream)
                    .map_err(|error| error.to_string())
            }

            fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, String>> {
                self.poll_next_inbound(cx).map(|next| match next {
                    Some(Ok(stream)) => Ok(Box::new(stream) as Stream),
                    Some(Err(error)) => Err(error.to_string()),
                    None => Err("the connection was closed".to_string()),
                })
            }

            fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
                self.poll_close(cx).map_err(|error| error.to_string())
            }
        }
    };
}

bare!(version013, yamux013);
bare!(version014, yamux014);
