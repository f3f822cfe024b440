//! Documents that do not come from a vendor, such as a JWKS.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header::ACCEPT};
use http_body_util::Full;
use url::Url;

use super::{BodyError, BodyMemory, Client, read_body, root_cause};

/// Client of one document. Requests carry no credential and are not retried.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    url: Url,
    timeout: Duration,
    max_body: usize,
}

/// Failure to fetch a document. No message contains the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The request reached its deadline.
    #[error("no response within {0:?}")]
    TimedOut(Duration),
    /// The request failed before a response arrived.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The status is not 200.
    #[error("unexpected response status {0}")]
    Status(StatusCode),
    /// The response body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl Fetcher {
    /// Returns a client of the document at `url`. The document has at most
    /// `max_body` bytes. A request takes at most `timeout`, including the body.
    #[must_use]
    pub fn new(client: Client, url: Url, timeout: Duration, max_body: usize) -> Self {
        Self { client, url, timeout, max_body }
    }

    /// Fetches the document. `accept` lists the accepted media types.
    pub async fn fetch(&self, accept: &'static str) -> Result<Bytes, FetchError> {
        let fetching = async {
            let request = Request::get(self.url.as_str()).header(ACCEPT, accept).body(Full::default());
            let request = request.map_err(|error| FetchError::Unreachable(error.to_string()))?;
            let sent = self.client.send(request).await;
            let (head, body) = sent.map_err(|error| FetchError::Unreachable(root_cause(&error)))?.into_parts();
            match head.status {
                StatusCode::OK => {
                    let memory = BodyMemory::unshared(self.max_body);
                    Ok(read_body(&head.headers, body, self.max_body, &memory).await?)
                }
                status => Err(FetchError::Status(status)),
            }
        };
        tokio::time::timeout(self.timeout, fetching).await.unwrap_or(Err(FetchError::TimedOut(self.timeout)))
    }
}
