//! HTTP client with one caller's key.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{HeaderMap, Method, Request, header::AUTHORIZATION};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// Client of a gateway, over HTTP/1.1 or HTTP/2.
#[derive(Clone)]
pub struct Client {
    port: u16,
    key: String,
    http: HyperClient<HttpConnector, Empty<Bytes>>,
}

/// Complete response.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub fn new(port: u16, key: &str, is_http2: bool) -> Self {
        let http = HyperClient::builder(TokioExecutor::new()).http2_only(is_http2).build_http();
        Self { port, key: key.to_owned(), http }
    }

    /// Sends a request and reads the response.
    pub async fn send(&self, method: Method, target: &str, accept: &str) -> Result<Reply, String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{target}", self.port))
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header("accept", accept)
            .body(Empty::new())
            .expect("the request is valid");
        let response = self.http.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("body: {error:?}"))?.to_bytes();
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }

    pub async fn get(&self, target: &str) -> Result<Reply, String> {
        self.send(Method::GET, target, "application/json").await
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the wait that `Retry-After` names.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.parse().ok().map(Duration::from_secs)
    }

    /// Returns the age of the response; zero without `Age`.
    pub fn age(&self) -> Duration {
        Duration::from_secs(self.header("age").and_then(|age| age.parse().ok()).unwrap_or(0))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the code of a problem; empty for other responses.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Returns the ids of the rows of a page.
pub fn ids(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter().map(|row| row["id"].as_str().unwrap_or_default().to_owned()).collect()
}
