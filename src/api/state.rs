//! State shared by all routes.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use crate::{
    callers::Callers,
    clock::SharedClock,
    directory::Directory,
    server::Readiness,
    telemetry::{metrics::Registry, trace::Tracer},
    web::middleware::load_shed::ConcurrencyLimit,
};

/// State shared by all routes.
#[derive(Clone)]
pub struct ApiState {
    /// Connections, and lists over them.
    pub directory: Arc<Directory>,
    /// Callers that may send requests.
    pub callers: Callers,
    /// Metrics registry.
    pub registry: Registry,
    /// Span exporter.
    pub tracer: Tracer,
    /// Time from a request's head to its response's head, at most.
    pub request_timeout: Duration,
    /// Limit of requests in progress.
    pub concurrency: ConcurrencyLimit,
    /// Readiness of the process.
    pub readiness: Readiness,
    /// OpenAPI documents, built at first use.
    pub documents: &'static LazyLock<Documents>,
    /// Clock.
    pub clock: SharedClock,
}

/// The OpenAPI documents, as JSON.
#[derive(Debug)]
pub struct Documents {
    /// OpenAPI 3.1.
    pub v3_1: String,
    /// The same contract as OpenAPI 3.0.3, for generators that read no newer version.
    pub v3_0: String,
}
