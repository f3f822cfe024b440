//! HTTP clients: connection pools, bounded bodies, documents, the OTLP collector.
//!
//! Only this module and `upstream` use the HTTP client library.

mod body;
mod collector;
mod fetch;

use std::time::Duration;

pub use reqwest::Client;
use reqwest::redirect;
use url::{Host, Url};

pub use body::BodyError;
pub(crate) use body::{read_body, root_cause};
pub use collector::Collector;
pub use fetch::{FetchError, Fetcher};

/// Idle connections are closed before the vendor does it, which would race
/// with the next request (hyper#2136).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

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
