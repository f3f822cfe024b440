//! Fetching a document that is no vendor's: without credential, bounded, and
//! tried once.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header::ACCEPT};
use reqwest::Client;
use url::Url;

use super::{BodyError, read_body, root_cause};

/// How a document is fetched.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    url: Url,
    timeout: Duration,
    max_body: usize,
}

/// Why a document cannot be had. Its URL stands in none of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The deadline passed.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Its server cannot be reached.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The answer has another status than 200.
    #[error("the answer's status is {0}")]
    Status(StatusCode),
    /// The body is too large, or broke off.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl Fetcher {
    /// A way to the document at `url`, of `max_body` bytes at most, which may
    /// take so long to its last byte.
    #[must_use]
    pub fn new(client: Client, url: Url, timeout: Duration, max_body: usize) -> Self {
        Self { client, url, timeout, max_body }
    }

    /// Fetches the document, as one of these media types.
    pub async fn fetch(&self, accept: &'static str) -> Result<Bytes, FetchError> {
        let fetching = async {
            let request = self.client.get(self.url.clone()).header(ACCEPT, accept);
            let response = request.send().await.map_err(|error| FetchError::Unreachable(root_cause(error)))?;
            match response.status() {
                StatusCode::OK => Ok(read_body(response, self.max_body).await?),
                status => Err(FetchError::Status(status)),
            }
        };
        tokio::time::timeout(self.timeout, fetching).await.unwrap_or(Err(FetchError::TimedOut(self.timeout)))
    }
}
