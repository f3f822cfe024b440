//! Replicas that share the state, each with regular beats.
//!
//! A replica without beats is missing: it may have stopped, or it may have lost the
//! server and make calls within its part of each limit. The others leave that part
//! of the limits to it until it is forgotten.

use std::{sync::Arc, time::Duration};

use ::redis::Script;
use tokio::{
    sync::watch,
    time::{Instant, interval},
};
use tokio_util::task::AbortOnDropHandle;

use super::{link::Link, millis};

/// Time between two beats of a replica.
pub(super) const BEAT_INTERVAL: Duration = Duration::from_millis(250);
/// Time without a beat after which a replica is missing.
pub(super) const MISSING_AFTER: Duration = Duration::from_secs(1);
/// Time without a beat after which a replica is forgotten.
pub(super) const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// Number of replicas at the last beat of this replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replicas {
    /// Live and missing replicas, including this one.
    pub(super) known: u32,
    /// Replicas with recent beats, including this one.
    pub(super) live: u32,
    /// Time at which the last successful beat was sent. `None` before the second beat.
    pub(super) beat: Option<Instant>,
}

/// Beats of this replica. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Heart {
    /// Identity of this process.
    id: Arc<str>,
    key: Arc<str>,
    replicas: watch::Receiver<Replicas>,
    beats: Arc<AbortOnDropHandle<()>>,
}

impl Heart {
    /// Starts the beats, which end with the last clone.
    pub(super) fn start(link: Link, key: String, id: Arc<str>) -> Self {
        let (sender, replicas) = watch::channel(Replicas { known: 1, live: 1, beat: None });
        let key: Arc<str> = key.into();
        let beats = tokio::spawn(beat(link, Arc::clone(&key), Arc::clone(&id), sender));
        Self { id, key, replicas, beats: Arc::new(AbortOnDropHandle::new(beats)) }
    }

    /// Returns the identity of this process.
    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Returns the replicas at the last beat.
    pub(super) fn replicas(&self) -> Replicas {
        *self.replicas.borrow()
    }

    /// Removes this replica, which makes no more vendor calls.
    pub(super) async fn stop(&self, link: &Link) {
        self.beats.abort();
        let mut remove = ::redis::cmd("ZREM");
        remove.arg(&*self.key).arg(&*self.id);
        // Without the server, the replica is forgotten later.
        let _ = link.query::<i64>(&remove).await;
    }
}

async fn beat(link: Link, key: Arc<str>, id: Arc<str>, replicas: watch::Sender<Replicas>) {
    let script = Script::new(include_str!("beat.lua"));
    let mut ticks = interval(BEAT_INTERVAL);
    // Server time in the last reply, which the next beat records.
    let mut received = 0_u64;
    loop {
        ticks.tick().await;
        let mut invocation = script.key(&*key);
        invocation.arg(&*id).arg(millis(MISSING_AFTER)).arg(millis(FORGOTTEN_AFTER)).arg(received);
        let sent = Instant::now();
        let Ok((known, live, now)) = link.run(&invocation).await else { continue };
        // The others know this replica from its second beat on.
        let is_known = received > 0;
        received = now;
        replicas.send_replace(Replicas { known, live, beat: is_known.then_some(sent) });
        if !is_known {
            ticks.reset_immediately();
        }
    }
}
