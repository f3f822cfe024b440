//! Clients of the gateway.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, header::AUTHORIZATION};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::task::JoinSet;

/// HTTP/1.1 client with one caller's key.
#[derive(Clone)]
pub struct Client {
    port: u16,
    key: String,
    http: HyperClient<HttpConnector, Empty<Bytes>>,
}

/// Outcome of one request.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Partner id of the request.
    pub partner: String,
    /// Time until the end of the response, or until the client left.
    pub waited: Duration,
    /// `None` if the client left or the connection failed.
    pub answer: Option<Answer>,
}

/// Response of the gateway.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub has_retry_after: bool,
    /// True if no further page follows.
    pub is_complete: bool,
    /// Value of `Age`, in seconds.
    pub age: u64,
}

impl Client {
    pub fn new(port: u16, key: &str) -> Self {
        let http = HyperClient::builder(TokioExecutor::new()).build_http();
        Self { port, key: key.to_owned(), http }
    }

    /// Requests a list of a partner's customers, and leaves after `patience`.
    pub async fn list(&self, filter: &str, partner: String, patience: Option<Duration>) -> Outcome {
        let sent = Instant::now();
        let target = format!("/customers?connection=tolt&limit=10{filter}&partner_id={partner}");
        let answer = within(patience, self.get(&target)).await;
        Outcome { partner, waited: sent.elapsed(), answer: answer.flatten().map(|(answer, _)| answer) }
    }

    /// Returns the state of the connection's breaker.
    pub async fn breaker(&self) -> String {
        let (_, body) = self.get("/connections").await.expect("the gateway answers");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("the list is JSON");
        let state = body.pointer("/data/0/breaker/state").or_else(|| body.pointer("/data/0/breaker"));
        state.map_or_else(|| body.to_string(), |state| state.as_str().unwrap_or("?").to_owned())
    }

    async fn get(&self, target: &str) -> Option<(Answer, Bytes)> {
        let response = self.http.request(request(self.port, &self.key, target)).await.ok()?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let is_complete = head.status == 200
            && serde_json::from_slice::<serde_json::Value>(&body)
                .is_ok_and(|body| body.pointer("/page/next_cursor").is_none_or(serde_json::Value::is_null));
        let answer = Answer {
            status: head.status.as_u16(),
            has_retry_after: header("retry-after").is_some(),
            is_complete,
            age: header("age").and_then(|age| age.parse().ok()).unwrap_or(0),
        };
        Some((answer, body))
    }
}

/// Sends requests at random instants, `rate` per second, and waits for all
/// outcomes. `make` receives the number of the request.
pub async fn send_for<F>(duration: Duration, rate: f64, mut make: impl FnMut(usize) -> F) -> Vec<Outcome>
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let mut random = fastrand::Rng::with_seed(13);
    let start = tokio::time::Instant::now();
    let mut at = Duration::ZERO;
    let mut requests = JoinSet::new();
    for number in 0.. {
        // Never more than twice the rate, so a caller at half of its fair share
        // never exceeds it.
        at += Duration::from_secs_f64((0.5 + random.f64()) / rate);
        if at >= duration {
            break;
        }
        tokio::time::sleep_until(start + at).await;
        requests.spawn(make(number));
    }
    requests.join_all().await
}

/// Sends requests over HTTP/2 on one connection one by one, and resets each after
/// `patience`. Returns the number of requests.
pub async fn reset_for(duration: Duration, port: u16, key: &str, name: &str, patience: Duration) -> usize {
    let start = Instant::now();
    let mut requests = 0;
    while start.elapsed() < duration {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("the gateway listens");
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let Ok((mut sender, connection)) = handshake else { continue };
        let connection = tokio::spawn(connection);
        while start.elapsed() < duration && sender.ready().await.is_ok() {
            let target = format!("/customers?connection=tolt&limit=10&partner_id=part_reset{name}x{requests}");
            requests += 1;
            let sending = sender.send_request(request(port, key, &target));
            drop(tokio::time::timeout(patience, sending).await);
        }
        connection.abort();
    }
    requests
}

fn request(port: u16, key: &str, target: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://127.0.0.1:{port}{target}"))
        .header(AUTHORIZATION, format!("Bearer {key}"))
        .body(Empty::new())
        .expect("the request is valid")
}

async fn within<T>(patience: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match patience {
        Some(patience) => tokio::time::timeout(patience, future).await.ok(),
        None => Some(future.await),
    }
}
