//! Putting the parts together: from a configuration to what is served, and
//! from another configuration to what is served instead.

mod reload;

use std::{net::SocketAddr, sync::Arc};

use crate::{
    api::{self, ApiState, ResponseCache},
    cache::{PageCache, Scope},
    callers::{Caller, Callers},
    clock::SharedClock,
    config::{Config, Connection},
    directory::{Directory, Source, SourceMetrics},
    domain::{connection::ConnectionName, cursor::CursorKey},
    http_client::{Client, ClientError, Clients, Collector},
    identity::Provider,
    server::{Readiness, Served},
    telemetry::{
        metrics::Registry,
        reloads::Reloads,
        trace::{ExporterError, Tracer},
    },
    upstream::{Budget, BudgetRegistry, Endpoint, HttpTransport, Upstream, UpstreamMetrics},
    vendors::Account,
    web::middleware::load_shed::ConcurrencyLimit,
};

pub use reload::{ReloadError, Reloader};

/// The largest answer that is read of a vendor, decompressed. A page of 100
/// rows with everything expanded stays below a tenth of it.
const MAX_VENDOR_BODY: usize = 8 << 20;

/// The gateway, ready to be served.
pub struct App {
    /// The connections.
    pub directory: Arc<Directory>,
    config: Config,
    response_cache: ResponseCache,
    callers: Callers,
    identity: Option<Provider>,
    concurrency: ConcurrencyLimit,
    budgets: BudgetRegistry,
    shared: SharedState,
    /// Counts configurations: what is kept of a connection is told by it from
    /// what is kept of another account that had its name before.
    generation: u32,
}

/// What outlives a configuration.
#[derive(Clone)]
struct SharedState {
    registry: Registry,
    reloads: Reloads,
    tracer: Tracer,
    cache: PageCache,
    /// The bytes that answers may take which are given out again.
    remembered: u64,
    readiness: Readiness,
    clock: SharedClock,
}

/// Why a gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The HTTP client cannot be made, mostly for want of CA certificates.
    #[error("the HTTP client cannot be made; are CA certificates installed (package ca-certificates)? {0}")]
    Client(#[from] ClientError),
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// Nobody would have to show who asks, where everybody can.
    #[error("without callers the gateway serves loopback addresses only, and it listens on {0} until it is restarted")]
    UnauthenticatedListener(SocketAddr),
    /// Spans cannot be sent as configured.
    #[error("spans cannot be sent as configured: {0}")]
    Exporter(#[from] ExporterError),
}

/// What another configuration changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Connections that there were not.
    pub added: Vec<ConnectionName>,
    /// Connections that are no more.
    pub removed: Vec<ConnectionName>,
    /// Connections that are set up otherwise.
    pub changed: Vec<ConnectionName>,
    /// Keys whose new value counts only after a restart.
    pub requires_restart: Vec<&'static str>,
}

impl App {
    /// Puts a gateway together, within the runtime that it will be served in.
    pub fn new(config: Config, clock: &SharedClock) -> Result<Self, AppError> {
        // Answers that are given out again get an eighth of the memory.
        let remembered = config.cache.max_bytes / 8;
        let registry = Registry::default();
        let tracer = match &config.telemetry {
            None => Tracer::default(),
            Some(otlp) => {
                let client = Clients::default().get_or_create(&otlp.traces_url)?;
                let collector = Collector::new(client, otlp.headers.clone());
                Tracer::exporting(otlp, Arc::new(collector), &registry, Arc::clone(clock))?
            }
        };
        let shared = SharedState {
            tracer,
            reloads: Reloads::new(&registry),
            registry,
            cache: PageCache::new(config.cache.max_bytes - remembered, Arc::clone(clock)),
            remembered,
            readiness: Readiness::default(),
            clock: Arc::clone(clock),
        };
        Self::assemble(config, shared, None)
    }

    /// Puts together what another configuration makes of this gateway. What is
    /// kept of a connection stays kept as long as it stands for the same
    /// account; a connection that did not change keeps its breaker, and a
    /// credential its budget. Nothing takes effect before this has succeeded.
    pub async fn reconfigured(&self, mut config: Config) -> Result<(Self, Changes), AppError> {
        let changes = self.changes(&config);
        self.keep_what_is_fixed(&mut config);
        let listen = config.server.listen;
        if config.callers.is_empty() && !listen.ip().is_loopback() {
            return Err(AppError::UnauthenticatedListener(listen));
        }
        let app = Self::assemble(config, self.shared.clone(), Some(self))?;
        let is_gone = |old: &&Connection| !app.config.connections.iter().any(|new| new.is_same_account(old));
        let gone = self.config.connections.iter().filter(is_gone).map(|connection| connection.name.clone());
        let gone: Vec<_> = gone.collect();
        // A purge keeps flights from being stored, also those of what stays.
        if !gone.is_empty() {
            self.shared.cache.purge(&Scope::Connections(gone)).await;
        }
        Ok((app, changes))
    }

    /// What is to be served of it.
    #[must_use]
    pub fn served(&self) -> Served<ResponseCache> {
        let server = &self.config.server;
        Served { service: self.response_cache.clone(), tls: server.tls.clone(), limits: server.limits.clone() }
    }

    /// Whether it takes requests. Clones share it, also those of what other
    /// configurations make of this gateway.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.shared.readiness.clone()
    }

    /// Whose tokens show who asks, where that is configured.
    #[must_use]
    pub fn identity(&self) -> Option<&Provider> {
        self.identity.as_ref()
    }

    /// Where spans go.
    #[must_use]
    pub fn tracer(&self) -> &Tracer {
        &self.shared.tracer
    }

    /// What is counted of loading its files anew.
    #[must_use]
    pub fn reloads(&self) -> &Reloads {
        &self.shared.reloads
    }

    /// What it was made of.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn assemble(config: Config, shared: SharedState, before: Option<&Self>) -> Result<Self, AppError> {
        let SharedState { registry, tracer, cache, clock, .. } = &shared;
        let generation = before.map_or(0, |before| before.generation + 1);
        let mut clients = Clients::default();
        let mut budgets = before.map(|before| before.budgets.reconfigured()).unwrap_or_default();
        let mut sources = Vec::with_capacity(config.connections.len());
        for connection in &config.connections {
            let host = connection.base_url.authority().to_owned();
            let budget = budgets.get_or_create(&connection.credential, &host, connection.rate_limit, clock);
            let known = before.and_then(|before| before.known(connection));
            if let Some((_, source)) = known.filter(|(old, it)| *old == connection && it.upstream().draws_on(&budget)) {
                sources.push(Arc::clone(source));
                continue;
            }
            let client = clients.get_or_create(&connection.base_url)?;
            let source = shared.source(connection, client, budget, generation, known.map(|(_, source)| source));
            sources.push(Arc::new(source));
        }
        let max_calls = config.paging.max_vendor_calls;
        let cursor_key = match (&config.paging.cursor_key, before) {
            (Some(key), _) => key.clone(),
            (None, Some(before)) => before.directory.cursor_key().clone(),
            (None, None) => random_key()?,
        };
        let directory = match before {
            None => Directory::new(sources, cache.clone(), cursor_key, max_calls, Arc::clone(clock)),
            Some(before) => before.directory.reconfigured(sources, cursor_key, max_calls),
        };
        let directory = Arc::new(directory);
        let previous = before.and_then(|before| before.identity.as_ref());
        let identity = config.identity.clone();
        let identity =
            identity.map(|settings| Provider::of(settings, previous, &mut clients, registry, clock)).transpose()?;
        let callers = match before {
            None => Callers::new(config.callers.clone(), identity.clone(), clock),
            Some(before) => before.callers.reconfigured(config.callers.clone(), identity.clone()),
        };
        let max_requests = config.server.max_requests;
        let concurrency = before.map_or_else(
            || ConcurrencyLimit::new(max_requests),
            |before| before.concurrency.reconfigured(max_requests),
        );
        let router = api::router(ApiState {
            directory: Arc::clone(&directory),
            registry: registry.clone(),
            tracer: tracer.clone(),
            callers: callers.clone(),
            request_timeout: config.server.request_timeout,
            concurrency: concurrency.clone(),
            documents: api::documents(),
            readiness: shared.readiness.clone(),
            clock: Arc::clone(clock),
        });
        let remembered = shared.remembered;
        let response_cache = ResponseCache::new(
            router,
            callers.clone(),
            remembered,
            registry.clone(),
            tracer.clone(),
            Arc::clone(clock),
        );
        // From here on nothing fails any more.
        budgets.share_among(&config.callers.iter().filter_map(Caller::caller_share).collect::<Vec<_>>());
        Ok(Self { directory, config, response_cache, callers, identity, concurrency, budgets, shared, generation })
    }

    /// The connection that stood for the same account before, as it was
    /// configured and as it is asked.
    fn known(&self, connection: &Connection) -> Option<(&Connection, &Arc<Source>)> {
        let old = self.config.connections.iter().find(|old| old.is_same_account(connection))?;
        Some((old, self.directory.source(&old.name).ok()?))
    }

    /// What wants a restart stays as it is until then.
    fn keep_what_is_fixed(&self, config: &mut Config) {
        config.server.listen = self.config.server.listen;
        config.server.limits.max_connections = self.config.server.limits.max_connections;
        config.telemetry.clone_from(&self.config.telemetry);
        config.cache.max_bytes = self.config.cache.max_bytes;
    }

    fn changes(&self, config: &Config) -> Changes {
        let mut changes = Changes::default();
        for new in &config.connections {
            match self.config.connections.iter().find(|old| old.name == new.name) {
                None => changes.added.push(new.name.clone()),
                Some(old) if old != new => changes.changed.push(new.name.clone()),
                Some(_) => {}
            }
        }
        let is_gone = |old: &&Connection| !config.connections.iter().any(|new| new.name == old.name);
        changes.removed = self.config.connections.iter().filter(is_gone).map(|old| old.name.clone()).collect();
        let (old, new) = (&self.config.server, &config.server);
        let fixed = [
            ("server.listen", old.listen != new.listen),
            ("server.max_connections", old.limits.max_connections != new.limits.max_connections),
            ("telemetry", self.config.telemetry != config.telemetry),
            ("cache.max_bytes", self.config.cache.max_bytes != config.cache.max_bytes),
        ];
        changes.requires_restart =
            fixed.into_iter().filter(|(_, is_changed)| *is_changed).map(|(key, _)| key).collect();
        changes
    }
}

impl SharedState {
    /// A connection, with what is kept and counted of it where it is known.
    fn source(
        &self,
        connection: &Connection,
        client: Client,
        budget: Budget,
        generation: u32,
        known: Option<&Arc<Source>>,
    ) -> Source {
        let (name, clock) = (connection.name.as_str(), &self.clock);
        let tracer = self.tracer.of_vendor(&connection.name, &connection.base_url);
        let credential = connection.credential.clone();
        let transport = Box::new(HttpTransport::new(client, &connection.base_url, MAX_VENDOR_BODY));
        let endpoint = Endpoint::new(transport, &connection.base_url, credential, tracer);
        let metrics = UpstreamMetrics::new(&self.registry, name);
        let upstream = Upstream::new(endpoint, budget, connection.timeout, metrics, Arc::clone(clock));
        let account = Account { connection: connection.name.clone(), id: connection.account_id.clone() };
        let generation = known.map_or(generation, |source| source.generation());
        let metrics = known.map_or_else(
            || Arc::new(SourceMetrics::new(&self.registry, name, Arc::clone(clock))),
            |source| source.metrics(),
        );
        let (kind, cache, policies) = (connection.kind, self.cache.clone(), connection.policies);
        Source::new(kind, account, generation, upstream, cache, policies, metrics)
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// A key that ends with the process.
fn random_key() -> Result<CursorKey, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(CursorKey::derive(&secret))
}
