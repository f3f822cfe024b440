//! Putting the parts together: from a configuration to routes.

use std::sync::Arc;

use axum::Router;

use crate::{
    api::{self, ApiState},
    cache::PageCache,
    config::{Config, Connection},
    directory::{Directory, Source},
    domain::{clock::SharedClock, cursor::CursorKey},
    upstream::{self, Budgets, Limits, Upstream},
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
    /// All routes.
    pub router: Router,
}

/// Why a gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The HTTP client cannot be made, mostly for want of CA certificates.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    /// A connection's rate limit allows nothing.
    #[error("the rate limit of `{0}` is over no time at all")]
    RateLimit(String),
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl App {
    /// Puts a gateway together.
    pub fn new(config: Config, clock: SharedClock) -> Result<Self, AppError> {
        let client = upstream::client()?;
        let cache = PageCache::new(config.cache.max_bytes, config.cache.fresh, clock);
        let mut budgets = Budgets::default();
        let source = |connection: Connection| {
            let host = connection.base_url.authority().to_owned();
            let budget = budgets
                .of(&connection.credential, &host, connection.rate_limit)
                .ok_or_else(|| AppError::RateLimit(connection.name.to_string()))?;
            let limits = Limits { timeout: connection.timeout, max_body: MAX_VENDOR_BODY };
            let upstream = Upstream::new(client.clone(), &connection.base_url, connection.credential, budget, limits);
            let account = Account { connection: connection.name, id: connection.account_id };
            Ok(Source::new(connection.kind, account, upstream, cache.clone()))
        };
        let sources = config.connections.into_iter().map(source).collect::<Result<Vec<_>, AppError>>()?;
        let cursor_key = match config.paging.cursor_key {
            Some(key) => key,
            None => random_key()?,
        };
        let directory = Arc::new(Directory::new(sources, cursor_key, config.paging.max_vendor_calls));
        let router = api::router(ApiState {
            directory: Arc::clone(&directory),
            callers: config.callers.into(),
            request_timeout: config.server.request_timeout,
        });
        Ok(Self { directory, router })
    }
}

/// A key that ends with the process.
fn random_key() -> Result<CursorKey, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(CursorKey::derive(&secret))
}
