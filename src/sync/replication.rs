//! Stored list that several replicas share. One replica holds the lease and walks, and
//! the others read its list.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    clock::SharedClock,
    copies::{ListCopy, SyncSettings},
    shared::{LIST_LEASE, ListRequest, ListState, ListVersion, PurgeCount, SharedList},
};

use super::exchange::Exchange;

/// Time between two polls of the server.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Time without an answer after which a replica may walk without the lease. The replica
/// with the lease has lost the server too, or has stopped.
const ALONE_AFTER: Duration = LIST_LEASE.saturating_mul(2);

/// Part of one replica in a list that several replicas share.
pub(super) struct Replication {
    pub(super) shared: Arc<dyn SharedList>,
    pub(super) list: Arc<ListCopy>,
    pub(super) clock: SharedClock,
    pub(super) settings: SyncSettings,
    pub(super) state: Mutex<State>,
    /// Permits one poll at a time.
    polling: tokio::sync::Mutex<()>,
    /// Signals a successful poll.
    pub(super) polled: Notify,
    /// Signals that the role of this replica may have changed.
    changed: Notify,
}

/// Knowledge of this replica.
pub(super) struct State {
    /// True if this replica had the lease at the last answer.
    pub(super) is_holder: bool,
    /// False until this replica has the list of the replica that had the lease before.
    pub(super) is_caught_up: bool,
    /// Time of the last answer, at first the start.
    answered: Instant,
    /// Number of purges at the last answer.
    purges: Option<PurgeCount>,
    /// Version of the list on the server at the last answer.
    pub(super) published: Option<ListVersion>,
    /// Version of the own list, if it was loaded or published.
    pub(super) version: Option<ListVersion>,
    pub(super) basis: Option<Basis>,
    /// Rows that were read after a purge, each with the number of purges before.
    read: HashMap<Box<str>, PurgeCount>,
}

/// Number of purges that a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Basis {
    /// Start of the walk that the list rests on.
    pub(super) synced: Duration,
    pub(super) purges: PurgeCount,
    /// False if the list contains rows from before a purge.
    pub(super) is_valid: bool,
}

impl Replication {
    pub(super) fn new(
        shared: Arc<dyn SharedList>,
        list: Arc<ListCopy>,
        clock: SharedClock,
        settings: SyncSettings,
    ) -> Self {
        let state = State {
            is_holder: false,
            is_caught_up: false,
            answered: Instant::now(),
            purges: None,
            published: None,
            version: None,
            basis: None,
            read: HashMap::new(),
        };
        let (polled, changed) = (Notify::new(), Notify::new());
        Self {
            shared,
            list,
            clock,
            settings,
            state: Mutex::new(state),
            polling: tokio::sync::Mutex::default(),
            polled,
            changed,
        }
    }

    /// Renews the lease, publishes the own list or loads the list of another replica,
    /// forever.
    pub(super) async fn run(&self) {
        let keep_lease = async {
            let mut ticks = interval(POLL_INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                self.poll().await;
                self.changed.notify_one();
            }
        };
        tokio::join!(keep_lease, Exchange::default().run(self));
    }

    /// Waits until the role of this replica may have changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn notify_changed(&self) {
        self.changed.notify_one();
    }

    /// Returns true if this replica reads purged rows and applies requests for walks: it
    /// has the lease, or the server is lost.
    pub(super) fn is_in_charge(&self) -> bool {
        let state = self.state.lock();
        state.is_current_holder() || state.is_alone()
    }

    /// Returns true if this replica walks. Without the server, a replica without the lease
    /// walks only if its list has expired.
    pub(super) fn may_walk(&self) -> bool {
        let state = self.state.lock();
        let age = |synced: Duration| self.clock.elapsed().saturating_sub(synced);
        let is_expired = || self.list.stored().is_none_or(|stored| age(stored.synced) > self.settings.max_age);
        state.is_current_holder() || (state.is_alone() && is_expired())
    }

    /// Requests a walk of the replica with the lease.
    pub(super) async fn request_walk(&self) {
        if let Err(error) = self.shared.request(ListRequest::Walk).await {
            tracing::warn!(%error, "walk not requested");
        }
    }

    /// Returns the number of purges before the rows that are read from now on.
    pub(super) async fn purges(&self) -> Option<PurgeCount> {
        self.poll().await;
        // Without an answer, an earlier number is true too.
        self.state.lock().purges
    }

    /// Records the purges before a walk, before its list is stored.
    pub(super) fn record_walk(&self, synced: Duration, purges: Option<PurgeCount>) {
        let mut state = self.state.lock();
        state.basis = purges.map(|purges| Basis { synced, purges, is_valid: true });
        // The walk has read the rows after these purges.
        state.read.retain(|_, read| purges.is_none_or(|purges| *read > purges));
    }

    /// Records that the list contains a row that was read after this number of purges.
    pub(super) fn record_row(&self, id: &str, purges: Option<PurgeCount>) {
        if let Some(purges) = purges {
            self.state.lock().read.insert(id.into(), purges);
        }
    }

    /// Renews the lease and applies the state of the list.
    async fn poll(&self) {
        let _turn = self.polling.lock().await;
        // A later purge may be unknown to the answer.
        let withheld = self.list.withheld();
        let basis = self.state.lock().basis;
        let Ok(answer) = self.shared.poll(basis.map(|basis| basis.purges)).await else { return };
        for request in &answer.requests {
            match request {
                ListRequest::Walk => self.list.request_walk(),
                ListRequest::Publish => self.state.lock().version = None,
            }
        }
        let mut state = self.state.lock();
        state.answered = Instant::now();
        state.purges = Some(answer.purges);
        if answer.is_holder != state.is_holder {
            (state.is_holder, state.is_caught_up) = (answer.is_holder, false);
        }
        if state.is_current_holder() {
            state.read_purged(&answer, &self.list);
        } else if answer.version.is_some() && answer.version == state.version {
            // The list of the replica with the lease contains the current rows.
            let purged = answer.purged.as_deref().unwrap_or_default();
            let is_purged = |id: &str| answer.purged.is_none() || purged.iter().any(|(purged, _)| purged == id);
            withheld.iter().filter(|id| !is_purged(id)).for_each(|id| self.list.release(id));
        }
        state.published = answer.version;
        drop(state);
        self.polled.notify_one();
    }
}

impl State {
    fn is_current_holder(&self) -> bool {
        self.is_holder && self.is_caught_up
    }

    fn is_alone(&self) -> bool {
        self.answered.elapsed() > ALONE_AFTER
    }

    /// Withholds the list until its purged rows are read again, or records that all of
    /// them are.
    fn read_purged(&mut self, answer: &ListState, list: &ListCopy) {
        let Some(basis) = &mut self.basis else { return };
        if answer.purged.is_none() && basis.is_valid {
            // The others cannot load the list. The server may have lost its purges, or
            // another replica has purged the pages on it.
            list.request_walk();
        }
        basis.is_valid = answer.purged.is_some();
        let mut is_read = true;
        for (id, number) in answer.purged.iter().flatten() {
            if self.read.get(&**id).is_some_and(|read| read >= number) {
                continue;
            }
            if list.withhold_row(id) {
                is_read = false;
            } else {
                self.read.insert(id.as_str().into(), answer.purges);
            }
        }
        if is_read && basis.is_valid {
            basis.purges = answer.purges;
        }
    }
}
