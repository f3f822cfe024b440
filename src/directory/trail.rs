//! Order of visited pages, for backward walks at vendors with forward cursors
//! only.

use moka::{policy::EvictionPolicy, sync::Cache};

use crate::{cache::Key, domain::anchor::Anchor};

/// Maximum memory of the recorded steps, in bytes: about 50,000 steps with short
/// vendor cursors.
const MAX_BYTES: u64 = 20 << 20;
/// Memory of a step in addition to its texts, in bytes.
const STEP_BYTES: usize = 200;

/// Predecessors of visited pages. Clones share the contents.
#[derive(Debug, Clone)]
pub(super) struct Trail(Cache<Key, Anchor>);

impl Default for Trail {
    fn default() -> Self {
        let steps = Cache::builder()
            .weigher(|key: &Key, anchor: &Anchor| weight(key, anchor))
            .max_capacity(MAX_BYTES)
            // The default policy may reject a new step in favour of older steps.
            .eviction_policy(EvictionPolicy::lru());
        Self(steps.build())
    }
}

impl Trail {
    /// Records that the page of `key` follows the page at `anchor`.
    pub(super) fn record(&self, key: Key, anchor: &Anchor) {
        self.0.insert(key, anchor.clone());
    }

    /// Returns the anchor of the page before the page of `key`, if recorded.
    pub(super) fn predecessor(&self, key: &Key) -> Option<Anchor> {
        self.0.get(key)
    }
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

    #[test]
    fn long_vendor_cursors_do_not_exceed_the_memory() {
        let trail = Trail::default();
        let key = |number: usize| Key {
            connection: "odd".parse().unwrap(),
            generation: 1,
            target: format!("/customers?cursor={number}").into(),
            raw: false,
        };
        let long = Anchor::Token("x".repeat(1 << 20).into());
        for number in 0..50 {
            trail.record(key(number), &long);
        }
        trail.0.run_pending_tasks();
        assert!(trail.0.weighted_size() <= MAX_BYTES);
        assert_eq!((trail.predecessor(&key(0)), trail.predecessor(&key(49))), (None, Some(long)));
    }
}
