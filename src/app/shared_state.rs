//! State shared across reloads.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    cache::PageCache,
    clock::SharedClock,
    config::Config,
    http_client::{BodyMemory, COLLECTOR_TIMEOUT, Clients, Collector},
    server::Readiness,
    shared::Shared,
    telemetry::{metrics::Registry, reloads::Reloads, trace::Tracer},
    upstream::Bulkheads,
    web::middleware::unread::UnreadMemory,
};

use super::AppError;

/// Divisor of the cache memory that is reserved for complete responses.
const RESPONSE_CACHE_DIVISOR: u64 = 8;

/// State shared across reloads. Clones share it.
#[derive(Clone)]
pub(super) struct SharedState {
    pub(super) registry: Registry,
    pub(super) reloads: Reloads,
    pub(super) tracer: Tracer,
    /// State shared with other replicas, if configured.
    pub(super) replicated: Option<Shared>,
    pub(super) cache: PageCache,
    /// Task that applies the purges of other replicas.
    _purges: Option<Arc<AbortOnDropHandle<()>>>,
    pub(super) bulkheads: Bulkheads,
    /// Bound of the vendor responses in flight.
    pub(super) vendor_memory: BodyMemory,
    /// Bound of the responses that clients have not read.
    pub(super) unread: UnreadMemory,
    /// Maximum memory of cached responses, in bytes.
    pub(super) response_cache_bytes: u64,
    pub(super) readiness: Readiness,
    pub(super) clock: SharedClock,
    /// Runtime that serves. Reloads run on another one.
    pub(super) runtime: Handle,
}

impl SharedState {
    pub(super) fn new(config: &Config, clock: &SharedClock) -> Result<Self, AppError> {
        let registry = Registry::default();
        let tracer = match &config.telemetry {
            None => Tracer::default(),
            Some(otlp) => {
                let client = Clients::default().factory(&otlp.traces_url, COLLECTOR_TIMEOUT)?.create();
                let collector = Collector::new(client, otlp.headers.clone());
                Tracer::exporting(otlp, Arc::new(collector), &registry, Arc::clone(clock))?
            }
        };
        let replicated = config.shared.clone().map(|settings| Shared::open(settings, &registry)).transpose()?;
        let response_cache_bytes = config.cache.max_bytes / RESPONSE_CACHE_DIVISOR;
        let cache = PageCache::new(config.cache.max_bytes - response_cache_bytes, Arc::clone(clock));
        let (cache, purges) = match &replicated {
            None => (cache, None),
            Some(replicated) => {
                let cache = cache.with_purges(replicated.purges());
                let applying = tokio::spawn(cache.clone().apply_purges(replicated.purge_feed()));
                (cache, Some(Arc::new(AbortOnDropHandle::new(applying))))
            }
        };
        Ok(Self {
            tracer,
            reloads: Reloads::new(&registry),
            registry,
            replicated,
            cache,
            _purges: purges,
            bulkheads: Bulkheads::default(),
            vendor_memory: BodyMemory::new(usize::try_from(config.server.max_vendor_bytes).unwrap_or(usize::MAX)),
            unread: UnreadMemory::new(config.server.max_unread_bytes),
            response_cache_bytes,
            readiness: Readiness::default(),
            clock: Arc::clone(clock),
            runtime: Handle::current(),
        })
    }
}
