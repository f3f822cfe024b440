//! Assembly of the components that depend on the configuration.

use std::sync::Arc;

use crate::{
    api::{self, ApiState, ResponseCache},
    callers::{Caller, Callers},
    config::{Config, Connection},
    copies::Copies,
    directory::{Directory, Limits, Source, SourceMetrics},
    domain::cursor::CursorKey,
    http_client::{ClientError, ClientFactory, Clients},
    identity::Provider,
    shared::{Fingerprint, Shared, SharedKey},
    sync::{Storage, SyncJobs},
    upstream::{Budget, BudgetRegistry, Endpoint, HttpTransport, Upstream, UpstreamMetrics},
    vendors::Account,
    web::middleware::load_shed::ConcurrencyLimit,
};

use super::{AppError, SharedState};

/// Maximum size of a vendor response, decompressed. A page of 100 fully expanded
/// rows is smaller than a tenth of this size.
const MAX_VENDOR_BODY: usize = 8 << 20;

/// Components of one configuration. The components of the next configuration
/// take over state from them.
pub(super) struct Components {
    connections: Vec<Connection>,
    pub(super) directory: Arc<Directory>,
    identity: Option<Provider>,
    callers: Callers,
    concurrency: ConcurrencyLimit,
    budgets: BudgetRegistry,
    /// Jobs of the sources with stored lists.
    jobs: Vec<(Arc<Source>, Arc<SyncJobs>)>,
    /// Number of the configuration. Cached pages of an account carry the number of
    /// the account's first configuration, so a later account with the same name
    /// has other cache keys.
    generation: u32,
}

impl Components {
    /// Creates components without connections and callers, with a random cursor key.
    pub(super) fn empty(shared: &SharedState) -> Result<Self, AppError> {
        let (cache, clock) = (shared.cache.clone(), Arc::clone(&shared.clock));
        let directory = Directory::new(Vec::new(), cache, random_cursor_key()?, Limits::default(), clock);
        let values = shared.replicated.as_ref().and_then(Shared::values);
        let quotas = shared.replicated.as_ref().and_then(Shared::quotas);
        Ok(Self {
            connections: Vec::new(),
            directory: Arc::new(directory.sharing(values)),
            identity: None,
            callers: Callers::new(Vec::new(), None, &shared.clock).sharing(quotas),
            concurrency: ConcurrencyLimit::new(0),
            budgets: BudgetRegistry::default(),
            jobs: Vec::new(),
            generation: 0,
        })
    }

    /// Creates the components of another configuration. An error leaves these
    /// components unchanged.
    pub(super) fn reconfigured(&self, config: &Config, shared: &SharedState) -> Result<Self, AppError> {
        let generation = self.generation + 1;
        let mut clients = Clients::default();
        let mut budgets = self.budgets.reconfigured();
        let sources = self.sources(config, shared, generation, &mut clients, &mut budgets)?;
        let synced = sources.clone();
        let cursor_key = config.paging.cursor_key.as_ref().unwrap_or(self.directory.cursor_key()).clone();
        let directory = self.directory.reconfigured(sources, cursor_key, config.paging.limits());
        let identity = self.provider(config, shared, &mut clients)?;
        let callers = self.callers.reconfigured(config.callers.clone(), identity.clone());
        let concurrency = self.concurrency.reconfigured(config.server.max_requests);
        shared.bulkheads.set_max(config.server.max_requests);
        // Changes budgets that are in use, and therefore comes after all that may fail.
        budgets.apply(&config.callers.iter().map(Caller::caller_share).collect::<Vec<_>>());
        let jobs = synced.iter().zip(&config.connections);
        let jobs = jobs.filter_map(|(source, connection)| self.jobs(source, connection, config, shared)).collect();
        Ok(Self {
            connections: config.connections.clone(),
            directory: Arc::new(directory),
            identity,
            callers,
            concurrency,
            budgets,
            jobs,
            generation,
        })
    }

    /// Returns the jobs of a source. An unchanged source keeps its jobs.
    fn jobs(
        &self,
        source: &Arc<Source>,
        connection: &Connection,
        config: &Config,
        shared: &SharedState,
    ) -> Option<(Arc<Source>, Arc<SyncJobs>)> {
        shared.cache.set_lists(connection.name.clone(), source.copies().cloned());
        if let Some((_, jobs)) = self.jobs.iter().find(|(old, _)| Arc::ptr_eq(old, source)) {
            return Some((Arc::clone(source), Arc::clone(jobs)));
        }
        let interval = connection.rate_limit.interval(connection.sync.as_ref()?.budget);
        let jobs =
            SyncJobs::start(source, interval, &storage(connection, config, shared), &shared.clock, &shared.runtime)?;
        Some((Arc::clone(source), Arc::new(jobs)))
    }

    /// Creates the service in front of the components.
    pub(super) fn response_cache(&self, config: &Config, shared: &SharedState) -> ResponseCache {
        let state = ApiState {
            directory: Arc::clone(&self.directory),
            callers: self.callers.clone(),
            registry: shared.registry.clone(),
            tracer: shared.tracer.clone(),
            request_timeout: config.server.request_timeout,
            cors_origins: config.server.cors_origins.clone(),
            concurrency: self.concurrency.clone(),
            unread: shared.unread.clone(),
            documents: api::documents(),
            readiness: shared.readiness.clone(),
            clock: Arc::clone(&shared.clock),
        };
        ResponseCache::new(state, shared.response_cache_bytes)
    }

    /// Returns the sources of a configuration. An unchanged connection keeps its source.
    fn sources(
        &self,
        config: &Config,
        shared: &SharedState,
        generation: u32,
        clients: &mut Clients,
        budgets: &mut BudgetRegistry,
    ) -> Result<Vec<Arc<Source>>, ClientError> {
        let source = |connection: &Connection| {
            let host = connection.base_url.authority();
            let replicated = shared.replicated.as_ref();
            let budget =
                budgets.get_or_create(&connection.credential, host, &connection.rate_limit, replicated, &shared.clock);
            let previous = self.same_account(connection);
            if let Some((old, source)) = previous
                && old == connection
                && source.upstream().draws_on(&budget)
            {
                return Ok(Arc::clone(source));
            }
            let (generation, metrics) = match previous {
                Some((_, source)) => (source.generation(), source.metrics()),
                None => (generation, source_metrics(connection, shared)),
            };
            let copies = copies(connection, previous, shared);
            let clients = clients.factory(&connection.base_url, connection.timeout)?;
            let source = new_source(connection, clients, budget, generation, metrics, shared);
            Ok(Arc::new(source.with_copies(copies)))
        };
        config.connections.iter().map(source).collect()
    }

    /// Returns the connection to the same account, and its source.
    fn same_account(&self, connection: &Connection) -> Option<(&Connection, &Arc<Source>)> {
        let old = self.connections.iter().find(|old| old.is_same_account(connection))?;
        Some((old, self.directory.source(&old.name).ok()?))
    }

    /// Returns the configured identity provider. Unchanged settings keep the provider.
    fn provider(
        &self,
        config: &Config,
        shared: &SharedState,
        clients: &mut Clients,
    ) -> Result<Option<Provider>, ClientError> {
        let Some(settings) = config.identity.clone() else { return Ok(None) };
        let previous = self.identity.as_ref();
        Provider::reuse_or_start(previous, settings, clients, &shared.registry, &shared.clock).map(Some)
    }
}

fn new_source(
    connection: &Connection,
    clients: ClientFactory,
    budget: Budget,
    generation: u32,
    metrics: Arc<SourceMetrics>,
    shared: &SharedState,
) -> Source {
    let tracer = shared.tracer.vendor_tracer(&connection.name, &connection.base_url);
    let credential = connection.credential.clone();
    let lease = shared.replicated.as_ref().and_then(|replicated| {
        let parts = ["probe", connection.base_url.authority(), connection.account_id.as_str()];
        replicated.probe(&credential.fingerprint(&replicated.settings().key, &parts))
    });
    let transport =
        Box::new(HttpTransport::new(clients, &connection.base_url, MAX_VENDOR_BODY, shared.vendor_memory.share()));
    let endpoint = Endpoint::new(transport, &connection.base_url, credential, tracer);
    let upstream_metrics = UpstreamMetrics::new(&shared.registry, connection.name.as_str());
    let clock = Arc::clone(&shared.clock);
    let upstream = Upstream::new(endpoint, budget, connection.timeout, &shared.bulkheads, upstream_metrics, clock)
        .with_probe_lease(lease);
    let account = Account { connection: connection.name.clone(), id: connection.account_id.clone() };
    let (cache, policies) = (shared.cache.clone(), connection.policies);
    let source = Source::new(connection.kind, account, generation, upstream, cache, policies, metrics);
    let Some(replicated) = &shared.replicated else { return source };
    let account = shared_account(connection, &replicated.settings().key);
    shared.cache.set_account(account, connection.name.clone());
    source.with_shared_state(account, replicated.pages(account))
}

/// Returns the stored lists of a connection. The same account with the same settings
/// keeps them.
fn copies(
    connection: &Connection,
    previous: Option<(&Connection, &Arc<Source>)>,
    shared: &SharedState,
) -> Option<Arc<Copies>> {
    let settings = connection.sync.as_ref()?;
    let kept = previous.filter(|(old, _)| old.sync.as_ref() == Some(settings)).and_then(|(_, source)| source.copies());
    let new = || Arc::new(Copies::with_metrics(settings.clone(), &shared.registry, connection.name.as_str()));
    Some(kept.map_or_else(new, Arc::clone))
}

/// Returns the place that keeps the stored lists of a connection.
fn storage(connection: &Connection, config: &Config, shared: &SharedState) -> Storage {
    if let Some(replicated) = &shared.replicated {
        let account = shared_account(connection, &replicated.settings().key);
        return Storage::Replicas { shared: replicated.clone(), account };
    }
    match &config.paging.storage_key {
        Some(key) => Storage::Snapshot { key: key.clone(), account: shared_account(connection, key) },
        None => Storage::None,
    }
}

/// Returns the name of a connection's account outside the process. The name of the
/// connection is part of every row, so it belongs to the account.
fn shared_account(connection: &Connection, key: &SharedKey) -> Fingerprint {
    let Connection { name, kind, base_url, account_id, .. } = connection;
    connection.credential.fingerprint(key, &[name.as_str(), kind.name, base_url.as_str(), account_id])
}

fn source_metrics(connection: &Connection, shared: &SharedState) -> Arc<SourceMetrics> {
    Arc::new(SourceMetrics::new(&shared.registry, connection.name.as_str(), Arc::clone(&shared.clock)))
}

/// Generates a cursor key. Cursors become invalid when the process exits.
fn random_cursor_key() -> Result<CursorKey, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(CursorKey::derive(&secret))
}
