//! Clients that behave badly over HTTP/2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
    header::AUTHORIZATION,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, task::JoinHandle};

/// HTTP/2 connection that ends when dropped.
pub struct Connection {
    pub sender: SendRequest<Empty<Bytes>>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Connects with a window for each stream, in bytes.
    pub async fn open(port: u16, window: u32) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let mut builder = Builder::new(TokioExecutor::new());
        let handshake = builder.initial_stream_window_size(window).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.ok()?;
        // The end of the connection is no error here.
        let task = tokio::spawn(async move { drop(connection.await) });
        Some(Self { sender, task })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends requests over one connection at a time, and resets each after `patience`.
/// Returns the number of requests.
pub async fn reset_for(duration: Duration, port: u16, key: String, patience: Duration) -> usize {
    let (start, mut requests) = (Instant::now(), 0);
    while start.elapsed() < duration {
        let Some(mut connection) = Connection::open(port, 65_535).await else { continue };
        while start.elapsed() < duration && connection.sender.ready().await.is_ok() {
            let target = format!("/customers?connection=a&limit=10&partner_id=part_r{}", fastrand::u64(..));
            let sending = connection.sender.send_request(request(port, &key, &target));
            drop(tokio::time::timeout(patience, sending).await);
            requests += 1;
        }
    }
    requests
}

/// Sends requests whose responses the client never reads. Returns the connections
/// and the responses, which keep the streams open.
pub async fn leave_unread(
    port: u16,
    key: &str,
    connections: usize,
    streams: usize,
) -> (Vec<Connection>, Vec<Response<Incoming>>) {
    let (mut open, mut responses) = (Vec::new(), Vec::new());
    for _ in 0..connections {
        let Some(mut connection) = Connection::open(port, 0).await else { continue };
        let mut sending = Vec::new();
        for _ in 0..streams {
            if connection.sender.ready().await.is_err() {
                break;
            }
            let list = fastrand::u64(..);
            let target = format!("/customers?connection=a&limit=100&include=raw&partner_id=part_r{list}");
            sending.push(connection.sender.send_request(request(port, key, &target)));
        }
        for response in sending {
            if let Ok(Ok(response)) = tokio::time::timeout(Duration::from_secs(10), response).await {
                responses.push(response);
            }
        }
        open.push(connection);
    }
    (open, responses)
}

fn request(port: u16, key: &str, target: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://127.0.0.1:{port}{target}"))
        .header(AUTHORIZATION, format!("Bearer {key}"))
        .body(Empty::new())
        .expect("the request is valid")
}
