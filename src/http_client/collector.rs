//! The way to a collector of traces: OTLP's requests over the HTTP client that
//! there is.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use reqwest::Client;
use tokio::runtime::Handle;

use super::{read_body, root_cause};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most that is read of an answer, which has a few numbers to tell.
const MAX_BODY: usize = 64 << 10;

/// A client of a collector.
#[derive(Debug)]
pub struct Collector {
    client: Client,
    headers: HeaderMap,
    runtime: Handle,
}

impl Collector {
    /// A client that sends these headers along. To be called within the runtime
    /// that its sockets shall belong to: its callers' threads have none.
    #[must_use]
    pub fn new(client: Client, headers: HeaderMap) -> Self {
        Self { client, headers, runtime: Handle::current() }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        request.headers_mut().extend(self.headers.clone());
        let mut request = reqwest::Request::try_from(request)?;
        *request.timeout_mut() = Some(TIMEOUT);
        let client = self.client.clone();
        let exchange = async move {
            let answer = client.execute(request).await.map_err(|error| {
                let root_cause = root_cause(error);
                tracing::debug!(%root_cause, "the collector cannot be reached");
                root_cause
            })?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            response.headers_mut().clone_from(answer.headers());
            *response.body_mut() = read_body(answer, MAX_BODY).await?;
            Ok(response)
        };
        self.runtime.spawn(exchange).await?
    }
}
