//! A whole list, page after page: the walks stay open from one page to the
//! next, so that what is in memory is one page of each source (or all rows of
//! one that has to be sorted), however long the list.

use std::time::Duration;

use crate::{
    cache::Demand,
    clock::SharedClock,
    domain::{
        cursor::{Cursor, CursorKey, Fingerprint},
        position::Direction,
        question::Question,
    },
    upstream::{Priority, SendError},
};

use super::{
    Directory, DirectoryError, PageRequest, Segment, SourceError, SourceReport,
    answer::Outcome,
    listing::{Listing, Taken},
    seal,
    walk::Manner,
};

/// How many rows are handed on at once.
const PAGE: usize = 100;
/// A vendor that asks for a longer wait than this is not waited for: an export
/// can be resumed from its last cursor.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Where a budget names no wait worth its while.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// A list on its way out.
pub struct Export {
    clock: SharedClock,
    cursor_key: CursorKey,
    request: PageRequest,
    fingerprint: Fingerprint,
    listing: Listing,
    taken: Taken,
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
    /// Each source that is in trouble and was left out.
    pub failed: Vec<SourceReport>,
}

impl Directory {
    /// Opens an export: its calls give way to callers', what it fetches is not
    /// kept, and no call budget bounds it but that of an order.
    pub fn export(&self, question: &Question, request: PageRequest) -> Result<Export, DirectoryError> {
        let demand = Demand { no_store: true, ..request.demand };
        let request = PageRequest { demand, ..request };
        let (fingerprint, cursor) = self.opened(question, &request)?;
        let listing = self.listing(question, &request, cursor, Manner::Ask(Priority::Background))?;
        Ok(Export {
            clock: self.clock.clone(),
            cursor_key: self.cursor_key.clone(),
            request,
            fingerprint,
            listing,
            taken: Taken::new(Direction::Forward, PAGE),
        })
    }
}

impl Export {
    /// The next page. A vendor's rate limit is waited for if `waits`; any other
    /// trouble ends the export, which can be resumed from [`Export::cursor`].
    pub async fn next(&mut self, waits: bool) -> Result<ExportPage, DirectoryError> {
        while let Err(error) = self.listing.fill(&mut self.taken).await {
            match wait_of(&error).filter(|wait| waits && *wait <= LONGEST_WAIT) {
                Some(wait) => self.clock.sleep(wait.max(SHORTEST_WAIT)).await,
                // The rows before the trouble go out first; it will come again.
                None if self.taken.count() > 0 => break,
                None => return Err(error),
            }
        }
        self.listing.take_freshness();
        let count = self.taken.count();
        let segments = std::mem::replace(&mut self.taken, Taken::new(Direction::Forward, PAGE)).finish();
        let is_failed = |report: &SourceReport| matches!(report.outcome, Outcome::Failed(_));
        let failed = self.listing.reports().into_iter().filter(is_failed).collect();
        Ok(ExportPage { segments, count, cursor: self.cursor()?, failed })
    }

    /// Where the export goes on, as far as its rows were handed out; `None` at
    /// its end.
    pub fn cursor(&mut self) -> Result<Option<String>, DirectoryError> {
        let [_, sources] = self.listing.standings()?;
        let cursor = Cursor { question: self.fingerprint, direction: Direction::Forward, sources };
        seal(&self.cursor_key, &cursor, &self.request)
    }

    /// Whether waiting may help an error.
    #[must_use]
    pub fn may_wait(error: &DirectoryError) -> bool {
        wait_of(error).is_some_and(|wait| wait <= LONGEST_WAIT)
    }
}

/// How long a rate limit is to be waited for.
fn wait_of(error: &DirectoryError) -> Option<Duration> {
    match error {
        DirectoryError::Source(_, SourceError::RateLimited { retry_after, .. }) => {
            Some(retry_after.unwrap_or(Duration::from_secs(1)))
        }
        DirectoryError::Source(_, SourceError::Send(SendError::BudgetSpent { retry_after })) => Some(*retry_after),
        _ => None,
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("request", &self.request).finish_non_exhaustive()
    }
}
