//! The identity provider: its keys, kept and renewed.

use std::{sync::Arc, time::Duration};

use metrics::Counter;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use crate::{
    clock::SharedClock,
    http_client::{ClientError, Clients},
    telemetry::metrics::Registry,
};

use super::{Jwks, KeySet, KeySource, KeySourceError, Settings, TokenError};

/// How long keys are not read again, whatever tokens ask for.
const REST: Duration = Duration::from_secs(30);
/// When to ask again at the earliest.
const SOON: Duration = Duration::from_secs(1);

/// An identity provider. Clones share its keys, which are renewed until the
/// last is dropped.
#[derive(Clone)]
pub struct Provider(Arc<Owner>);

struct Owner {
    settings: Settings,
    keyring: Arc<Keyring>,
    #[expect(dead_code, reason = "held to be aborted when dropped")]
    renewal: JoinSet<()>,
}

struct Keyring {
    state: watch::Sender<State>,
    wanted: Notify,
    clock: SharedClock,
}

/// What is known of the keys.
#[derive(Debug, Clone)]
struct State {
    /// Those that were read last.
    keys: Option<Arc<KeySet>>,
    /// How often they were read, and whether they are being read.
    readings: u64,
    is_reading: bool,
    /// When they were read last, by the clock, and whether that failed.
    read_at: Duration,
    has_failed: bool,
}

/// Where readings are counted.
struct Outcomes {
    ok: Counter,
    failed: Counter,
}

impl Provider {
    /// The provider of these settings: the one that there was, where they are the
    /// same, so that its keys are not waited for again.
    pub fn of(
        settings: Settings,
        previous: Option<&Self>,
        clients: &mut Clients,
        registry: &Registry,
        clock: &SharedClock,
    ) -> Result<Self, ClientError> {
        match previous.filter(|previous| previous.0.settings == settings) {
            Some(previous) => Ok(previous.clone()),
            None => Self::start(settings, clients, registry, clock),
        }
    }

    /// Starts to read the keys, on the runtime that this is called on.
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
        let state = State { keys, readings: 0, is_reading: true, read_at: clock.elapsed(), has_failed: false };
        let keyring =
            Arc::new(Keyring { state: watch::Sender::new(state), wanted: Notify::new(), clock: Arc::clone(clock) });
        let source = KeySource::of(&settings.jwks, clients)?;
        let mut renewal = JoinSet::new();
        renewal.spawn(renew(Arc::clone(&keyring), source, settings.refresh, Outcomes::new(registry)));
        Ok(Self(Arc::new(Owner { settings, keyring, renewal })))
    }

    /// What its tokens have to say.
    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whether its keys are those of this digest.
    pub(super) fn has(&self, digest: &blake3::Hash) -> bool {
        self.0.keyring.state.borrow().keys.as_ref().is_some_and(|keys| keys.digest() == *digest)
    }

    /// The keys for a token that names one of them, or none. Where that one is
    /// not known, they are read anew.
    pub(super) async fn keys_for(&self, id: Option<&str>) -> Result<Arc<KeySet>, TokenError> {
        let keyring = &*self.0.keyring;
        let mut changes = keyring.state.subscribe();
        let mut state = changes.borrow_and_update().clone();
        if !state.knows(id) && (state.is_reading || keyring.has_rested(&state)) {
            keyring.wanted.notify_one();
            // It fails only where the keyring is gone, which this one holds.
            if let Ok(read) = changes.wait_for(|now| now.readings > state.readings).await {
                state = read.clone();
            }
        }
        match state.keys {
            Some(keys) if keys.knows(id) => Ok(keys),
            Some(_) if !state.has_failed => Err(TokenError::NoKey),
            // The key may have come since the provider was last reached.
            _ => {
                let rest = (state.read_at + REST).saturating_sub(keyring.clock.elapsed());
                Err(TokenError::Unavailable { retry_after: rest.max(SOON) })
            }
        }
    }
}

impl State {
    fn knows(&self, id: Option<&str>) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.knows(id))
    }
}

/// Reads the keys, and again: each time that they are due, or wanted.
async fn renew(keyring: Arc<Keyring>, source: KeySource, refresh: Duration, outcomes: Outcomes) {
    loop {
        let read_at = keyring.clock.elapsed();
        keyring.state.send_modify(|state| {
            state.is_reading = true;
            state.read_at = read_at;
        });
        let before = keyring.state.borrow().keys.clone();
        let read = source.read().await.map(Arc::new);
        keyring.state.send_modify(|state| {
            state.is_reading = false;
            state.readings += 1;
            state.has_failed = read.is_err();
            if let Ok(keys) = &read {
                state.keys = Some(Arc::clone(keys));
            }
        });
        outcomes.note(&read, before.as_deref());
        keyring.rest(refresh).await;
    }
}

impl Keyring {
    /// Whether the keys may be read again because a token asks for it.
    fn has_rested(&self, state: &State) -> bool {
        self.clock.elapsed() >= state.read_at + REST
    }

    /// Waits until the keys are to be read again.
    async fn rest(&self, refresh: Duration) {
        let state = self.state.borrow().clone();
        let due = state.read_at + if state.has_failed { refresh.min(REST) } else { refresh };
        let mut over = self.clock.sleep(due.saturating_sub(self.clock.elapsed()));
        loop {
            tokio::select! {
                () = &mut over => return,
                () = self.wanted.notified() => if self.has_rested(&state) { return },
            }
        }
    }
}

impl Outcomes {
    fn new(registry: &Registry) -> Self {
        let help = "Readings of the identity provider's keys, by outcome: ok or failed.";
        let outcome = |outcome| registry.counter("gateway_jwks_refreshes_total", help, &[("outcome", outcome)]);
        Self { ok: outcome("ok"), failed: outcome("failed") }
    }

    /// Counts a reading, and says what changes by it.
    fn note(&self, read: &Result<Arc<KeySet>, KeySourceError>, before: Option<&KeySet>) {
        match read {
            Ok(keys) => {
                self.ok.increment(1);
                if before == Some(keys) {
                    return;
                }
                if keys.is_empty() {
                    tracing::warn!("the identity provider has no key that a token can be verified with");
                } else {
                    tracing::info!(keys = keys.len(), "the identity provider's keys were read");
                }
            }
            Err(error) => {
                self.failed.increment(1);
                tracing::warn!(%error, "the identity provider's keys cannot be read; those at hand stay in use");
            }
        }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
