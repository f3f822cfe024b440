//! Sending one request and reading its answer, bounded.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{ACCEPT, AUTHORIZATION},
};
use jiff::Timestamp;
use opentelemetry::KeyValue;
use reqwest::{Client, Response, redirect};
use url::{Host, Url};

use crate::{
    telemetry::trace::{VendorTracer, inject},
    vendors::{VendorRequest, VendorResponse},
};

use super::{Credential, SendError, retry_after::named_wait};

/// Idle connections are closed before the vendor does it, which would race
/// with the next request (hyper#2136).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

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

/// The HTTP clients, made as they are needed: each reads all CA certificates.
/// Connections share them, and so their pools.
#[derive(Debug, Default)]
pub struct Clients {
    loopback: Option<Client>,
    elsewhere: Option<Client>,
}

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ClientError(#[from] reqwest::Error);

impl Clients {
    /// The client for an API. A proxy that the environment names is of no use
    /// to reach this machine itself.
    pub fn of(&mut self, base_url: &Url) -> Result<Client, ClientError> {
        let loopback = is_loopback(base_url);
        let known = if loopback { &mut self.loopback } else { &mut self.elsewhere };
        match known {
            Some(client) => Ok(client.clone()),
            None => Ok(known.insert(client(loopback)?).clone()),
        }
    }
}

/// Whether a URL is this machine's own.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn client(loopback: bool) -> reqwest::Result<Client> {
    let builder = Client::builder();
    let builder = if loopback { builder.no_proxy() } else { builder };
    builder
        .user_agent(concat!("customer-gateway/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .build()
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

/// Reads a body of so many bytes at most.
pub(super) async fn read_body(mut response: Response, max_body: usize) -> Result<Bytes, SendError> {
    let too_large = SendError::TooLarge(max_body);
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > max_body {
        return Err(too_large);
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|error| SendError::BodyInterrupted(root_cause(error)))? {
        if body.len() + chunk.len() > max_body {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What went wrong at the bottom of an error, without the URL: a query may
/// hold a customer's name.
pub(super) fn root_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut deepest: &dyn Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
