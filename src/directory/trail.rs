//! Order of visited pages, for backward walks at vendors with forward cursors
//! only.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    cache::Key,
    clock::SharedClock,
    domain::{anchor::Anchor, connection::ConnectionName},
    shared::{Fingerprint, VALUE_LIFETIME, ValueKind, Values},
};

use super::fair_cache::FairCache;

/// Maximum memory of the recorded steps, in bytes: about 50,000 steps with short
/// vendor cursors.
const MAX_BYTES: usize = 20 << 20;
/// Memory of a step in addition to its texts, in bytes.
const STEP_BYTES: usize = 280;
/// Time after which a step in use is stored again for the other replicas, before they
/// lose it.
const REFRESH: Duration = Duration::from_secs(VALUE_LIFETIME.as_secs() / 2);

/// Predecessors of visited pages, by connection. Replicas share them. Clones share the
/// contents.
#[derive(Clone)]
pub(super) struct Trail {
    steps: FairCache<ConnectionName, Key, Step>,
    shared: Option<Arc<dyn Values>>,
    clock: SharedClock,
}

/// Recorded step.
#[derive(Debug, Clone)]
struct Step {
    predecessor: Anchor,
    /// Time on the clock when the step was recorded or read from the other replicas.
    recorded: Duration,
}

impl Trail {
    /// Creates an empty trail.
    pub(super) fn new(shared: Option<Arc<dyn Values>>, clock: SharedClock) -> Self {
        Self { steps: FairCache::new(MAX_BYTES, weight), shared, clock }
    }

    /// Records that the page of `key` follows the page at `anchor`. `account` is the
    /// account's name in shared state.
    pub(super) fn record(&self, account: Option<Fingerprint>, key: Key, anchor: &Anchor) {
        let is_known = |step: Step| step.predecessor == *anchor && !self.requires_refresh(&step);
        if self.steps.get(&key).is_some_and(is_known) {
            return;
        }
        if let (Some(shared), Some(account)) = (&self.shared, account)
            && let Ok(value) = postcard::to_stdvec(anchor)
        {
            shared.put_in_background(ValueKind::Step, &shared_name(&account.to_string(), &key), value);
        }
        self.insert(key, anchor);
    }

    /// Returns the anchor of the page before the page of `key`, if this or another
    /// replica has recorded the step.
    pub(super) async fn predecessor(&self, account: Option<Fingerprint>, key: &Key) -> Option<Anchor> {
        if let Some(step) = self.steps.get(key) {
            return Some(step.predecessor);
        }
        let account = account?.to_string();
        let value = self.shared.as_ref()?.get(ValueKind::Step, &shared_name(&account, key)).await?;
        let anchor: Anchor = postcard::from_bytes(&value).ok()?;
        self.insert(key.clone(), &anchor);
        Some(anchor)
    }

    fn insert(&self, key: Key, anchor: &Anchor) {
        let connection = key.connection.clone();
        self.steps.insert(&connection, key, Step { predecessor: anchor.clone(), recorded: self.clock.elapsed() });
    }

    fn requires_refresh(&self, step: &Step) -> bool {
        self.shared.is_some() && self.clock.elapsed().saturating_sub(step.recorded) >= REFRESH
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trail").field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// Returns the name of a step on the server. The generation is known to this process
/// only.
fn shared_name<'n>(account: &'n str, key: &'n Key) -> [&'n [u8]; 3] {
    [account.as_bytes(), key.target.as_bytes(), if key.raw { b"raw" } else { b"" }]
}

/// Returns the memory of a step, in bytes.
fn weight(key: &Key, step: &Step) -> usize {
    let text = match &step.predecessor {
        Anchor::Start | Anchor::From(..) => "",
        Anchor::After(text) | Anchor::Before(text) | Anchor::Token(text) => text,
    };
    key.target.len() + text.len() + STEP_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn long_cursors_evict_their_connection_only() {
        let trail = Trail::new(None, SystemClock::shared());
        let key = |connection: &str, number: usize| Key {
            connection: connection.parse().unwrap(),
            generation: 1,
            target: format!("/customers?cursor={number}").into(),
            raw: false,
        };
        trail.record(None, key("quiet", 0), &Anchor::Start);
        let long = Anchor::Token("x".repeat(1 << 20).into());
        for number in 0..50 {
            trail.record(None, key("odd", number), &long);
        }
        let steps = (trail.predecessor(None, &key("odd", 0)).await, trail.predecessor(None, &key("odd", 49)).await);
        assert_eq!(steps, (None, Some(long)));
        assert_eq!(trail.predecessor(None, &key("quiet", 0)).await, Some(Anchor::Start));
    }
}
