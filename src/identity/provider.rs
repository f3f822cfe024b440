//! The identity provider: cached keys, refreshed in the background.

use std::{sync::Arc, time::Duration};

use metrics::Counter;
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
};

use crate::{
    clock::SharedClock,
    http_client::{ClientError, Clients},
    telemetry::metrics::Registry,
};

use super::{Jwks, KeySet, KeySource, KeySourceError, Settings, TokenError};

/// Minimum interval between refreshes that tokens request.
const MIN_INTERVAL: Duration = Duration::from_secs(30);
/// Minimum retry delay that a response names.
const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);
/// Maximum number of requests that wait for a refresh. They hold no permit of
/// `server.max_requests`, and are not authenticated.
const MAX_WAITING: usize = 256;

/// An identity provider. Clones share the keys, which are refreshed until the
/// last clone is dropped.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    settings: Settings,
    keyring: Arc<Keyring>,
    #[expect(dead_code, reason = "aborts the refresh task when dropped")]
    refresh_task: JoinSet<()>,
}

struct Keyring {
    state: watch::Sender<State>,
    refresh_requested: Notify,
    /// Permits of the requests that wait for a refresh.
    waiting: Semaphore,
    clock: SharedClock,
}

/// Cached keys and the outcome of the last refresh.
#[derive(Debug, Clone)]
struct State {
    /// Keys of the last successful refresh.
    keys: Option<Arc<KeySet>>,
    /// Number of finished refreshes.
    refreshes: u64,
    is_refreshing: bool,
    /// Start of the last refresh, by the clock.
    refreshed_at: Duration,
    has_failed: bool,
}

struct RefreshMetrics {
    ok: Counter,
    failed: Counter,
}

impl Provider {
    /// Returns `previous` if its settings are equal, so its keys stay cached.
    /// Otherwise starts a provider, on the current runtime.
    pub fn reuse_or_start(
        previous: Option<&Self>,
        settings: Settings,
        clients: &mut Clients,
        registry: &Registry,
        clock: &SharedClock,
    ) -> Result<Self, ClientError> {
        match previous.filter(|previous| previous.0.settings == settings) {
            Some(previous) => Ok(previous.clone()),
            None => Self::start(settings, clients, registry, clock),
        }
    }

    fn start(
        settings: Settings,
        clients: &mut Clients,
        registry: &Registry,
        clock: &SharedClock,
    ) -> Result<Self, ClientError> {
        let keys = match &settings.jwks {
            Jwks::File { keys, .. } => Some(Arc::new(keys.clone())),
            Jwks::Url(_) => None,
        };
        let state = State { keys, refreshes: 0, is_refreshing: true, refreshed_at: clock.elapsed(), has_failed: false };
        let keyring = Arc::new(Keyring {
            state: watch::Sender::new(state),
            refresh_requested: Notify::new(),
            waiting: Semaphore::new(MAX_WAITING),
            clock: Arc::clone(clock),
        });
        let source = KeySource::new(&settings.jwks, clients)?;
        let mut refresh_task = JoinSet::new();
        refresh_task.spawn(refresh_keys(Arc::clone(&keyring), source, settings.refresh, RefreshMetrics::new(registry)));
        Ok(Self(Arc::new(Inner { settings, keyring, refresh_task })))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns whether the cached keys have this digest.
    pub(super) fn has_keys(&self, digest: &blake3::Hash) -> bool {
        self.0.keyring.state.borrow().keys.as_ref().is_some_and(|keys| keys.digest() == *digest)
    }

    /// Returns the keys for a token with this key id. An unknown id requests a
    /// refresh and waits for it, unless the last refresh is too recent. Fails if too many
    /// requests wait.
    pub(super) async fn keys_for(&self, id: Option<&str>) -> Result<Arc<KeySet>, TokenError> {
        let keyring = &*self.0.keyring;
        let mut state = keyring.state.borrow().clone();
        if !state.contains(id) {
            state = keyring.refresh(state).await?;
        }
        match state.keys {
            Some(keys) if keys.contains(id) => Ok(keys),
            Some(_) if !state.has_failed => Err(TokenError::NoKey),
            // The provider may have added the key since the last successful refresh.
            _ => {
                let remaining = (state.refreshed_at + MIN_INTERVAL).saturating_sub(keyring.clock.elapsed());
                Err(TokenError::Unavailable { retry_after: remaining.max(MIN_RETRY_AFTER) })
            }
        }
    }

    /// Returns the cached keys if they differ from `keys`, which did not verify a
    /// token. Requests a refresh otherwise, unless the last refresh is too recent. Fails
    /// if too many requests wait.
    pub(super) async fn keys_other_than(&self, keys: &KeySet) -> Result<Option<Arc<KeySet>>, TokenError> {
        let keyring = &*self.0.keyring;
        let mut state = keyring.state.borrow().clone();
        if state.keys.as_deref() == Some(keys) {
            state = keyring.refresh(state).await?;
        }
        Ok(state.keys.filter(|current| **current != *keys))
    }
}

impl State {
    fn contains(&self, id: Option<&str>) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.contains(id))
    }
}

/// Refreshes the keys at every interval, and at the request of a token.
async fn refresh_keys(keyring: Arc<Keyring>, source: KeySource, interval: Duration, metrics: RefreshMetrics) {
    loop {
        let refreshed_at = keyring.clock.elapsed();
        keyring.state.send_modify(|state| {
            state.is_refreshing = true;
            state.refreshed_at = refreshed_at;
        });
        let previous = keyring.state.borrow().keys.clone();
        let result = source.read().await.map(Arc::new);
        keyring.state.send_modify(|state| {
            state.is_refreshing = false;
            state.refreshes += 1;
            state.has_failed = result.is_err();
            if let Ok(keys) = &result {
                state.keys = Some(Arc::clone(keys));
            }
        });
        metrics.record(&result, previous.as_deref());
        keyring.wait_for_refresh(interval).await;
    }
}

impl Keyring {
    /// Returns whether a token may request a refresh.
    fn may_refresh(&self, state: &State) -> bool {
        self.clock.elapsed() >= state.refreshed_at + MIN_INTERVAL
    }

    /// Requests a refresh after `state` and waits for it. Returns `state` if the last
    /// refresh is too recent. Fails if too many requests wait.
    async fn refresh(&self, state: State) -> Result<State, TokenError> {
        if !state.is_refreshing && !self.may_refresh(&state) {
            return Ok(state);
        }
        let _permit = self
            .waiting
            .try_acquire()
            .map_err(|_| TokenError::TooManyWaiting { max: MAX_WAITING, retry_after: MIN_RETRY_AFTER })?;
        let mut changes = self.state.subscribe();
        self.refresh_requested.notify_one();
        // Fails only if the sender is dropped, and the caller holds the sender.
        let refreshed = changes.wait_for(|now| now.refreshes > state.refreshes).await.map(|now| now.clone());
        Ok(refreshed.unwrap_or(state))
    }

    /// Waits until the next refresh is due or requested.
    async fn wait_for_refresh(&self, interval: Duration) {
        let state = self.state.borrow().clone();
        let due = state.refreshed_at + if state.has_failed { interval.min(MIN_INTERVAL) } else { interval };
        let mut timer = self.clock.sleep(due.saturating_sub(self.clock.elapsed()));
        loop {
            tokio::select! {
                () = &mut timer => return,
                () = self.refresh_requested.notified() => if self.may_refresh(&state) { return },
            }
        }
    }
}

impl RefreshMetrics {
    fn new(registry: &Registry) -> Self {
        let help = "Refreshes of the identity provider's keys, by outcome: ok or failed.";
        let counter = |outcome| registry.counter("gateway_jwks_refreshes_total", help, &[("outcome", outcome)]);
        Self { ok: counter("ok"), failed: counter("failed") }
    }

    /// Counts a refresh. Logs a failure or a change of the keys.
    fn record(&self, result: &Result<Arc<KeySet>, KeySourceError>, previous: Option<&KeySet>) {
        match result {
            Ok(keys) => {
                self.ok.increment(1);
                if previous == Some(keys) {
                    return;
                }
                tracing::info!(keys = keys.len(), "JWKS refreshed");
            }
            Err(error) => {
                self.failed.increment(1);
                tracing::warn!(%error, "JWKS refresh failed, keeping the cached keys");
            }
        }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
