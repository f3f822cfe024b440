//! Shared state on a Redis or Valkey server.

mod limits;
mod link;
mod probe;
mod replicas;
mod server;

use std::sync::Arc;

use crate::telemetry::metrics::Registry;

use super::{Fingerprint, ProbeLease, Settings, SharedLimit};
use limits::Limits;
use link::Link;
use probe::RedisProbe;
use replicas::Heart;
pub(super) use server::Address;

/// Failure to use the configured servers.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// The client of a server cannot be created.
    #[error("the client of the Redis server cannot be created; check shared.url and shared.state_url")]
    Client,
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// State that the replicas of a gateway share. Clones share the connections.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    settings: Settings,
    /// Connection for pages, which may be large.
    pages: Link,
    /// Connection for all other state.
    state: Link,
    heart: Heart,
    limits: Arc<Limits>,
}

impl Shared {
    /// Connects to the servers in the background. Must be called within a runtime.
    pub fn open(settings: Settings, registry: &Registry) -> Result<Self, SharedError> {
        let link = |name, url| {
            let connector = Address::parse(url).ok().and_then(|address| address.connector().ok());
            let connector = connector.ok_or(SharedError::Client)?;
            let test_key = format!("{}:test:{name}", settings.prefix);
            Ok::<_, SharedError>(Link::open(name, connector, &test_key, settings.timeout, registry))
        };
        let pages = link("pages", &settings.url)?;
        let state = link("state", settings.state_url.as_ref().unwrap_or(&settings.url))?;
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let id: Arc<str> =
            blake3::Hash::from_bytes(blake3::derive_key("customer-gateway replica id", &id)).to_hex()[..16].into();
        let heart = Heart::start(state.clone(), format!("{}:replicas", settings.prefix), id);
        let limits = Limits::new(state.clone(), heart.clone(), settings.clone(), registry);
        Ok(Self(Arc::new(Inner { settings, pages, state, heart, limits })))
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the rate limit of a credential. `None` if the replicas do not share
    /// limits.
    #[must_use]
    pub fn limit(&self, credential: &Fingerprint) -> Option<Arc<dyn SharedLimit>> {
        self.0.settings.limits.then(|| self.0.limits.limit(credential))
    }

    /// Returns the lease of an account's probe. `None` if the replicas do not share
    /// limits.
    #[must_use]
    pub fn probe(&self, account: &Fingerprint) -> Option<Arc<dyn ProbeLease>> {
        let Inner { settings, state, heart, .. } = &*self.0;
        let probe = || RedisProbe::new(state.clone(), &settings.prefix, account, Arc::clone(heart.id()));
        settings.limits.then(|| Arc::new(probe()) as Arc<dyn ProbeLease>)
    }

    /// Removes this replica, before the process exits.
    pub async fn close(&self) {
        self.0.heart.stop(&self.0.state).await;
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("replicas", &self.0.heart.replicas()).finish_non_exhaustive()
    }
}
