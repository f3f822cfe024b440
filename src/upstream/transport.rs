//! Exchange of one request and its response with a vendor.

use std::{error::Error, sync::Arc};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use url::Url;

use crate::{
    http_client::{BodyMemory, Client, ClientFactory, is_local, read_body, root_cause},
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

    /// Uses new connections from now on. Exchanges in flight are not affected.
    fn renew(&self);
}

/// Transport over HTTP.
#[derive(Debug)]
pub struct HttpTransport {
    clients: ClientFactory,
    /// Current client. Its connections are used by this transport only.
    client: ArcSwap<Client>,
    base_url: BaseUrl,
    max_body: usize,
    memory: BodyMemory,
}

impl HttpTransport {
    /// Returns a transport to the API at `base_url`. Response bodies have at most
    /// `max_body` bytes after decompression, and count against `memory`.
    #[must_use]
    pub fn new(clients: ClientFactory, base_url: &Url, max_body: usize, memory: BodyMemory) -> Self {
        let client = ArcSwap::from_pointee(clients.create());
        Self { clients, client, base_url: BaseUrl::new(base_url), max_body, memory }
    }
}

/// Exchange in progress. Dropped before [`end`](Self::end), the exchange has reached
/// its time limit, and its connection may be deaf. Further exchanges then use new
/// connections.
struct Exchange<'t> {
    transport: &'t HttpTransport,
    client: Arc<Client>,
    has_ended: bool,
}

impl Exchange<'_> {
    fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        // Another exchange may have renewed the connections already.
        if !self.has_ended && Arc::ptr_eq(&self.client, &self.transport.client.load()) {
            self.transport.renew();
        }
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn exchange(&self, request: &VendorRequest, headers: HeaderMap) -> Result<Response<Bytes>, SendError> {
        let exchange = Exchange { transport: self, client: self.client.load_full(), has_ended: false };
        let response = self.exchange_over(&exchange.client, request, headers).await;
        exchange.end();
        response
    }

    fn renew(&self) {
        self.client.store(Arc::new(self.clients.create()));
    }
}

impl HttpTransport {
    async fn exchange_over(
        &self,
        client: &Client,
        request: &VendorRequest,
        headers: HeaderMap,
    ) -> Result<Response<Bytes>, SendError> {
        let uri =
            Uri::try_from(self.base_url.join(request)).map_err(|error| SendError::Unreachable(error.to_string()))?;
        let mut outgoing = Request::new(Full::default());
        *outgoing.uri_mut() = uri;
        *outgoing.headers_mut() = headers;
        let (head, body) = client.send(outgoing).await.map_err(|error| send_error(&error))?.into_parts();
        let is_failure = head.status.is_server_error() || head.status == StatusCode::TOO_MANY_REQUESTS;
        let body = match read_body(&head.headers, body, self.max_body, &self.memory).await {
            // The status says enough. An unreadable body must not hide it.
            Err(error) if is_failure && !error.is_interruption() => Bytes::new(),
            body => body?,
        };
        Ok(Response::from_parts(head, body))
    }
}

/// Classifies a failure before a response: of this machine, or of the vendor.
fn send_error(error: &(dyn Error + 'static)) -> SendError {
    if is_local(error) { SendError::Local(root_cause(error)) } else { SendError::Unreachable(root_cause(error)) }
}
