//! Entry points of the fuzz targets in `fuzz/`, compiled only with
//! `--cfg fuzzing`.
//!
//! A fuzz target drives the gateway as a tower service, without sockets. The
//! [`Transport`] of each connection supplies the vendor's responses.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;

use crate::{
    api::{self, ApiState, ResponseCache},
    cache::{CacheDirectives, PageCache},
    callers::Callers,
    clock::SharedClock,
    config::Connection,
    directory::{Directory, Limits, Source, SourceMetrics},
    domain::cursor::CursorKey,
    server::Readiness,
    telemetry::{metrics::Registry, trace::Tracer},
    upstream::{BudgetRegistry, Bulkheads, Endpoint, Transport, Upstream, UpstreamMetrics},
    vendors::Account,
    web::{
        cache_control,
        middleware::{load_shed::ConcurrencyLimit, unread::UnreadMemory},
    },
};

/// Memory of the cached pages, in bytes.
const CACHE_BYTES: u64 = 1 << 20;
/// Maximum number of requests in progress. The targets send one at a time, and
/// a merged list waits for all its vendors.
const MAX_REQUESTS: u32 = 1_000;

/// Assembles a gateway without callers. Each connection sends its requests
/// through the transport beside it.
#[must_use]
pub fn gateway(
    connections: Vec<(Connection, Box<dyn Transport>)>,
    cursor_key: CursorKey,
    clock: &SharedClock,
) -> ResponseCache {
    let (registry, tracer) = (Registry::default(), Tracer::default());
    let cache = PageCache::new(CACHE_BYTES, Arc::clone(clock));
    let mut budgets = BudgetRegistry::default();
    let bulkheads = Bulkheads::default();
    bulkheads.set_max(MAX_REQUESTS);
    let unread = UnreadMemory::new(CACHE_BYTES);
    let source = |(connection, transport): (Connection, Box<dyn Transport>)| {
        let Connection { name, kind, base_url, credential, account_id, rate_limit, timeout, policies, .. } = connection;
        let budget = budgets.get_or_create(&credential, base_url.authority(), &rate_limit, None, clock);
        let vendor_tracer = tracer.vendor_tracer(&name, &base_url);
        let endpoint = Endpoint::new(transport, &base_url, credential, vendor_tracer);
        let upstream_metrics = UpstreamMetrics::new(&registry, name.as_str());
        let upstream = Upstream::new(endpoint, budget, timeout, &bulkheads, upstream_metrics, Arc::clone(clock));
        let metrics = Arc::new(SourceMetrics::new(&registry, name.as_str(), Arc::clone(clock)));
        let account = Account { connection: name, id: account_id };
        Arc::new(Source::new(kind, account, 1, upstream, cache.clone(), policies, metrics))
    };
    let sources = connections.into_iter().map(source).collect();
    let directory = Directory::new(sources, cache.clone(), cursor_key, Limits::default(), Arc::clone(clock));
    let callers = Callers::new(Vec::new(), None, clock);
    let state = ApiState {
        directory: Arc::new(directory),
        callers: callers.clone(),
        registry: registry.clone(),
        tracer: tracer.clone(),
        request_timeout: Duration::from_mins(1),
        cors_origins: Vec::new(),
        concurrency: ConcurrencyLimit::new(1),
        documents: api::documents(),
        readiness: Readiness::default(),
        unread: unread.clone(),
        clock: Arc::clone(clock),
    };
    ResponseCache::new(state, CACHE_BYTES)
}

/// Reads the `Cache-Control` of a request.
#[must_use]
pub fn cache_directives(headers: &HeaderMap) -> CacheDirectives {
    cache_control::parse(headers)
}
