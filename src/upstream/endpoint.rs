//! Sending one request and reading its answer, bounded.

use std::time::Duration;

use http::{
    HeaderMap,
    header::{ACCEPT, AUTHORIZATION},
};
use jiff::Timestamp;
use opentelemetry::KeyValue;
use url::Url;

use crate::{
    http_client::{Client, read_body, root_cause},
    telemetry::trace::{VendorTracer, inject},
    vendors::{VendorRequest, VendorResponse},
};

use super::{Credential, SendError, retry_after::named_wait};

/// Where a connection's requests go.
#[derive(Debug)]
pub struct Endpoint {
    client: Client,
    base_url: String,
    credential: Credential,
    max_body: usize,
    tracer: VendorTracer,
}

/// A vendor's answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer itself.
    pub response: VendorResponse,
    /// When to come back: as it names, or after a 429 as the budget keeps it.
    pub retry_after: Option<Duration>,
}

impl Endpoint {
    /// The API at `base_url`, with or without its last slash, whose answers have
    /// `max_body` bytes at most, decompressed.
    #[must_use]
    pub fn new(client: Client, base_url: &Url, credential: Credential, max_body: usize, tracer: VendorTracer) -> Self {
        let base_url = base_url.as_str().trim_end_matches('/').to_owned();
        Self { client, base_url, credential, max_body, tracer }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.credential.redact(text)
    }

    /// Where a request goes.
    pub(super) fn url(&self, request: &VendorRequest) -> String {
        let mut url = format!("{}{}", self.base_url, request.path);
        if !request.query.is_empty() {
            url.push('?');
            url.push_str(&request.query);
        }
        url
    }

    /// Sends a request that has been sent so many times before.
    pub(super) async fn send(&self, request: &VendorRequest, now: Timestamp, resends: u32) -> Result<Reply, SendError> {
        let span = self.tracer.call(resends);
        let mut headers = HeaderMap::new();
        inject(span.context(), &mut headers);
        let sent = self.exchange(request, headers, now).await;
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

    async fn exchange(&self, request: &VendorRequest, headers: HeaderMap, now: Timestamp) -> Result<Reply, SendError> {
        let response = self
            .client
            .get(self.url(request))
            .headers(headers)
            .header(AUTHORIZATION, self.credential.bearer())
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| SendError::Unreachable(root_cause(error)))?;
        let status = response.status().as_u16();
        let retry_after = named_wait(response.headers(), now);
        let body = read_body(response, self.max_body).await?;
        Ok(Reply { response: VendorResponse { status, body }, retry_after })
    }
}
