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

use super::openapi::Documents;

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
