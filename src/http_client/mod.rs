//! HTTP clients: connection pools, bounded bodies, documents, OTLP export.
//!
//! In the server, only this module and `upstream::transport` use reqwest.

mod body;
mod coding;
mod collector;
mod fetch;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
pub use reqwest::Client;
use reqwest::redirect;
use url::{Host, Url};

pub use body::BodyError;
pub(crate) use body::{read_body, root_cause};
pub use collector::Collector;
pub use fetch::{FetchError, Fetcher};

/// Maximum idle time of a pooled connection. A vendor that closes an idle
/// connection first would race with the next request (hyper#2136).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// HTTP clients, shared by all connections. Each client has one pool and reads
/// all CA certificates, so clients are created on first use.
#[derive(Debug, Default)]
pub struct Clients {
    loopback: Option<Client>,
    remote: Option<Client>,
}

/// Failure to create an HTTP client.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ClientError(#[from] reqwest::Error);

impl Clients {
    /// Returns the client for an API. Loopback addresses bypass the proxy of the
    /// environment.
    pub fn get_or_create(&mut self, base_url: &Url) -> Result<Client, ClientError> {
        let loopback = is_loopback(base_url);
        let slot = if loopback { &mut self.loopback } else { &mut self.remote };
        match slot {
            Some(client) => Ok(client.clone()),
            None => Ok(slot.insert(client(loopback)?).clone()),
        }
    }
}

/// Returns whether a URL addresses this machine.
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
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED))]))
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .build()
}
