//! A connection of the yamux crate, driven by a task of its own, as libp2p's swarm drives it.
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, Mutex};
use tokio::task::JoinHandle;
use tokio_util::compat::TokioAsyncReadCompatExt;
use yamux::{Config, Connection, Mode, Stream};

/// What the defaults allow for, and each stream above their number: 256 KiB of the window of the connection are kept for
/// each that there may be, and only the rest is there for windows to grow.
const DEFAULT_STREAMS: usize = 512;
const DEFAULT_WINDOW: usize = 1 << 30;
const STREAM_WINDOW: usize = 262_144;

pub struct Session {
    opens: mpsc::UnboundedSender<oneshot::Sender<Stream>>,
    inbound: Mutex<mpsc::UnboundedReceiver<Stream>>,
    driver: JoinHandle<()>,
}

impl Session {
    pub fn new(socket: TcpStream, client: bool, streams: usize) -> Self {
        let mut config = Config::default();
        config.set_max_connection_receive_window(Some(DEFAULT_WINDOW + streams * STREAM_WINDOW));
        config.set_max_num_streams(DEFAULT_STREAMS + streams);
        let mode = if client { Mode::Client } else { Mode::Server };
        let mut connection = Connection::new(socket.compat(), config, mode);
        let (opens, mut requests) = mpsc::unbounded_channel::<oneshot::Sender<Stream>>();
        let (accepted, inbound) = mpsc::unbounded_channel();
        let mut waiting = VecDeque::new();

        let driver = tokio::spawn(poll_fn(move |cx| {
            while let Poll::Ready(Some(request)) = requests.poll_recv(cx) {
                waiting.push_back(request);
            }

            while !waiting.is_empty() {
                match connection.poll_new_outbound(cx) {
                    Poll::Ready(Ok(stream)) => {
                        let request = waiting.pop_front().expect("it is not empty");
                        let _ = request.send(stream);
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => break,
                }
            }

            while let Poll::Ready(next) = connection.poll_next_inbound(cx) {
                match next {
                    Some(Ok(stream)) => {
                        let _ = accepted.send(stream);
                    }
                    _ => return Poll::Ready(()),
                }
            }

            Poll::Pending
        }));

        Session {
            opens,
            inbound: Mutex::new(inbound),
            driver,
        }
    }

    pub async fn open(&self) -> Result<Stream, String> {
        let (request, answer) = oneshot::channel();
        self.opens
            .send(request)
            .map_err(|_| "the connection is closed".to_string())?;
        answer
            .await
            .map_err(|_| "the connection is closed".to_string())
    }

    pub async fn accept(&self) -> Result<Stream, String> {
        let mut inbound = self.inbound.lock().await;
        inbound
            .recv()
            .await
            .ok_or_else(|| "the connection is closed".to_string())
    }

    /// At once: what is under way fails.
    pub fn close(&self) {
        self.driver.abort();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}
