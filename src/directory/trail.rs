//! Order of visited pages, for backward walks at vendors with forward cursors
//! only.

use std::sync::Arc;

use moka::{policy::EvictionPolicy, sync::Cache};

use crate::{
    cache::Key,
    domain::anchor::Anchor,
    shared::{Fingerprint, VALUE_LIFETIME, ValueKind, Values},
};

/// Maximum memory of the recorded steps, in bytes: about 50,000 steps with short
/// vendor cursors.
const MAX_BYTES: u64 = 20 << 20;
/// Memory of a step in addition to its texts, in bytes.
const STEP_BYTES: usize = 200;

/// Predecessors of visited pages, which replicas share. Clones share the contents.
#[derive(Debug, Clone)]
pub(super) struct Trail {
    steps: Cache<Key, Anchor>,
    shared: Option<Arc<dyn Values>>,
}

impl Trail {
    /// Creates an empty trail.
    pub(super) fn new(shared: Option<Arc<dyn Values>>) -> Self {
        let steps = Cache::builder()
            .weigher(|key: &Key, anchor: &Anchor| weight(key, anchor))
            .max_capacity(MAX_BYTES)
            // The default policy may reject a new step in favour of older steps.
            .eviction_policy(EvictionPolicy::lru());
        // A step in use is stored again before the other replicas lose it.
        let steps = if shared.is_some() { steps.time_to_live(VALUE_LIFETIME / 2) } else { steps };
        Self { steps: steps.build(), shared }
    }

    /// Records that the page of `key` follows the page at `anchor`. `account` is the
    /// account's name in shared state.
    pub(super) fn record(&self, account: Option<Fingerprint>, key: Key, anchor: &Anchor) {
        if let (Some(shared), Some(account)) = (&self.shared, account)
            && self.steps.get(&key).as_ref() != Some(anchor)
            && let Ok(value) = postcard::to_stdvec(anchor)
        {
            shared.put_in_background(ValueKind::Step, &shared_name(&account.to_string(), &key), value);
        }
        self.steps.insert(key, anchor.clone());
    }

    /// Returns the anchor of the page before the page of `key`, if this or another
    /// replica has recorded the step.
    pub(super) async fn predecessor(&self, account: Option<Fingerprint>, key: &Key) -> Option<Anchor> {
        if let Some(anchor) = self.steps.get(key) {
            return Some(anchor);
        }
        let account = account?.to_string();
        let value = self.shared.as_ref()?.get(ValueKind::Step, &shared_name(&account, key)).await?;
        let anchor: Anchor = postcard::from_bytes(&value).ok()?;
        self.steps.insert(key.clone(), anchor.clone());
        Some(anchor)
    }
}

/// Returns the name of a step on the server. The generation is known to this process
/// only.
fn shared_name<'n>(account: &'n str, key: &'n Key) -> [&'n [u8]; 3] {
    [account.as_bytes(), key.target.as_bytes(), if key.raw { b"raw" } else { b"" }]
}

/// Returns the memory of a step, in bytes.
fn weight(key: &Key, anchor: &Anchor) -> u32 {
    let text = match anchor {
        Anchor::Start | Anchor::From(..) => "",
        Anchor::After(text) | Anchor::Before(text) | Anchor::Token(text) => text,
    };
    u32::try_from(key.target.len() + text.len() + STEP_BYTES).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_vendor_cursors_do_not_exceed_the_memory() {
        let trail = Trail::new(None);
        let key = |number: usize| Key {
            connection: "odd".parse().unwrap(),
            generation: 1,
            target: format!("/customers?cursor={number}").into(),
            raw: false,
        };
        let long = Anchor::Token("x".repeat(1 << 20).into());
        for number in 0..50 {
            trail.record(None, key(number), &long);
        }
        trail.steps.run_pending_tasks();
        assert!(trail.steps.weighted_size() <= MAX_BYTES);
        let steps = (trail.predecessor(None, &key(0)).await, trail.predecessor(None, &key(49)).await);
        assert_eq!(steps, (None, Some(long)));
    }
}
