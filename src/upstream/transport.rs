//! Exchange of one request and its response with a vendor.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use url::Url;

use crate::{
    http_client::{Client, is_local, read_body, root_cause},
    vendors::VendorRequest,
};

use super::{SendError, base_url::BaseUrl};

/// Carrier of vendor requests.
#[async_trait]
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Sends a request and reads the whole response. `headers` contain the
    /// credential. Fails with [`SendError::Unreachable`], [`SendError::Local`] or
    /// [`SendError::Body`].
    async fn exchange(&self, request: &VendorRequest, headers: HeaderMap) -> Result<Response<Bytes>, SendError>;
}

/// Transport over HTTP.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    base_url: BaseUrl,
    max_body: usize,
}

impl HttpTransport {
    /// Returns a transport to the API at `base_url`. Response bodies have at most
    /// `max_body` bytes after decompression.
    #[must_use]
    pub fn new(client: Client, base_url: &Url, max_body: usize) -> Self {
        Self { client, base_url: BaseUrl::new(base_url), max_body }
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn exchange(&self, request: &VendorRequest, headers: HeaderMap) -> Result<Response<Bytes>, SendError> {
        let sent = self.client.get(self.base_url.join(request)).headers(headers).send().await;
        let received = sent.map_err(send_error)?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = received.status();
        response.headers_mut().clone_from(received.headers());
        let is_failure = received.status().is_server_error() || received.status() == StatusCode::TOO_MANY_REQUESTS;
        *response.body_mut() = match read_body(received, self.max_body).await {
            // The status says enough. An unreadable body must not hide it.
            Err(error) if is_failure && !error.is_interruption() => Bytes::new(),
            body => body?,
        };
        Ok(response)
    }
}

/// Classifies a failure before a response: of this machine, or of the vendor.
fn send_error(error: reqwest::Error) -> SendError {
    if is_local(&error) { SendError::Local(root_cause(error)) } else { SendError::Unreachable(root_cause(error)) }
}
