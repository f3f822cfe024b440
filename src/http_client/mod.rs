//! HTTP clients: connection pools, bounded bodies, documents, OTLP export.
//!
//! In the server, only this module and `upstream::transport` use reqwest.

mod body;
mod coding;
mod collector;
mod fetch;
mod local_error;

use std::{env, fs, path::PathBuf, time::Duration};

use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
pub use reqwest::Client;
use reqwest::redirect;
use url::{Host, Url};

use crate::files::{self, FileError};

pub use body::BodyError;
pub(crate) use body::{read_body, root_cause};
pub use collector::Collector;
pub use fetch::{FetchError, Fetcher};
pub(crate) use local_error::is_local;

/// Maximum idle time of a pooled connection. A vendor that closes an idle
/// connection first would race with the next request (hyper#2136).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Environment variables that replace the system's CA certificates.
const CA_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// HTTP clients, shared by all connections. Each client has one pool and reads
/// all CA certificates, so clients are created on first use.
#[derive(Debug, Default)]
pub struct Clients {
    loopback: Option<Client>,
    remote: Option<Client>,
}

/// Failure to create an HTTP client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The client library reports an error.
    #[error(transparent)]
    Library(#[from] reqwest::Error),
    /// The CA certificates of the environment cannot be read.
    #[error("the CA certificates in {path} cannot be read: {error}")]
    Certificates {
        /// Value of the environment variable.
        path: String,
        /// Failure.
        error: FileError,
    },
}

impl Clients {
    /// Returns the client for an API. Loopback addresses bypass the proxy of the
    /// environment. Blocks while CA certificates are read.
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

/// Creates a client. Reading the CA certificates of the environment has the time
/// limit of the operator's files.
fn client(loopback: bool) -> Result<Client, ClientError> {
    let Some(path) = CA_VARIABLES.iter().find_map(env::var_os).map(PathBuf::from) else {
        return Ok(build(loopback)?);
    };
    let file = path.clone();
    let built = files::run(&path, move || {
        let is_readable = |it: fs::Metadata| it.is_file() || it.is_dir();
        if fs::metadata(&file).is_ok_and(|it| !is_readable(it)) {
            Err(FileError::NotRegular)
        } else {
            Ok(build(loopback))
        }
    });
    Ok(built.map_err(|error| ClientError::Certificates { path: path.display().to_string(), error })??)
}

fn build(loopback: bool) -> reqwest::Result<Client> {
    let builder = Client::builder();
    let builder = if loopback { builder.no_proxy() } else { builder };
    builder
        .user_agent(concat!("customer-gateway/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED))]))
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .build()
}
