//! Detection of vendor cursors that lead back to a page already visited.

use serde::{Deserialize, Serialize};

use super::anchor::Anchor;

/// Brent's cycle detection over the anchors of a walk, in constant space. It
/// detects a vendor whose cursors repeat (FACTS.md, case 21).
///
/// The detector remembers the anchor of the last step whose number is a power of
/// two, and compares every later anchor with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CycleDetector {
    steps: u32,
    mark: u64,
}

/// Fingerprint of an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorFingerprint(u64);

impl CycleDetector {
    /// Returns the detector after the page at an anchor, or `None` if the walk has
    /// visited the page before.
    #[must_use]
    pub fn enter(self, anchor: AnchorFingerprint) -> Option<Self> {
        let AnchorFingerprint(mark) = anchor;
        if self.steps > 0 && self.mark == mark {
            return None;
        }
        let steps = self.steps.saturating_add(1);
        Some(Self { steps, mark: if steps.is_power_of_two() { mark } else { self.mark } })
    }
}

impl AnchorFingerprint {
    /// Returns the fingerprint of an anchor.
    #[must_use]
    pub fn new(anchor: &Anchor) -> Self {
        Self(fingerprint(anchor))
    }
}

fn fingerprint(anchor: &Anchor) -> u64 {
    let (tag, text): (u8, &str) = match anchor {
        Anchor::Start => (0, ""),
        Anchor::After(id) => (1, id),
        Anchor::Before(id) => (2, id),
        Anchor::Token(token) => (3, token),
        Anchor::From(..) => (4, ""),
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[tag]).update(text.as_bytes());
    if let Anchor::From(instant, _) = anchor {
        hasher.update(&instant.nanosecond().to_le_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u32) -> AnchorFingerprint {
        AnchorFingerprint::new(&Anchor::Token(number.to_string().into()))
    }

    #[test]
    fn cycle_is_detected_within_a_few_rounds() {
        for (tail, cycle) in [(0_u32, 1_u32), (1, 2), (5, 7), (30, 3)] {
            let mut detector = CycleDetector::default();
            let mut step = 0;
            loop {
                let page = if step < tail { step } else { tail + (step - tail) % cycle };
                match detector.enter(token(page)) {
                    Some(next) => detector = next,
                    None => break,
                }
                step += 1;
                assert!(step < 4 * (tail + cycle) + 4, "cycle of {cycle} after {tail} not detected");
            }
        }
    }

    #[test]
    fn walk_without_cycle_is_not_reported() {
        let mut detector = CycleDetector::default();
        for step in 0..10_000 {
            detector = detector.enter(token(step)).unwrap();
        }
    }
}
