//! Walk of a whole list, with the proof that it is complete.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    clock::SharedClock,
    copies::{Changes, ListCopy, RecordError, Recorder, StoredList, WalkOutcome},
    directory::{Source, SourceError},
    domain::{
        anchor::{Anchor, Neighbour},
        cycle::{AnchorFingerprint, CycleDetector},
        page::RecordPage,
    },
};

use super::pacer::Pacer;

/// Attempts to read a page.
const ATTEMPTS: u32 = 6;
/// Wait after the first failed attempt. Each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Walk of a list.
pub(super) struct ListWalk {
    pub(super) source: Arc<Source>,
    pub(super) pacer: Arc<Pacer>,
    pub(super) clock: SharedClock,
    pub(super) max_bytes: u64,
    pub(super) list: Arc<ListCopy>,
    /// Calls so far.
    pub(super) calls: u64,
}

/// Complete list.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) list: StoredList,
    pub(super) changes: Changes,
    /// Start of the walk.
    pub(super) synced_at: Timestamp,
    /// The same instant on the clock of the process.
    pub(super) synced: Duration,
    pub(super) calls: u64,
}

/// Reason why a walk has no complete list.
#[derive(Debug, thiserror::Error)]
pub(super) enum WalkError {
    /// The list exceeds its maximum memory.
    #[error("the list exceeds `max_bytes`")]
    TooLarge,
    /// The vendor's responses contradict each other, or do not prove the end.
    #[error("{0}")]
    Unproven(String),
    /// The vendor does not answer.
    #[error("the vendor does not answer: {0}")]
    Source(SourceError),
    /// The task that records the rows ended early.
    #[error("the recording ended early")]
    Aborted,
}

impl WalkError {
    /// Returns the outcome of the walk.
    pub(super) fn outcome(&self) -> WalkOutcome {
        match self {
            Self::TooLarge => WalkOutcome::TooLarge,
            Self::Unproven(_) => WalkOutcome::Incomplete,
            Self::Source(_) | Self::Aborted => WalkOutcome::Failed,
        }
    }
}

impl From<RecordError> for WalkError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::TooLarge => Self::TooLarge,
            RecordError::Repeated(_) => Self::Unproven(error.to_string()),
        }
    }
}

/// Proof of completeness: what the vendor's pages say about the whole list.
struct Proof {
    /// True if the vendor lists the newest rows first and pages by id. New rows then
    /// appear before the first page and move no others.
    is_newest_first: bool,
    /// The vendor's row count in the first page.
    total: Option<u64>,
    /// Number of rows so far, dropped rows included.
    rows: u64,
}

impl ListWalk {
    /// Walks the list. Rows that equal those of `previous` share its memory.
    pub(super) async fn run(mut self, previous: Option<Arc<StoredList>>) -> Result<Walked, WalkError> {
        let (synced_at, synced) = (self.clock.now(), self.clock.elapsed());
        let mut recorder = Recorder::new(previous, self.max_bytes);
        let (mut anchor, mut cycle) = (Anchor::Start, CycleDetector::default());
        let mut proof: Option<Proof> = None;
        let mut newest = None;
        loop {
            let page = self.read(&anchor).await?;
            let proof = proof.get_or_insert_with(|| Proof::new(self.is_newest_first(), &page));
            proof.add(&page)?;
            if newest.is_none() {
                newest = (!page.is_empty()).then(|| Box::<str>::from(page.id(0)));
            }
            let next = page.info().next.clone();
            recorder = record(recorder, anchor, page).await?;
            anchor = match next {
                Neighbour::At(next) => next,
                Neighbour::End => break,
                Neighbour::Unknown => return Err(unproven("the vendor does not say where the list continues")),
            };
            cycle = cycle
                .enter(AnchorFingerprint::new(&anchor))
                .ok_or_else(|| unproven("the vendor's pages lead back to an earlier page"))?;
        }
        let finished = tokio::task::spawn_blocking(|| recorder.finish()).await;
        let (mut list, mut changes) = finished.map_err(|_| WalkError::Aborted)??;
        if let Some(proof) = proof {
            self.confirm(proof, newest.as_deref(), &mut list, &mut changes).await?;
        }
        Ok(Walked { list, changes, synced_at, synced, calls: self.calls })
    }

    /// Compares the number of rows with the vendor's count. Rows that were created
    /// during the walk are before the first page.
    async fn confirm(
        &mut self,
        mut proof: Proof,
        newest: Option<&str>,
        list: &mut StoredList,
        changes: &mut Changes,
    ) -> Result<(), WalkError> {
        if !proof.is_newest_first {
            let total = proof.total.ok_or_else(|| unproven("the vendor does not count its rows"))?;
            return proof.check(total);
        }
        if proof.total.is_none() {
            // The vendor marks the end by a flag and has no count.
            return Ok(());
        }
        let page = self.read(&Anchor::Start).await?;
        let created = newest.map_or(Some(page.len()), |newest| page.find(newest));
        let created = created.ok_or_else(|| unproven("too many rows were created during the walk"))?;
        if let Some((with_created, created)) = list.with_newest(&page, 0..created) {
            proof.rows += created.created;
            *changes = changes.plus(created);
            *list = with_created;
        }
        match page.info().total {
            Some(total) => proof.check(total),
            None => Ok(()),
        }
    }

    fn is_newest_first(&self) -> bool {
        self.source.lists_newest_first(self.list.resource)
    }

    /// Reads a page. Repeats the call while the vendor fails.
    async fn read(&mut self, anchor: &Anchor) -> Result<Arc<RecordPage>, WalkError> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            self.pacer.turn().await;
            self.calls += 1;
            self.list.metrics.record_call();
            match self.source.read_page(self.list.resource, anchor).await {
                Ok(page) => return Ok(page),
                Err(error) if attempt < ATTEMPTS && error.is_transient() => {
                    self.clock.sleep(error.retry_after().unwrap_or(Duration::ZERO).max(wait)).await;
                    wait *= 2;
                }
                Err(error) => return Err(WalkError::Source(error)),
            }
        }
        Err(WalkError::Aborted)
    }
}

impl Proof {
    fn new(is_newest_first: bool, first: &RecordPage) -> Self {
        Self { is_newest_first, total: total(first), rows: 0 }
    }

    /// Adds a page. Fails if it contradicts the pages before.
    fn add(&mut self, page: &RecordPage) -> Result<(), WalkError> {
        self.rows += u64::from(page.info().rows);
        // Among the rows of a vendor without an order, new rows may be anywhere.
        if !self.is_newest_first && total(page) != self.total {
            return Err(unproven("the vendor's row count changed during the walk"));
        }
        Ok(())
    }

    /// Fails if the vendor's count differs from the number of rows.
    fn check(&self, total: u64) -> Result<(), WalkError> {
        let Self { rows, .. } = self;
        if total == *rows {
            return Ok(());
        }
        Err(WalkError::Unproven(format!("the vendor counts {total} rows and sent {rows}")))
    }
}

/// Returns the vendor's row count in a page, as sent.
fn total(page: &RecordPage) -> Option<u64> {
    page.info().claimed_total.or(page.info().total)
}

fn unproven(reason: &str) -> WalkError {
    WalkError::Unproven(reason.to_owned())
}

/// Records a page on a thread of its own, because compression takes time.
async fn record(mut recorder: Recorder, anchor: Anchor, page: Arc<RecordPage>) -> Result<Recorder, WalkError> {
    let recording = tokio::task::spawn_blocking(move || recorder.push_page(&anchor, &page).map(|()| recorder));
    match recording.await {
        Ok(Ok(recorder)) => Ok(recorder),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(WalkError::Aborted),
    }
}
