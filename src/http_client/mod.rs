//! HTTP clients: connection pools, bounded bodies, documents, OTLP export.
//!
//! The server's HTTP client uses hyper-util. The commands `healthcheck` and `export` use
//! reqwest.

mod body;
mod client;
mod coding;
mod collector;
mod connector;
mod fetch;
mod local_error;
mod memory;
mod tls;

use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;
use url::{Host, Url};

pub use body::BodyError;
pub(crate) use body::{read_body, root_cause};
pub use client::{Client, ClientFactory};
pub use collector::{Collector, TIMEOUT as COLLECTOR_TIMEOUT};
pub use fetch::{FetchError, Fetcher};
pub(crate) use local_error::is_local;
pub use memory::BodyMemory;
pub use tls::ClientError;

/// Factories of HTTP clients, which share the CA certificates. The certificates
/// are read on first use.
#[derive(Debug, Default)]
pub struct Clients {
    tls: Option<ClientConfig>,
}

impl Clients {
    /// Returns the factory of clients for an API whose calls take at most `timeout`.
    /// Loopback addresses bypass the proxy of the environment. Blocks while CA
    /// certificates are read.
    pub fn factory(&mut self, base_url: &Url, timeout: Duration) -> Result<ClientFactory, ClientError> {
        let tls = match &self.tls {
            Some(tls) => tls.clone(),
            None => self.tls.insert(tls::config()?).clone(),
        };
        Ok(ClientFactory::new(tls, is_loopback(base_url), timeout))
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
