//! `[server]`: listener, TLS and limits.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use http::HeaderValue;
use url::{Origin, Url};

use crate::server::{Limits, Tls, TlsError};

use super::{
    ConfigError,
    error::Fault,
    file::{self, PositiveDuration},
    reader::Reader,
};

/// Minimum bound of bytes in memory.
const MIN_BYTES: u64 = 32 << 20;

/// Settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Listening address.
    pub listen: SocketAddr,
    /// TLS certificate; plain HTTP if absent.
    pub tls: Option<Tls>,
    /// Maximum time from a request to the head of its response.
    pub request_timeout: Duration,
    /// Maximum number of requests in progress.
    pub max_requests: u32,
    /// Maximum bytes of vendor responses in flight.
    pub max_vendor_bytes: u64,
    /// Maximum bytes of responses that clients have not read.
    pub max_unread_bytes: u64,
    /// Origins whose pages may read responses. No page of another origin if empty.
    pub cors_origins: Vec<HeaderValue>,
    /// Limits of connections.
    pub limits: Limits,
    /// Interval for checking all configuration files; unwatched if absent.
    pub watch: Option<Duration>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            tls: None,
            request_timeout: Duration::from_secs(30),
            max_requests: 2048,
            max_vendor_bytes: 64 << 20,
            max_unread_bytes: 64 << 20,
            cors_origins: Vec::new(),
            limits: Limits::default(),
            watch: None,
        }
    }
}

impl Reader<'_> {
    pub(super) fn server(&self, section: file::Server, has_callers: bool) -> Option<Server> {
        let or = |configured: Option<PositiveDuration>, default| configured.map_or(default, |it| it.0);
        let (server, limits) = (Server::default(), Limits::default());
        let listen = section.listen.map_or(server.listen, |it| it.0);
        if !has_callers && !listen.ip().is_loopback() {
            let fault = Fault::new("without callers, only a loopback address is allowed")
                .fix("add a [[callers]] section (`customer-gateway key` generates a key), or listen on 127.0.0.1");
            self.keep::<()>(Err(self.error("server.listen", fault)));
        }
        let tls = section.tls.map(|tls| self.keep(self.tls(&tls)));
        let bytes = |key, configured, default| self.keep(self.bytes(key, configured, default));
        let max_vendor_bytes = bytes("max_vendor_bytes", section.max_vendor_bytes, server.max_vendor_bytes);
        let max_unread_bytes = bytes("max_unread_bytes", section.max_unread_bytes, server.max_unread_bytes);
        let cors_origins = self.cors_origins(section.cors);
        Some(Server {
            listen,
            tls: tls.map_or(Some(None), |tls| tls.map(Some))?,
            request_timeout: or(section.request_timeout, server.request_timeout),
            max_requests: section.max_requests.map_or(server.max_requests, NonZeroU32::get),
            max_vendor_bytes: max_vendor_bytes?,
            max_unread_bytes: max_unread_bytes?,
            cors_origins,
            limits: Limits {
                header_timeout: or(section.header_timeout, limits.header_timeout),
                idle_timeout: or(section.idle_timeout, limits.idle_timeout),
                max_connections: section.max_connections.map_or(limits.max_connections, NonZeroU32::get),
                shutdown_delay: or(section.shutdown_delay, limits.shutdown_delay),
                drain_timeout: or(section.drain_timeout, limits.drain_timeout),
            },
            watch: section.watch.map(|it| it.0),
        })
    }

    /// Returns a bound of bytes in memory. A smaller bound would reject the largest
    /// vendor responses, of which one connection may hold half of the bound.
    fn bytes(&self, key: &str, configured: Option<file::Size>, default: u64) -> Result<u64, ConfigError> {
        match configured.map_or(default, |size| size.0.as_u64()) {
            bytes if bytes >= MIN_BYTES => Ok(bytes),
            _ => {
                let fault = Fault::new("the size is below 32 MiB, and large responses would be rejected");
                Err(self.error(&format!("server.{key}"), fault.fix("write at least \"32MiB\"")))
            }
        }
    }

    /// Returns the allowed origins, each as browsers send it in `Origin`.
    fn cors_origins(&self, section: Option<file::Cors>) -> Vec<HeaderValue> {
        let Some(file::Cors { origins }) = section else { return Vec::new() };
        if origins.is_empty() {
            let fault =
                Fault::new("the list of origins is empty").fix("write at least one origin, or remove the section");
            self.keep::<()>(Err(self.error("server.cors.origins", fault)));
        }
        let parse = |(index, text): (usize, &String)| {
            serialized_origin(text).ok_or_else(|| {
                let fault = Fault::new(format!("`{text}` is not an origin"))
                    .fix("write the scheme, the host and a port that is not the default, such as \"https://app.example.com\"");
                self.error(&format!("server.cors.origins.{index}"), fault)
            })
        };
        origins.iter().enumerate().filter_map(|origin| self.keep(parse(origin))).collect()
    }

    fn tls(&self, section: &file::Tls) -> Result<Tls, ConfigError> {
        let [certificate, key] = [&section.certificate, &section.key].map(|path| self.read_file(path));
        Tls::new(certificate, key).map_err(|error| {
            let (key, remedy) = match error {
                TlsError::Certificate { .. } => (
                    "certificate",
                    "write the path of a PEM file that contains the certificate, followed by its intermediate certificates",
                ),
                TlsError::Key { .. } => ("key", "write the path of a PEM file that contains the certificate's private key"),
                TlsError::Pair(_) => ("certificate", "write the paths of a certificate and its own private key"),
            };
            self.error(&format!("server.tls.{key}"), Fault::new(error.to_string()).fix(remedy))
        })
    }
}

/// Returns an origin if it is written as browsers send it (RFC 6454, section 6.2).
fn serialized_origin(text: &str) -> Option<HeaderValue> {
    let origin = Url::parse(text).ok()?.origin();
    let is_web = matches!(&origin, Origin::Tuple(scheme, ..) if matches!(scheme.as_str(), "http" | "https"));
    (is_web && origin.ascii_serialization() == text).then(|| HeaderValue::from_str(text).ok()).flatten()
}
