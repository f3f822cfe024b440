//! Replicas among which a limit is divided.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use super::super::replicas::{FORGOTTEN_AFTER, Replicas};
use crate::shared::Peers;

/// Time for which a replica that is back still counts as missing. It may not have
/// entered its calls yet.
const RETURN_TIME: Duration = Duration::from_secs(1);

/// Replicas that this replica remembers, beyond those that the server knows.
#[derive(Debug)]
pub(super) struct PeerMemory {
    start: Instant,
    /// Replicas known before the connection was lost.
    known: u32,
    /// Time at which the connection was lost or last seen to be lost.
    lost: Option<Instant>,
    /// Largest recent number of missing replicas, and its time.
    missing: Option<(u32, Instant)>,
}

impl PeerMemory {
    pub(super) fn new(start: Instant) -> Self {
        Self { start, known: 1, lost: None, missing: None }
    }

    /// Returns the replicas at the last beat. A server without its data does not
    /// know the replicas that are still lost, so the replicas known before count
    /// until they would be forgotten.
    pub(super) fn update(&mut self, seen: Replicas, is_up: bool, min: NonZeroU32, now: Instant) -> Peers {
        if !is_up {
            self.known = self.known.max(seen.known);
            self.lost = Some(now);
        } else if self.lost.is_some_and(|lost| now.duration_since(lost) >= FORGOTTEN_AFTER) {
            (self.lost, self.known) = (None, 1);
        }
        let known = if self.lost.is_some() { self.known.max(seen.known) } else { seen.known };
        let missing = known.saturating_sub(seen.live.max(1));
        let recent = self.missing.filter(|(_, at)| now.duration_since(*at) < RETURN_TIME);
        match recent {
            Some((more, _)) if more > missing => {}
            _ => self.missing = (missing > 0).then_some((missing, now)),
        }
        let missing = self.missing.map_or(0, |(missing, _)| missing);
        Peers {
            parts: known.max(min.get()),
            missing: missing.min(known.saturating_sub(1)),
            since_beat: now.duration_since(seen.beat.unwrap_or(self.start)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(memory: &mut PeerMemory, known: u32, live: u32, is_up: bool, now: Instant) -> (u32, u32) {
        let peers = memory.update(Replicas { known, live, beat: None }, is_up, NonZeroU32::MIN, now);
        (peers.parts, peers.missing)
    }

    #[tokio::test]
    async fn known_replicas_outlive_the_server() {
        let start = Instant::now();
        let mut memory = PeerMemory::new(start);
        assert_eq!(update(&mut memory, 3, 3, true, start), (3, 0));
        assert_eq!(update(&mut memory, 3, 3, false, start), (3, 0));
        // The server has restarted without its data.
        assert_eq!(update(&mut memory, 1, 1, true, start), (3, 2));
        assert_eq!(update(&mut memory, 1, 1, true, start + FORGOTTEN_AFTER / 2), (3, 2));
        assert_eq!(update(&mut memory, 1, 1, true, start + FORGOTTEN_AFTER), (1, 0));
    }

    #[tokio::test]
    async fn returned_replica_is_missing_for_a_while() {
        let start = Instant::now();
        let mut memory = PeerMemory::new(start);
        assert_eq!(update(&mut memory, 3, 2, true, start), (3, 1));
        assert_eq!(update(&mut memory, 3, 3, true, start + RETURN_TIME / 2), (3, 1));
        assert_eq!(update(&mut memory, 3, 3, true, start + RETURN_TIME), (3, 0));
    }
}
