//! A whole list, page after page: the walks stay open from one page to the
//! next, so that what is in memory is one page of each source (or all rows of
//! one that has to be sorted), however long the list.

use std::time::Duration;

use crate::{
    cache::CacheDirectives,
    clock::SharedClock,
    domain::priority::Priority,
    domain::{
        anchor::Direction,
        cursor::{Cursor, CursorError, CursorKey, Fingerprint},
        query::ListQuery,
    },
    upstream::SendError,
};

use super::{
    Directory, DirectoryError, PageRequest, Segment, SourceError, SourceReport,
    answer::SourceOutcome,
    listing::{Listing, SegmentBuilder},
    seal,
    walk::FetchMode,
};

/// How many rows are handed on at once.
const PAGE: usize = 100;
/// A vendor that asks for a longer wait than this is not waited for: an export
/// can be resumed from its last cursor.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// An export that has nothing to hand on for so long says where it stands: so
/// that no proxy takes it for dead, and little of a long search is lost with it.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);
/// Where a budget names no wait worth its while.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// A list on its way out.
pub struct Export {
    clock: SharedClock,
    cursor_key: CursorKey,
    request: PageRequest,
    fingerprint: Fingerprint,
    listing: Listing,
    taken: SegmentBuilder,
}

/// The next rows of an export.
#[derive(Debug)]
pub struct ExportPage {
    /// The rows, in list order.
    pub segments: Vec<Segment>,
    /// How many they are.
    pub count: usize,
    /// Where the list goes on behind them; `None` at its end.
    pub cursor: Option<String>,
    /// What each source has contributed so far.
    pub sources: Vec<SourceReport>,
    /// Why nothing more comes before the end of the list.
    pub trouble: Option<DirectoryError>,
}

impl Directory {
    /// Opens an export: its calls give way to callers', what it fetches is not
    /// kept, and no call budget bounds it but that of an order.
    pub fn export(&self, question: &ListQuery, request: PageRequest) -> Result<Export, DirectoryError> {
        // Who can wait for a vendor has no need of what is stale.
        let max_stale = request.directives.max_stale.or(Some(Duration::ZERO));
        let request =
            PageRequest { directives: CacheDirectives { no_store: true, max_stale, ..request.directives }, ..request };
        let (fingerprint, cursor) = self.opened(question, &request)?;
        if cursor.as_ref().is_some_and(|cursor| cursor.direction == Direction::Backward) {
            return Err(CursorError::Backward.into());
        }
        let listing = self.listing(question, &request, cursor, FetchMode::Execute(Priority::Background))?;
        Ok(Export {
            clock: self.clock.clone(),
            cursor_key: self.cursor_key.clone(),
            request,
            fingerprint,
            listing,
            taken: SegmentBuilder::new(Direction::Forward, PAGE),
        })
    }
}

impl Export {
    /// Makes a start, for so long at most: fails if something other than a
    /// rate limit stands before the first row.
    pub async fn begin(&mut self, patience: Duration) -> Result<(), DirectoryError> {
        match tokio::time::timeout(patience, self.listing.fill(&mut self.taken)).await {
            Ok(Err(error)) if self.taken.count() == 0 && !Self::is_rate_limited(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The next page, which is short or empty where more is long in coming. A
    /// vendor's rate limit is waited for; any other trouble ends the export,
    /// which can be resumed from its cursor.
    pub async fn next(&mut self) -> ExportPage {
        let (is_spent, error) = self.fill().await;
        self.listing.take_freshness();
        let count = self.taken.count();
        let segments = std::mem::replace(&mut self.taken, SegmentBuilder::new(Direction::Forward, PAGE)).finish();
        let mut sources = self.listing.reports();
        if let Some(error) = &error
            && let Some(culprit) = error.connection()
        {
            let culprits = sources.iter_mut().filter(|report| report.connection == *culprit);
            culprits.for_each(|report| report.outcome = SourceOutcome::Failed(error.clone()));
        }
        let failed = sources.iter().find_map(|report| match &report.outcome {
            SourceOutcome::Failed(error) => Some(error.clone()),
            _ => None,
        });
        // A source that was left out is tried again with each page, until
        // nothing else comes.
        let trouble = error.or(failed.filter(|_| is_spent && count == 0));
        match self.cursor() {
            Ok(cursor) => ExportPage { segments, count, cursor, sources, trouble },
            Err(error) => ExportPage { segments, count, cursor: None, sources, trouble: trouble.or(Some(error)) },
        }
    }

    /// Takes the rows of a page. Says whether no source has more to give, and
    /// what stands before the first row.
    async fn fill(&mut self) -> (bool, Option<DirectoryError>) {
        let mut silence = self.clock.sleep(LONGEST_SILENCE);
        loop {
            let filled = tokio::select! {
                biased;
                filled = self.listing.fill(&mut self.taken) => filled,
                () = &mut silence => return (false, None),
            };
            let Err(error) = filled else { return (self.taken.count() < PAGE, None) };
            // The rows before the trouble go out first; it will come again.
            if self.taken.count() > 0 {
                return (false, None);
            }
            let Some(wait) = wait_of(&error).filter(|wait| *wait <= LONGEST_WAIT) else {
                return (false, Some(error));
            };
            tokio::select! {
                () = self.clock.sleep(wait.max(SHORTEST_WAIT)) => {}
                () = &mut silence => return (false, None),
            }
        }
    }

    /// Where the export goes on, as far as its rows were handed out; `None` at
    /// its end.
    fn cursor(&mut self) -> Result<Option<String>, DirectoryError> {
        let [_, sources] = self.listing.standings()?;
        let cursor = Cursor { query: self.fingerprint, direction: Direction::Forward, sources };
        seal(&self.cursor_key, &cursor, &self.request)
    }

    /// Whether waiting may help an error.
    pub(super) fn is_rate_limited(error: &DirectoryError) -> bool {
        wait_of(error).is_some_and(|wait| wait <= LONGEST_WAIT)
    }
}

/// How long a rate limit is to be waited for.
fn wait_of(error: &DirectoryError) -> Option<Duration> {
    match error {
        DirectoryError::Source(_, SourceError::RateLimited { retry_after, .. }) => {
            Some(retry_after.unwrap_or(Duration::from_secs(1)))
        }
        DirectoryError::Source(
            _,
            SourceError::Send(SendError::BudgetSpent { retry_after } | SendError::ShareSpent { retry_after }),
        ) => Some(*retry_after),
        _ => None,
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("request", &self.request).finish_non_exhaustive()
    }
}
