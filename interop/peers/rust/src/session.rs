//! A connection with a muxer, driven by a task of its own.
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};
use multistream_select::{dialer_select_proto, listener_select_proto, Version};
use tokio::sync::{mpsc, oneshot, Mutex};

pub trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// Dropped without having been closed, it is reset.
pub type Stream = Box<dyn Bytes>;

/// What the task needs of a muxer.
pub trait Connection: Send + 'static {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, String>>;
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, String>>;
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>>;
}

enum Request {
    Open(oneshot::Sender<Stream>),
    Close(oneshot::Sender<()>),
}

#[derive(Clone)]
pub struct Session {
    requests: mpsc::UnboundedSender<Request>,
    inbound: Arc<Mutex<mpsc::UnboundedReceiver<Result<Stream, String>>>>,
    /// Streams begin by agreeing on it, where there is one.
    protocol: Option<&'static str>,
}

impl Session {
    pub fn new(mut connection: Box<dyn Connection>, protocol: Option<&'static str>) -> Self {
        let (requests, mut asked) = mpsc::unbounded_channel();
        let (accepted, inbound) = mpsc::unbounded_channel();
        let mut opens: VecDeque<oneshot::Sender<Stream>> = VecDeque::new();
        let mut closing: Option<oneshot::Sender<()>> = None;

        tokio::spawn(poll_fn(move |cx| {
            while let Poll::Ready(Some(request)) = asked.poll_recv(cx) {
                match request {
                    Request::Open(answer) => opens.push_back(answer),
                    Request::Close(answer) => closing = Some(answer),
                }
            }

            if closing.is_some() {
                if connection.poll_close(cx).is_pending() {
                    return Poll::Pending;
                }

                let _ = closing.take().expect("it is there").send(());
                let _ = accepted.send(Err("closed by us".to_string()));
                return Poll::Ready(());
            }

            while !opens.is_empty() {
                match connection.poll_open(cx) {
                    Poll::Ready(Ok(stream)) => {
                        let _ = opens.pop_front().expect("it is not empty").send(stream);
                    }
                    Poll::Ready(Err(reason)) => {
                        let _ = accepted.send(Err(reason));
                        return Poll::Ready(());
                    }
                    Poll::Pending => break,
                }
            }

            while let Poll::Ready(next) = connection.poll_accept(cx) {
                let over = next.is_err();

                match (next, protocol) {
                    (Ok(stream), Some(protocol)) => {
                        let accepted = accepted.clone();

                        tokio::spawn(async move {
                            if let Ok((_, stream)) = listener_select_proto(stream, [protocol]).await
                            {
                                let _ = accepted.send(Ok(Box::new(stream) as Stream));
                            }
                        });
                    }
                    (next, _) => {
                        let _ = accepted.send(next);
                    }
                }

                if over {
                    return Poll::Ready(());
                }
            }

            Poll::Pending
        }));

        Session {
            requests,
            inbound: Arc::new(Mutex::new(inbound)),
            protocol,
        }
    }

    pub async fn open(&self) -> Result<Stream, String> {
        let (request, answer) = oneshot::channel();

        self.requests
            .send(Request::Open(request))
            .map_err(|_| "the connection is closed".to_string())?;

        let stream = answer
            .await
            .map_err(|_| "the connection is closed".to_string())?;

        match self.protocol {
            Some(protocol) => dialer_select_proto(stream, [protocol], Version::V1)
                .await
                .map(|(_, stream)| Box::new(stream) as Stream)
                .map_err(|error| error.to_string()),
            None => Ok(stream),
        }
    }

    pub async fn accept(&self) -> Result<Stream, String> {
        self.inbound
            .lock()
            .await
            .recv()
            .await
            .unwrap_or_else(|| Err("the connection is closed".to_string()))
    }

    pub async fn close(&self) {
        let (request, answer) = oneshot::channel();

        if self.requests.send(Request::Close(request)).is_ok() {
            let _ = answer.await;
        }
    }
}
