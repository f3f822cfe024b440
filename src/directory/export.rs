//! Exports of whole lists, page by page.
//!
//! The walks stay open between pages. Memory therefore holds one vendor page of
//! each source, regardless of the length of the list. A source that must be
//! sorted is the exception: all its rows are in memory.

use std::{fmt, time::Duration};

use crate::{
    cache::CacheDirectives,
    clock::SharedClock,
    domain::{
        anchor::Direction,
        cursor::{Cursor, CursorError, Fingerprint, MAX_LENGTH},
        priority::Priority,
        query::ListQuery,
    },
    vendors::VendorError,
};

use super::{
    Deadline, Directory, DirectoryError, PageRequest, Segment, SourceOutcome, SourceReport, UnservedRows,
    cursors::Cursors, listing::Listing, page_builder::PageBuilder, skip_policy::export_wait, walk::FetchMode,
};

/// Number of rows per page.
const PAGE_ROWS: usize = 100;
/// Maximum time between two pages. An empty page after this time prevents a
/// proxy timeout, and its cursor preserves the progress of a long search.
const MAX_SILENCE: Duration = Duration::from_secs(15);
/// Minimum wait for a rate limit.
const MIN_WAIT: Duration = Duration::from_millis(100);

/// Export of a list.
pub struct Export {
    clock: SharedClock,
    cursors: Cursors,
    request: PageRequest,
    fingerprint: Fingerprint,
    listing: Listing,
    page: PageBuilder,
}

/// Page of an export.
#[derive(Debug)]
pub struct ExportPage {
    /// Rows in list order.
    pub segments: Vec<Segment>,
    /// Number of rows.
    pub count: usize,
    /// Cursor after the last row; `None` at the end of the list.
    pub cursor: Option<String>,
    /// Outcome of each source so far.
    pub sources: Vec<SourceReport>,
    /// Failure that ended the export before the end of the list.
    pub failure: Option<DirectoryError>,
}

impl Directory {
    /// Creates an export. Its vendor calls yield to callers, and its pages are
    /// not stored in the cache. Their number is not limited.
    pub async fn export(&self, query: &ListQuery, request: PageRequest) -> Result<Export, DirectoryError> {
        // An export can wait for the vendor, so it requires no stale pages.
        let max_stale = request.directives.max_stale.or(Some(Duration::ZERO));
        let request =
            PageRequest { directives: CacheDirectives { no_store: true, max_stale, ..request.directives }, ..request };
        let request = PageRequest { deadline: Deadline::none(), ..request };
        let start = self.cursors.open(query, &request).await?;
        if start.direction == Direction::Backward {
            return Err(CursorError::Backward.into());
        }
        let fingerprint = start.fingerprint;
        let listing = self.listing(query, &request, start, FetchMode::Execute(Priority::Export))?;
        Ok(Export {
            clock: self.clock.clone(),
            cursors: self.cursors.clone(),
            request,
            fingerprint,
            listing,
            page: empty_page(),
        })
    }
}

impl Export {
    /// Starts the first page, for at most `timeout`. Fails if an error other
    /// than a rate limit occurs before the first row.
    pub async fn begin(&mut self, timeout: Duration) -> Result<(), DirectoryError> {
        match tokio::time::timeout(timeout, self.listing.fill(&mut self.page)).await {
            Ok(Err(error)) if self.page.count() == 0 && export_wait(&error).is_none() => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns the next page, which is short or empty if its rows take long.
    /// Waits for a vendor's rate limit. Any other failure ends the export,
    /// which can be resumed from its cursor.
    pub async fn next(&mut self) -> ExportPage {
        let filled = self.fill().await;
        self.listing.take_freshness();
        let count = self.page.count();
        let segments = std::mem::replace(&mut self.page, empty_page()).finish();
        let cursor = self.cursor().await;
        let mut sources = self.listing.take_reports();
        if let Some(error) = &filled.failure
            && let Some(connection) = error.connection()
        {
            let failed = sources.iter_mut().filter(|report| report.connection == *connection);
            failed.for_each(|report| report.outcome = SourceOutcome::Failed(error.clone()));
        }
        let skipped = sources.iter().find_map(|report| match &report.outcome {
            SourceOutcome::Failed(error) => Some(error.clone()),
            _ => None,
        });
        // Each page retries the sources that failed. Their failure ends the
        // export when no other source has rows.
        let failure = filled.failure.or(skipped.filter(|_| filled.is_exhausted && count == 0));
        match cursor {
            Ok(None) => {
                let failure = failure.or_else(|| missing_rows(&sources));
                ExportPage { segments, count, cursor: None, sources, failure }
            }
            Ok(cursor) => ExportPage { segments, count, cursor, sources, failure },
            Err(error) => ExportPage { segments, count, cursor: None, sources, failure: failure.or(Some(error)) },
        }
    }

    /// Fills the page until it is full, `MAX_SILENCE` has passed, or a failure
    /// occurs.
    async fn fill(&mut self) -> Filled {
        let mut silence = self.clock.sleep(MAX_SILENCE);
        loop {
            let filled = tokio::select! {
                biased;
                filled = self.listing.fill(&mut self.page) => filled,
                () = &mut silence => return Filled::default(),
            };
            let Err(error) = filled else {
                return Filled { is_exhausted: self.page.count() < PAGE_ROWS, failure: None };
            };
            // The rows before the failure go out first. The next page repeats
            // the call that failed.
            if self.page.count() > 0 {
                return Filled::default();
            }
            let Some(wait) = export_wait(&error) else {
                return Filled { is_exhausted: false, failure: Some(error) };
            };
            tokio::select! {
                () = self.clock.sleep(wait.max(MIN_WAIT)) => {}
                () = &mut silence => return Filled::default(),
            }
        }
    }

    /// Returns the cursor after the rows returned so far; `None` at the end of
    /// the list.
    async fn cursor(&mut self) -> Result<Option<String>, DirectoryError> {
        let sources = self.listing.bounds()?.after;
        let cursor = Cursor { query: self.fingerprint, direction: Direction::Forward, sources };
        Ok(self.cursors.seal(&cursor, &self.request.caller.name, MAX_LENGTH).await.map(|cursor| cursor.text))
    }
}

/// Result of filling a page.
#[derive(Default)]
struct Filled {
    /// True if no source has more rows.
    is_exhausted: bool,
    /// Failure before the first row.
    failure: Option<DirectoryError>,
}

/// Returns the failure of an export whose list lacks rows that a vendor sent or
/// claims. Null rows have no content, so their absence is no failure.
fn missing_rows(sources: &[SourceReport]) -> Option<DirectoryError> {
    sources.iter().find_map(|report| match report.outcome {
        SourceOutcome::Answered { shortfall: Some(shortfall), .. } => {
            Some(DirectoryError::Truncated(report.connection.clone(), shortfall))
        }
        SourceOutcome::Answered { unserved, .. } if unserved.has_content() => {
            let UnservedRows { unreadable, undecided, .. } = unserved;
            let detail =
                format!("rows that cannot be read: {unreadable}; rows that a filter cannot decide: {undecided}");
            Some(DirectoryError::Source(report.connection.clone(), VendorError::Unreadable(detail).into()))
        }
        _ => None,
    })
}

fn empty_page() -> PageBuilder {
    PageBuilder::new(Direction::Forward, PAGE_ROWS)
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("request", &self.request).finish_non_exhaustive()
    }
}
