//! Putting the parts together: from a configuration to routes.

use std::sync::Arc;

use crate::{
    api::{self, ApiState, Callers, Front},
    cache::PageCache,
    clock::SharedClock,
    config::{Config, Connection},
    directory::{Directory, Source, SourceMetrics},
    domain::cursor::CursorKey,
    identity::Provider,
    telemetry::metrics::Registry,
    upstream::{Budgets, ClientError, Clients, Limits, Upstream},
    vendors::Account,
};

/// The largest answer that is read of a vendor, decompressed. A page of 100
/// rows with everything expanded stays below a tenth of it.
const MAX_VENDOR_BODY: usize = 8 << 20;

/// The gateway, ready to be served.
#[derive(Debug)]
pub struct App {
    /// The connections.
    pub directory: Arc<Directory>,
    /// All routes, and what stands in front of them.
    pub front: Front,
    /// Whose tokens show who asks, where that is configured.
    pub identity: Option<Provider>,
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
}

impl App {
    /// Puts a gateway together.
    pub fn new(config: Config, clock: &SharedClock) -> Result<Self, AppError> {
        let mut clients = Clients::default();
        let registry = Registry::default();
        // Answers that are given out again get an eighth of the memory.
        let remembered = config.cache.max_bytes / 8;
        let cache = PageCache::new(config.cache.max_bytes - remembered, Arc::clone(clock));
        let mut budgets = Budgets::default();
        let source = |connection: Connection| {
            let host = connection.base_url.authority().to_owned();
            let budget = budgets.of(&connection.credential, &host, connection.rate_limit, clock);
            let limits = Limits { timeout: connection.timeout, max_body: MAX_VENDOR_BODY };
            let upstream = Upstream::new(
                clients.of(&connection.base_url)?,
                &connection.base_url,
                connection.credential,
                budget,
                limits,
                Arc::clone(clock),
            );
            let metrics = SourceMetrics::new(&registry, connection.name.as_str(), Arc::clone(clock));
            let account = Account { connection: connection.name, id: connection.account_id };
            Ok(Source::new(connection.kind, account, upstream, cache.clone(), connection.policies, metrics))
        };
        let sources = config.connections.into_iter().map(source).collect::<Result<_, AppError>>()?;
        let cursor_key = match config.paging.cursor_key {
            Some(key) => key,
            None => random_key()?,
        };
        let max_calls = config.paging.max_vendor_calls;
        let directory = Arc::new(Directory::new(sources, cache, cursor_key, max_calls, Arc::clone(clock)));
        let identity =
            config.identity.map(|settings| Provider::of(settings, None, &mut clients, &registry, clock)).transpose()?;
        let callers = Callers::new(config.callers, identity.clone(), clock);
        let router = api::router(ApiState {
            directory: Arc::clone(&directory),
            registry: registry.clone(),
            callers: callers.clone(),
            request_timeout: config.server.request_timeout,
            clock: Arc::clone(clock),
        });
        let front = Front::new(router, callers, remembered, registry, Arc::clone(clock));
        Ok(Self { directory, front, identity })
    }
}

/// A key that ends with the process.
fn random_key() -> Result<CursorKey, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(CursorKey::derive(&secret))
}
