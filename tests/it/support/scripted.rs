//! A scripted vendor: sends exact bytes, and records the requests.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use customer_gateway::config::Connection;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

use super::{Gateway, config, connection};

/// Credential of connections to scripted vendors.
pub(crate) const SECRET: &str = "sk_live_scripted";
/// Account id of connections to scripted vendors.
pub(crate) const ACCOUNT: &str = "account_1";

/// A listener with scripted responses, closed when dropped.
pub(crate) struct ScriptedVendor {
    pub(crate) base_url: String,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

/// A scripted response.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Sends these bytes, then reads the connection's next request.
    Bytes(Vec<u8>),
    /// Sends these bytes once a permit is available.
    Held(Arc<Semaphore>, Vec<u8>),
    /// Sends this head, then this chunk `times` times while the client reads.
    Flood { head: String, chunk: Vec<u8>, times: usize },
}

#[derive(Default)]
struct Seen {
    heads: Mutex<Vec<String>>,
    connections: AtomicUsize,
    written: AtomicUsize,
}

/// A port that refuses connections. The port is bound until the value is dropped,
/// so no other test can listen on it.
pub(crate) struct ClosedPort {
    pub(crate) base_url: String,
    _socket: TcpSocket,
}

impl ClosedPort {
    pub(crate) fn bind() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { base_url: format!("http://{}", socket.local_addr().unwrap()), _socket: socket }
    }
}

impl ScriptedVendor {
    /// Starts a vendor whose script receives each request's index, from zero,
    /// and target.
    pub(crate) async fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, script) = (Arc::new(Seen::default()), Arc::new(script));
        let task = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                let mut connections = JoinSet::new();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    seen.connections.fetch_add(1, Relaxed);
                    connections.spawn(serve_connection(stream, Arc::clone(&seen), Arc::clone(&script)));
                }
            }
        });
        Self { base_url, seen, task }
    }

    /// Starts a vendor that answers every request with this body.
    pub(crate) async fn replying(body: Value) -> Self {
        Self::start(move |_, _| Reply::json(&body)).await
    }

    /// Returns a connection to this vendor, with this vendor kind.
    pub(crate) fn connection(&self, kind: &str) -> Connection {
        connection("odd", kind, &self.base_url, SECRET, ACCOUNT)
    }

    /// Starts a gateway with a single connection, to this vendor.
    pub(crate) async fn gateway(&self, kind: &str) -> Gateway {
        Gateway::start(config(vec![self.connection(kind)])).await
    }

    /// Returns the number of received requests.
    pub(crate) fn calls(&self) -> usize {
        self.heads().len()
    }

    /// Returns the heads of the requests, as received.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.heads.lock().unwrap().clone()
    }

    /// Returns the targets of the requests.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.heads().iter().map(|head| target(head).to_owned()).collect()
    }

    /// Returns the number of accepted connections.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Relaxed)
    }

    /// Returns the number of flood bytes written.
    pub(crate) fn written(&self) -> usize {
        self.seen.written.load(Relaxed)
    }
}

impl Drop for ScriptedVendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reply {
    /// Returns a 200 with a JSON body.
    pub(crate) fn json(body: &Value) -> Self {
        Self::text(200, &body.to_string())
    }

    /// Returns a status with a body.
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::with_headers(status, "content-type: application/json\r\n", body.as_bytes())
    }

    /// Returns a status with header lines and a body.
    pub(crate) fn with_headers(status: u16, headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status} Scripted\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self::Bytes([head.as_bytes(), body].concat())
    }

    /// Returns the same response, held until a permit is available.
    pub(crate) fn gated_by(self, gate: &Arc<Semaphore>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Held(Arc::clone(gate), bytes),
            other => other,
        }
    }
}

async fn serve_connection(mut stream: TcpStream, seen: Arc<Seen>, script: Arc<impl Fn(usize, &str) -> Reply>) {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if !matches!(stream.read_buf(&mut buffer).await, Ok(read) if read > 0) {
                return;
            }
        };
        let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
        let index = {
            let mut heads = seen.heads.lock().unwrap();
            heads.push(head.clone());
            heads.len() - 1
        };
        let written = match script(index, target(&head)) {
            Reply::Bytes(bytes) => stream.write_all(&bytes).await,
            Reply::Held(gate, bytes) => {
                gate.acquire().await.unwrap().forget();
                stream.write_all(&bytes).await
            }
            Reply::Flood { head, chunk, times } => {
                let mut written = stream.write_all(head.as_bytes()).await;
                for _ in 0..times {
                    if written.is_err() {
                        return;
                    }
                    written = stream.write_all(&chunk).await;
                    seen.written.fetch_add(chunk.len(), Relaxed);
                }
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

fn target(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

/// Returns a page of Tolt's.
pub(crate) fn tolt_page(rows: &[Value], has_more: bool) -> Value {
    json!({"success": true, "has_more": has_more, "total_count": rows.len(), "data": {"data": rows}})
}

/// Returns a customer of the requested program.
pub(crate) fn tolt_row(id: &str) -> Value {
    json!({"id": id, "program_id": ACCOUNT, "created_at": "2025-01-15T14:30:00.000Z", "name": "Jim"})
}

/// Returns a page of the corporation vendor's.
pub(crate) fn corporation_page(rows: &[Value], cursor: Option<&str>) -> Value {
    json!({"data": {"customers": rows, "total_customers": rows.len(), "cursor": cursor}, "message": "ok"})
}

/// Returns a customer of the requested corporation.
pub(crate) fn corporation_row(id: &str) -> Value {
    json!({"id": id, "corporation_id": ACCOUNT, "created_at": 1_736_951_400, "name": "Jim"})
}
