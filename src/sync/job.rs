//! Job of one stored list.

use std::{
    future::pending,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio_util::task::AbortOnDropHandle;

use crate::{
    clock::SharedClock,
    copies::{Changes, Copies, Fetched, Inbox, ListCopy, Stored, SyncSettings, SyncState, WalkOutcome, WalkReport},
    directory::Source,
    domain::anchor::Anchor,
    shared::PurgeCount,
};

use super::{
    pacer::Pacer,
    replication::Replication,
    snapshot::Snapshot,
    updates::{Update, apply_all},
    walk::{ListWalk, WalkError, Walked},
};

/// Wait before a walk is repeated that has no complete list. Each further wait is twice
/// as long, up to the time between two walks.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// Wait before a purged row is requested again.
const ROW_RETRY: Duration = Duration::from_secs(1);
/// Maximum number of pages of new rows that are read at once.
const MAX_NEWEST_PAGES: usize = 10;
/// Maximum number of changes during a walk.
const MAX_UPDATES: usize = 2000;

/// Job of one stored list.
pub(super) struct Job {
    source: Arc<Source>,
    copies: Arc<Copies>,
    list: Arc<ListCopy>,
    pacer: Arc<Pacer>,
    clock: SharedClock,
    /// Part in the list of several replicas, with `[shared]`.
    replication: Option<Arc<Replication>>,
    walk: Option<RunningWalk>,
    /// Time of the next walk.
    next_walk: Duration,
    /// Time of the next request for the newest rows, if there are such requests.
    next_newest: Option<Duration>,
    /// Time of the last purge of a row.
    last_purge: Duration,
    /// Time from which on a purged row is requested again.
    next_row: Duration,
    /// Failed walks since the last complete one.
    failures: u32,
}

/// Changes that the walk in progress remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remembered {
    /// All changes.
    Always,
    /// Changes that the list did not have.
    IfChanged,
    /// No change.
    Never,
}

/// Walk that runs in a task of its own.
struct RunningWalk {
    task: AbortOnDropHandle<Result<Walked, WalkError>>,
    started: Duration,
    /// Number of purges before the start, as the replicas count them.
    purges: Option<PurgeCount>,
    /// Changes of the list since the start, which the walk may have missed.
    updates: Vec<Update>,
}

impl Job {
    /// Creates a job. A list that another job has filled is kept until its next walk.
    pub(super) fn new(
        source: Arc<Source>,
        copies: Arc<Copies>,
        list: Arc<ListCopy>,
        pacer: Arc<Pacer>,
        clock: SharedClock,
        replication: Option<Arc<Replication>>,
    ) -> Self {
        let now = clock.elapsed();
        let newest = copies.settings.newest.filter(|_| source.lists_newest_first(list.resource));
        let next_newest = newest.map(|newest| now + newest);
        Self {
            source,
            copies,
            list,
            pacer,
            clock,
            replication,
            walk: None,
            next_walk: now,
            next_newest,
            last_purge: Duration::ZERO,
            next_row: Duration::ZERO,
            failures: 0,
        }
    }

    /// Fills and updates the list, forever.
    pub(super) async fn run(mut self, snapshot: Option<Snapshot>) {
        if let Some(snapshot) = &snapshot {
            snapshot.restore().await;
        }
        self.list.end_restoring();
        self.next_walk = self.due();
        let replication = self.replication.clone();
        let keep = async {
            if let Some(snapshot) = &snapshot {
                snapshot.keep().await;
            }
        };
        let replicate = async {
            if let Some(replication) = &replication {
                replication.run().await;
            }
        };
        tokio::join!(keep, replicate, self.work_forever());
    }

    async fn work_forever(&mut self) {
        let mut was_in_charge = self.is_in_charge();
        loop {
            let (is_in_charge, may_walk) = (self.is_in_charge(), self.may_walk());
            if !is_in_charge && self.walk.take().is_some() {
                // Another replica walks now.
                self.record_status(SyncState::Off);
            }
            if is_in_charge && !was_in_charge {
                self.next_walk = self.due();
            }
            was_in_charge = is_in_charge;
            let now = self.clock.elapsed();
            let walk_due = self.clock.sleep(self.next_walk.saturating_sub(now));
            let row_due = self.clock.sleep(self.next_row.saturating_sub(now));
            let newest_due = self.next_newest.map(|due| self.clock.sleep(due.saturating_sub(now)));
            let is_walking = self.walk.is_some();
            let list = Arc::clone(&self.list);
            let replication = self.replication.clone();
            tokio::select! {
                biased;
                walked = finished(&mut self.walk) => self.end_walk(walked).await,
                work = list.take_work(is_in_charge && now >= self.next_row) => self.work(work).await,
                () = row_due, if is_in_charge && now < self.next_row => {}
                () = walk_due, if !is_walking && may_walk => self.start_walk().await,
                () = async { newest_due.unwrap_or_else(|| Box::pin(pending())).await }, if may_walk => self.read_newest().await,
                () = async { match &replication { Some(it) => it.changed().await, None => pending().await } } => {}
            }
        }
    }

    /// Returns the time of the next walk after the walk that the list rests on.
    fn due(&self) -> Duration {
        self.list.stored().map_or(self.clock.elapsed(), |stored| stored.synced + self.settings().every)
    }

    fn is_in_charge(&self) -> bool {
        self.replication.as_ref().is_none_or(|replication| replication.is_in_charge())
    }

    fn may_walk(&self) -> bool {
        self.replication.as_ref().is_none_or(|replication| replication.may_walk())
    }

    /// Returns the number of purges before the rows that are read from now on.
    async fn purges(&self) -> Option<PurgeCount> {
        match &self.replication {
            Some(replication) => replication.purges().await,
            None => None,
        }
    }

    fn settings(&self) -> &SyncSettings {
        &self.copies.settings
    }

    async fn work(&mut self, Inbox { is_walk_requested, is_purged, purged, fetched, .. }: Inbox) {
        if is_purged {
            // The walk in progress has read rows before the purge.
            self.walk = None;
            self.record_status(SyncState::Off);
        }
        if is_walk_requested && self.is_in_charge() {
            if self.walk.is_none() {
                self.start_walk().await;
            }
        } else if is_walk_requested
            && !is_purged
            && let Some(replication) = &self.replication
        {
            replication.request_walk().await;
        }
        // An older page may lack a change that the list has.
        let synced = self.list.stored().map_or(Duration::MAX, |stored| stored.synced);
        let purges = *self.list.purges().borrow();
        let oldest = synced.max(self.last_purge);
        let is_newer = |fetched: &Fetched| fetched.started >= oldest && fetched.purges == purges;
        let walk_started = self.walk.as_ref().map_or(Duration::MAX, |walk| walk.started);
        for Fetched { page, started, .. } in fetched.into_iter().filter(is_newer) {
            // The walk may have read a newer row than a page from before its start.
            let remembered = if started < walk_started { Remembered::Never } else { Remembered::IfChanged };
            self.update(vec![Update::Rows(page)], remembered).await;
        }
        for id in purged {
            if !self.read_purged(&id).await {
                self.next_row = self.clock.elapsed() + ROW_RETRY;
                break;
            }
        }
    }

    /// Reads the current content of a purged row. Returns false if the vendor fails.
    async fn read_purged(&mut self, id: &str) -> bool {
        let purges = self.purges().await;
        self.list.metrics.record_call();
        let update = match self.source.read_customer(id).await {
            Ok(Some(page)) => Update::Rows(page),
            Ok(None) => Update::Deleted(id.into()),
            Err(_) => return false,
        };
        self.last_purge = self.clock.elapsed();
        // The walk in progress may have read the row before the purge.
        self.update(vec![update], Remembered::Always).await;
        if let Some(replication) = &self.replication {
            replication.record_row(id, purges);
        }
        self.list.release(id);
        true
    }

    async fn start_walk(&mut self) {
        let purges = self.purges().await;
        let walk = ListWalk {
            source: Arc::clone(&self.source),
            list: Arc::clone(&self.list),
            pacer: Arc::clone(&self.pacer),
            clock: Arc::clone(&self.clock),
            max_bytes: self.settings().max_bytes,
            calls: 0,
        };
        let previous = self.list.stored().map(|stored| Arc::clone(&stored.list));
        let started = self.clock.elapsed();
        self.next_walk = started + self.settings().every;
        self.list.update_status(|status| {
            status.is_walking = true;
            if previous.is_none() {
                status.state = SyncState::Walking;
            }
        });
        let task = AbortOnDropHandle::new(tokio::spawn(walk.run(previous)));
        self.walk = Some(RunningWalk { task, started, purges, updates: Vec::new() });
    }

    async fn end_walk(&mut self, (walk, walked): (RunningWalk, Result<Walked, WalkError>)) {
        match walked {
            Ok(_) if walk.updates.len() > MAX_UPDATES => {
                self.fail_walk(&WalkError::Unproven("too many rows changed during the walk".to_owned()));
            }
            Ok(walked) => self.store_walk(&walk, walked).await,
            Err(error) => self.fail_walk(&error),
        }
    }

    async fn store_walk(&mut self, walk: &RunningWalk, walked: Walked) {
        let Walked { list, changes, synced_at, synced, calls } = walked;
        let duration = self.clock.elapsed().saturating_sub(walk.started);
        let updates = walk.updates.clone();
        // Rows that the walk read before their changes.
        let applied = tokio::task::spawn_blocking(move || match apply_all(&list, &updates) {
            Some((list, _)) => list,
            None => list,
        });
        let Ok(list) = applied.await else { return self.fail_walk(&WalkError::Aborted) };
        self.failures = 0;
        if let Some(replication) = &self.replication {
            replication.record_walk(synced, walk.purges);
        }
        self.list.store(Some(Arc::new(Stored::new(Arc::new(list), synced_at, synced))));
        self.list.update_status(|status| {
            status.failure = None;
            status.last_walk = Some(WalkReport { duration, calls, changes });
        });
        self.record_status(SyncState::Complete);
        self.list.metrics.record_walk(WalkOutcome::Complete);
        self.list.metrics.record_changes(&changes);
        let Changes { created, updated, deleted } = changes;
        let (connection, resource) = (self.source.name(), self.list.resource.name());
        tracing::info!(%connection, resource, calls, created, updated, deleted, "list synchronized");
    }

    /// Keeps the list of the walk before, and repeats the walk later.
    fn fail_walk(&mut self, error: &WalkError) {
        let every = self.settings().every;
        let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(16)).min(every);
        self.failures = self.failures.saturating_add(1);
        let mut state = SyncState::Incomplete;
        self.next_walk = self.clock.elapsed() + wait;
        if matches!(error, WalkError::TooLarge) {
            state = SyncState::TooLarge;
            self.next_walk = self.clock.elapsed() + every;
            self.list.store(None);
        }
        self.list.metrics.record_walk(error.outcome());
        self.list.update_status(|status| status.failure = Some(error.to_string()));
        self.record_status(state);
        let (connection, resource) = (self.source.name(), self.list.resource.name());
        tracing::warn!(%connection, resource, %error, "list not synchronized");
    }

    /// Reads the newest rows until a known row, and adds them to the list.
    async fn read_newest(&mut self) {
        self.next_newest = self.settings().newest.map(|newest| self.clock.elapsed() + newest);
        let Some(stored) = self.list.stored() else { return };
        // A row may be purged while it is read.
        let _filling = self.list.begin_filling();
        let (mut updates, mut anchor) = (Vec::new(), Anchor::Start);
        for _ in 0..MAX_NEWEST_PAGES {
            self.list.metrics.record_call();
            let Ok(page) = self.source.read_page(self.list.resource, &anchor).await else { return };
            let known = (0..page.len()).find(|&row| stored.list.find(page.id(row)).is_some());
            let next = page.len().checked_sub(1).map(|last| Anchor::After(page.id(last).into()));
            updates.push(Update::Newest(Arc::clone(&page), 0..known.unwrap_or(page.len())));
            updates.push(Update::Rows(page));
            match next {
                Some(next) if known.is_none() => anchor = next,
                _ => {
                    // The rows of the last page come last in the list.
                    updates.reverse();
                    return self.update(updates, Remembered::IfChanged).await;
                }
            }
        }
        // Too many rows are new.
        self.list.request_walk();
    }

    /// Applies changes to the list, and remembers them for the walk in progress.
    async fn update(&mut self, updates: Vec<Update>, remembered: Remembered) {
        if updates.is_empty() {
            return;
        }
        let changed = loop {
            let Some(stored) = self.list.stored() else { break true };
            let (list, applied) = (Arc::clone(&stored.list), updates.clone());
            match tokio::task::spawn_blocking(move || apply_all(&list, &applied)).await {
                Ok(Some((list, _))) => {
                    if self.list.replace_if(&stored, stored.with_list(list)) {
                        break true;
                    }
                    // Another replica's list has arrived meanwhile.
                }
                Ok(None) | Err(_) => break false,
            }
        };
        if let Some(walk) = &mut self.walk
            && (remembered == Remembered::Always || (changed && remembered == Remembered::IfChanged))
            && walk.updates.len() <= MAX_UPDATES
        {
            walk.updates.extend(updates);
        }
        if changed {
            let state = self.list.status().state;
            self.record_status(state);
        }
    }

    fn record_status(&self, state: SyncState) {
        self.list.record(state, self.walk.is_some());
    }
}

/// Waits for the end of a walk and takes it. Never ends without a walk.
async fn finished(walk: &mut Option<RunningWalk>) -> (RunningWalk, Result<Walked, WalkError>) {
    let result = std::future::poll_fn(|context: &mut Context<'_>| match walk {
        Some(running) => Pin::new(&mut running.task).poll(context),
        None => Poll::Pending,
    });
    let result = result.await.unwrap_or(Err(WalkError::Aborted));
    match walk.take() {
        Some(running) => (running, result),
        None => pending().await,
    }
}
