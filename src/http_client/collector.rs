//! OTLP export over the shared HTTP client library.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Full;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

use super::{BodyMemory, Client, read_body, root_cause};

/// Maximum time of one request.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a response body. OTLP responses contain only a few counts.
const MAX_BODY: usize = 64 << 10;

/// Client of a trace collector.
#[derive(Debug)]
pub struct Collector {
    client: Client,
    headers: HeaderMap,
    runtime: Handle,
}

impl Collector {
    /// Returns a client that adds `headers` to each request.
    ///
    /// Must be called within a runtime. Requests run on this runtime, because
    /// the exporter's thread has none.
    #[must_use]
    pub fn new(client: Client, headers: HeaderMap) -> Self {
        Self { client, headers, runtime: Handle::current() }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        request.headers_mut().extend(self.headers.clone());
        let client = self.client.clone();
        let exchange = async move {
            let (head, body) = client.send(request.map(Full::new)).await?.into_parts();
            let body = read_body(&head.headers, body, MAX_BODY, &BodyMemory::unshared(MAX_BODY)).await?;
            Ok::<_, HttpError>(Response::from_parts(head, body))
        };
        // A timer requires the runtime.
        let bounded = async move {
            let exchanged = tokio::time::timeout(TIMEOUT, exchange).await;
            exchanged.unwrap_or_else(|elapsed| Err(elapsed.into())).map_err(|error| {
                let root_cause = root_cause(&*error);
                tracing::debug!(%root_cause, "trace collector unreachable");
                root_cause.into()
            })
        };
        self.runtime.spawn(bounded).await?
    }
}
