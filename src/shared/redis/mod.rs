//! Shared state on a Redis or Valkey server.

mod announcements;
mod check;
mod limits;
mod link;
mod lists;
mod metrics;
mod page_server;
mod pages;
mod probe;
mod purge_feed;
mod purges;
mod quotas;
mod replicas;
mod server;
mod values;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::telemetry::metrics::Registry;

use super::{
    Fingerprint, ProbeLease, PurgeFeed, Quotas, RedisUrl, Settings, SharedLimit, SharedList, SharedPages, SharedPurges,
    Values,
};
use announcements::Announcements;
pub use check::{ServerFault, ServerReport, ServerState, check};
use limits::Limits;
use link::Link;
use lists::{ListServer, RedisList};
use metrics::PageMetrics;
use page_server::PageServer;
use pages::AccountPages;
use probe::RedisProbe;
use purge_feed::Feed;
use purges::Purges;
use quotas::RedisQuotas;
use replicas::Heart;
pub(super) use server::Address;
use server::Connector;
use values::RedisValues;

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
    /// Pages, which have a connection of their own because they may be large.
    pages: Arc<PageServer>,
    purges: Arc<Purges>,
    /// Connection for all other state.
    state: Link,
    heart: Heart,
    limits: Arc<Limits>,
    values: Option<Arc<dyn Values>>,
    quotas: Option<Arc<dyn Quotas>>,
    /// Stored lists, once a connection has one.
    lists: OnceLock<Option<Arc<ListServer>>>,
    registry: Registry,
}

impl Shared {
    /// Connects to the servers in the background. Must be called within a runtime.
    pub fn open(settings: Settings, registry: &Registry) -> Result<Self, SharedError> {
        let link = |name, url| {
            let connector = connector(url)?;
            let test_key = format!("{}:test:{name}", settings.prefix);
            Ok::<_, SharedError>(Link::open(name, connector, &test_key, settings.timeout, registry))
        };
        let pages = link("pages", &settings.url)?;
        let state = link("state", settings.state_url.as_ref().unwrap_or(&settings.url))?;
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let id: Arc<str> =
            blake3::Hash::from_bytes(blake3::derive_key("customer-gateway replica id", &id)).to_hex()[..16].into();
        let heart = Heart::start(state.clone(), format!("{}:replicas", settings.prefix), Arc::clone(&id));
        let limits = Limits::new(state.clone(), heart.clone(), settings.clone(), registry);
        let values =
            settings.cache.then(|| Arc::new(RedisValues::new(pages.clone(), &settings, registry)) as Arc<dyn Values>);
        let quotas = settings
            .quotas
            .then(|| Arc::new(RedisQuotas::new(state.clone(), heart.clone(), &settings, registry)) as Arc<dyn Quotas>);
        let announcements =
            Announcements::subscribe(connector(&settings.url)?, &format!("{}:v1:announcements", settings.prefix));
        let (prefix, key, metrics) = (settings.prefix.clone(), settings.key.clone(), PageMetrics::new(registry));
        let pages = Arc::new(PageServer::new(pages, announcements, prefix, key, id, metrics));
        let purges = Arc::new(Purges::new(Arc::clone(&pages), heart.clone()));
        let (lists, registry) = (OnceLock::new(), registry.clone());
        let inner = Inner { settings, pages, purges, state, heart, limits, values, quotas, lists, registry };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the small values; `None` if pages are not shared.
    #[must_use]
    pub fn values(&self) -> Option<Arc<dyn Values>> {
        self.0.values.clone()
    }

    /// Returns the quotas of callers; `None` if each replica counts its own requests.
    #[must_use]
    pub fn quotas(&self) -> Option<Arc<dyn Quotas>> {
        self.0.quotas.clone()
    }

    /// Returns the pages of an account, if pages are shared.
    #[must_use]
    pub fn pages(&self, account: Fingerprint) -> Option<Arc<dyn SharedPages>> {
        let Settings { cache, leases, .. } = self.0.settings;
        let pages = || AccountPages::new(Arc::clone(&self.0.pages), account, leases);
        cache.then(|| Arc::new(pages()) as Arc<dyn SharedPages>)
    }

    /// Returns the stored list of a resource of an account. `None` if pages are not
    /// shared. Must be called within a runtime.
    #[must_use]
    pub fn list(&self, account: Fingerprint, resource: &str) -> Option<Arc<dyn SharedList>> {
        let server = self.0.settings.cache.then(|| self.0.list_server())??;
        Some(Arc::new(RedisList::new(server, account, resource)))
    }

    /// Returns the purges of all replicas.
    #[must_use]
    pub fn purges(&self) -> Arc<dyn SharedPurges> {
        Arc::clone(&self.0.purges) as Arc<dyn SharedPurges>
    }

    /// Returns the purges of the other replicas from now on.
    #[must_use]
    pub fn purge_feed(&self) -> Box<dyn PurgeFeed> {
        Box::new(Feed::new(Arc::clone(&self.0.purges)))
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

impl Inner {
    /// Returns the state of all lists. Opens their connection for the first list.
    fn list_server(&self) -> Option<Arc<ListServer>> {
        let open = || {
            let Settings { url, prefix, timeout, .. } = &self.settings;
            let test_key = format!("{prefix}:test:lists");
            let timeout = lists::TIMEOUT.max(*timeout);
            let link = Link::open("lists", connector(url).ok()?, &test_key, timeout, &self.registry);
            Some(Arc::new(ListServer::new(link, Arc::clone(&self.pages), &self.registry)))
        };
        self.lists.get_or_init(open).clone()
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("replicas", &self.0.heart.replicas()).finish_non_exhaustive()
    }
}

fn connector(url: &RedisUrl) -> Result<Connector, SharedError> {
    let connector = Address::parse(url).ok().and_then(|address| address.connector().ok());
    connector.ok_or(SharedError::Client)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
