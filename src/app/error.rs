//! Failures of the assembly.

use std::net::SocketAddr;

use crate::{http_client::ClientError, shared::SharedError, telemetry::trace::ExporterError};

/// Reason why a gateway cannot be assembled.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The HTTP client cannot be created, usually because CA certificates are missing.
    #[error("the HTTP client cannot be created: {0}; install CA certificates (package ca-certificates)")]
    Client(#[from] ClientError),
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// A reload removes all callers, but the listener stays on a public address.
    #[error(
        "without callers, only a loopback address is allowed, but the gateway listens on {0} until a restart; add a [[callers]] section"
    )]
    UnauthenticatedListener(SocketAddr),
    /// The shared state cannot be used.
    #[error(transparent)]
    Shared(#[from] SharedError),
    /// The span exporter cannot be created.
    #[error("the span exporter cannot be created: {0}")]
    Exporter(#[from] ExporterError),
}
