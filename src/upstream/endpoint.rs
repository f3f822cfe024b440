//! Vendor account as a destination: base URL, credential and spans.

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, AUTHORIZATION},
};
use jiff::Timestamp;
use opentelemetry::KeyValue;
use url::Url;

use crate::{
    telemetry::trace::{VendorTracer, inject},
    vendors::{VendorRequest, VendorResponse},
};

use super::{Credential, SendError, base_url::BaseUrl, retry_after::retry_after, transport::Transport};

/// Capacity for the headers of a request, with those that the client adds.
const HEADER_CAPACITY: usize = 8;

/// Destination of a connection's requests.
#[derive(Debug)]
pub struct Endpoint {
    transport: Box<dyn Transport>,
    base_url: BaseUrl,
    credential: Credential,
    tracer: VendorTracer,
}

/// Response of a vendor that was read.
#[derive(Debug, Clone)]
pub struct Reply<T> {
    /// Content of the response.
    pub value: T,
    /// Status and body.
    pub response: VendorResponse,
}

/// Response of a vendor, with the wait that the vendor requests.
pub(super) struct Received {
    pub(super) response: VendorResponse,
    pub(super) retry_after: Option<Duration>,
}

impl Endpoint {
    /// Returns the endpoint of a connection.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>, base_url: &Url, credential: Credential, tracer: VendorTracer) -> Self {
        Self { transport, base_url: BaseUrl::new(base_url), credential, tracer }
    }

    /// Sends a request in a span of its own. `resends` counts earlier attempts.
    pub(super) async fn send(
        &self,
        request: &VendorRequest,
        now: Timestamp,
        resends: u32,
    ) -> Result<Received, SendError> {
        let span = self.tracer.call(resends);
        let mut headers = HeaderMap::with_capacity(HEADER_CAPACITY);
        inject(span.context(), &mut headers);
        headers.insert(AUTHORIZATION, self.credential.bearer());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let sent = self.transport.exchange(request, headers).await.map(|response| Received {
            retry_after: retry_after(response.headers(), now),
            response: VendorResponse { status: response.status().as_u16(), body: response.into_body() },
        });
        let status = sent.as_ref().ok().map(|reply| reply.response.status);
        let error = match &sent {
            Ok(reply) if reply.response.status < 400 => None,
            Ok(reply) => Some(reply.response.status.to_string().into()),
            Err(error) => Some(error.kind().into()),
        };
        span.end(error, || {
            status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))).into_iter().collect()
        });
        sent
    }

    /// Uses new connections from now on.
    pub(super) fn renew_connections(&self) {
        self.transport.renew();
    }

    /// Returns the URL of a request. The URL never contains the credential.
    pub(super) fn url(&self, request: &VendorRequest) -> String {
        self.base_url.join(request)
    }

    /// Removes the credential from vendor text.
    pub(super) fn redact(&self, text: &str) -> String {
        self.credential.redact(text)
    }
}
