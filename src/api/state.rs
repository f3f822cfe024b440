//! State shared by all routes.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use http::HeaderValue;

use crate::{
    callers::Callers,
    clock::SharedClock,
    directory::Directory,
    server::Readiness,
    telemetry::{metrics::Registry, trace::Tracer},
    web::middleware::{load_shed::ConcurrencyLimit, unread::UnreadMemory},
};

/// State shared by all routes.
#[derive(Clone)]
pub(crate) struct ApiState {
    /// Configured connections and their lists.
    pub(crate) directory: Arc<Directory>,
    /// Configured callers.
    pub(crate) callers: Callers,
    /// Metrics registry.
    pub(crate) registry: Registry,
    /// Span exporter.
    pub(crate) tracer: Tracer,
    /// Maximum time from the request head to the response head.
    pub(crate) request_timeout: Duration,
    /// Origins whose pages may read responses.
    pub(crate) cors_origins: Vec<HeaderValue>,
    /// Limit of requests in progress.
    pub(crate) concurrency: ConcurrencyLimit,
    /// Bound of the responses that clients have not read.
    pub(crate) unread: UnreadMemory,
    /// Readiness of the process.
    pub(crate) readiness: Readiness,
    /// OpenAPI documents, built on first use.
    pub(crate) documents: &'static LazyLock<Documents>,
    /// Clock.
    pub(crate) clock: SharedClock,
}

/// OpenAPI documents in JSON.
#[derive(Debug)]
pub struct Documents {
    /// OpenAPI 3.1.
    pub v3_1: String,
    /// The same API in OpenAPI 3.0.3, for generators that do not support 3.1.
    pub v3_0: String,
}
