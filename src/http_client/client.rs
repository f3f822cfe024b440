//! HTTP clients: settings and connection pools.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::Reason;
use http::{
    HeaderName, HeaderValue, Request, Response, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, PROXY_AUTHORIZATION, USER_AGENT},
    uri::Scheme,
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::{legacy, proxy::matcher::Matcher},
    rt::{TokioExecutor, TokioTimer},
};
use tokio_rustls::rustls::ClientConfig;

use super::{
    coding,
    connector::{self, Connector, Resolver},
};

/// Maximum idle time of a pooled connection. A vendor that closes an idle
/// connection first would race with the next request (hyper#2136).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time to connect, over all addresses of a host. The addresses of one IP
/// version share this time equally, and the other IP version is tried in parallel
/// after 300 ms (RFC 8305).
const MAX_CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Fraction of a call's time limit after which connecting ends, so the call can be
/// retried or answered.
const CONNECT_FRACTION: f32 = 0.75;
/// Silence of an HTTP/2 connection after which a ping is sent (RFC 9113, section
/// 6.7), also without requests in flight.
const PING_INTERVAL: Duration = Duration::from_secs(3);
/// Time to answer a ping. An HTTP/2 connection without an answer is closed, and its
/// requests fail as interrupted.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum number of times that a refused request is sent again.
const MAX_RESENDS: usize = 2;
/// Value of `User-Agent` (RFC 9110, section 10.1.5).
pub(super) const PRODUCT: HeaderValue =
    HeaderValue::from_static(concat!("customer-gateway/", env!("CARGO_PKG_VERSION")));
/// Headers that are added to requests without them.
const DEFAULT_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (ACCEPT, HeaderValue::from_static("*/*")),
    (USER_AGENT, PRODUCT),
    (ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED)),
];

/// Factory of HTTP clients with equal settings. Each client has a connection pool
/// of its own.
#[derive(Debug, Clone)]
pub struct ClientFactory {
    tls: ClientConfig,
    /// Proxies of the environment. `None` for loopback addresses.
    proxies: Option<Arc<Matcher>>,
    connect_timeout: Duration,
}

/// HTTP client with its connection pool. It follows no redirect and decodes no body.
///
/// Uses hyper-util's client. reqwest, which is built on it, parses the URL of each request
/// three times and prepares for redirects (docs/PERFORMANCE.md).
#[derive(Debug, Clone)]
pub struct Client {
    pool: legacy::Client<Connector, Full<Bytes>>,
    proxies: Option<Arc<Matcher>>,
}

impl ClientFactory {
    /// Returns a factory of clients whose calls take at most `timeout`.
    pub(super) fn new(tls: ClientConfig, is_loopback: bool, timeout: Duration) -> Self {
        let connect_timeout = timeout.mul_f32(CONNECT_FRACTION).min(MAX_CONNECT_TIMEOUT);
        let proxies = (!is_loopback).then(|| Arc::new(Matcher::from_env()));
        Self { tls, proxies, connect_timeout }
    }

    /// Creates a client without connections.
    #[must_use]
    pub fn create(&self) -> Client {
        self.create_with(connector::system_resolver())
    }

    fn create_with(&self, resolver: Resolver) -> Client {
        let connector = Connector::new(resolver, self.tls.clone(), self.proxies.clone(), self.connect_timeout);
        let pool = pool_settings().build(connector);
        Client { pool, proxies: self.proxies.clone() }
    }
}

impl Client {
    /// Sends a request, and returns the response with an unread body. A request that a
    /// server refuses without processing it is sent again.
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, legacy::Error> {
        if let Some(authorization) = self.proxy_authorization(request.uri()) {
            request.headers_mut().entry(PROXY_AUTHORIZATION).or_insert(authorization);
        }
        for (name, value) in DEFAULT_HEADERS {
            request.headers_mut().entry(name).or_insert(value);
        }
        for _ in 0..MAX_RESENDS {
            match self.pool.request(request.clone()).await {
                Err(error) if is_refused(&error) => {}
                sent => return sent,
            }
        }
        self.pool.request(request).await
    }

    /// Returns the credential of the proxy that forwards a request without TLS. A tunnel
    /// sends the credential in its `CONNECT` request.
    fn proxy_authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        let proxies = self.proxies.as_ref().filter(|_| uri.scheme() == Some(&Scheme::HTTP))?;
        proxies.intercept(uri)?.basic_auth().cloned()
    }
}

fn pool_settings() -> legacy::Builder {
    let mut settings = legacy::Client::builder(TokioExecutor::new());
    settings
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true);
    settings
}

/// Returns true if a server has refused a request without processing it, for example because
/// it closes the connection (RFC 9113, section 8.7).
fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let is_shutdown = error.is_go_away() && error.reason() == Some(Reason::NO_ERROR);
            let is_reset = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
            return error.is_remote() && (is_shutdown || is_reset);
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
