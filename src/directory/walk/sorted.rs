//! Walk in an order that the vendor does not keep: all rows of the source,
//! sorted by (`created_at`, `id`).

use std::sync::Arc;

use crate::{
    cache::{Entry, Gap},
    domain::{
        anchor::{Anchor, Direction, Neighbour},
        cycle::{AnchorFingerprint, CycleDetector},
        page::RecordPage,
        position::{Side, SourcePosition},
        progress::Progress,
        query::Order,
    },
    vendors::{PAGE_SIZE, capabilities::ListCapabilities},
};

use super::{
    super::{CallEstimate, DirectoryError, SortLimit, SourceError},
    Next, PageSummary, Pages, Row, RowCursor, ScanOptions, Stop,
    view::{OpenView, View, ViewSource},
    views::ViewKey,
};

/// Walk through all rows of a source, sorted.
pub(in crate::directory) struct Sorted {
    pub(super) pages: Pages,
    scan: ScanOptions,
    order: Order,
    direction: Direction,
    start: SourcePosition,
    /// Pages of an unfinished scan. A retry continues the scan after a failure.
    loaded: Loaded,
    view: Option<OpenView>,
    /// Number of rows in the view before the gap.
    index: usize,
    /// True if a row was taken.
    has_advanced: bool,
}

/// Pages that the scan has read.
struct Loaded {
    pages: Vec<Arc<Entry>>,
    /// Next page; `None` after the last page.
    next: Option<(Anchor, CycleDetector)>,
    progress: Progress,
    /// Number of rows in the pages.
    rows: u64,
}

impl Sorted {
    pub(super) fn new(
        pages: Pages,
        scan: ScanOptions,
        order: Order,
        direction: Direction,
        start: SourcePosition,
    ) -> Self {
        let loaded = Loaded::default();
        Self { pages, scan, order, direction, start, loaded, view: None, index: 0, has_advanced: false }
    }

    /// Finds the sorted view, or reads all pages and sorts the rows.
    pub(super) async fn begin(&mut self) -> Result<(), Stop> {
        if self.view.is_some() || self.start.is_exhausted(self.direction) {
            return Ok(());
        }
        let view = self.open().await?;
        self.index = match &self.start {
            SourcePosition::Start => 0,
            SourcePosition::End(None) => view.len(),
            SourcePosition::At(position) | SourcePosition::End(Some(position)) => view.locate(position, self.order),
        };
        self.start = view.position(self.index);
        self.view = Some(view);
        Ok(())
    }

    /// Moves to the next row.
    pub(super) async fn next(&mut self) -> Result<Next, Stop> {
        self.begin().await?;
        Ok(if self.row().is_some() { Next::Row } else { Next::End })
    }

    /// Returns the cached view if all its pages are fresh. Otherwise, reads the
    /// pages one by one, which may lead to the same view.
    async fn open(&mut self) -> Result<OpenView, Stop> {
        let residual = self.pages.plan.residual.clone();
        let key = ViewKey { first_page: self.pages.key(&Anchor::Start)?, order: self.order, residual };
        let cached = self.scan.views.get(&key);
        if self.loaded.pages.is_empty()
            && let Some(view) = &cached
            && let Some(pages) = self.pages.reuse(view)
        {
            let first = pages.first().map(|first| &*first.page);
            self.check_cost(first, view.rows_read)?;
            self.pages.source.metrics.record_view(true);
            return Ok(OpenView::new(Arc::clone(view), pages));
        }
        self.load().await?;
        let same = cached.filter(|view| view.pages.are(&self.loaded.pages));
        if self.pages.is_executed() {
            self.pages.source.metrics.record_view(same.is_some());
        }
        let view = match same {
            Some(view) => view,
            None => self.sort(key).await?,
        };
        let Loaded { pages, .. } = std::mem::take(&mut self.loaded);
        Ok(OpenView::new(view, pages))
    }

    /// Reads all pages that are not yet read.
    async fn load(&mut self) -> Result<(), Stop> {
        while let Some((anchor, cycle)) = self.loaded.next.clone() {
            let entry = match self.pages.fetch(&anchor, self.loaded.gap(), false).await {
                Ok(read) => read.entry,
                Err(Stop::BudgetExhausted) => {
                    let limit = self.scan.call_limit(self.pages.allowed_calls());
                    return Err(self.too_expensive(self.loaded.total(), limit).into());
                }
                // A sorted list has no part that could be returned.
                Err(Stop::OutOfTime(error)) => return Err(error.into()),
                Err(stop) => return Err(stop),
            };
            let next = match entry.page.info().next.clone() {
                Neighbour::End => None,
                Neighbour::At(next) => {
                    Some((next.clone(), self.pages.detect_cycle(cycle, AnchorFingerprint::new(&next))?))
                }
                Neighbour::Unknown => return Err(self.pages.expired().into()),
            };
            self.loaded.push(entry, next);
            self.check_cost(self.loaded.first(), self.loaded.rows)?;
        }
        Ok(())
    }

    /// Sorts the rows of all pages, and stores the view if its pages are stored.
    /// The pages stay loaded, because the caller may drop this future.
    async fn sort(&mut self, key: ViewKey) -> Result<Arc<View>, DirectoryError> {
        let Some(summary) = self.pages.page_summary() else { return Err(self.aborted()) };
        let Loaded { pages, progress, rows, .. } = &self.loaded;
        let source = ViewSource {
            pages: pages.clone(),
            filter: self.pages.filter.clone(),
            order: self.order,
            progress: *progress,
            summary,
            rows_read: *rows,
        };
        // Other requests of this thread do not wait for the sort.
        let sorted = tokio::task::spawn_blocking(move || Arc::new(View::new(&source))).await;
        let view = sorted.map_err(|_| self.aborted())?;
        if self.pages.stores_pages() {
            self.scan.views.insert(key, &view);
        }
        Ok(view)
    }

    /// Fails if the rows exceed a limit, given the first page and the number of
    /// rows read.
    fn check_cost(&self, first: Option<&RecordPage>, rows_read: u64) -> Result<(), DirectoryError> {
        let total = first.and_then(|first| first.info().total);
        let max_rows = u64::from(self.scan.max_rows);
        if total.unwrap_or(0).max(rows_read) > max_rows {
            return Err(self.too_expensive(total.filter(|&total| total > max_rows), self.scan.row_limit()));
        }
        let allowed = self.pages.allowed_calls();
        if first.map_or(0, page_count) > u64::from(allowed) {
            return Err(self.too_expensive(total, self.scan.call_limit(allowed)));
        }
        Ok(())
    }

    fn too_expensive(&self, rows: Option<u64>, limit: SortLimit) -> DirectoryError {
        let source = &self.pages.source;
        DirectoryError::OrderTooExpensive {
            connection: source.name().clone(),
            rows,
            limit,
            native: source
                .capabilities()
                .list(self.pages.plan.resource)
                .map(ListCapabilities::native)
                .unwrap_or_default(),
        }
    }

    fn aborted(&self) -> DirectoryError {
        self.pages.source.with_connection(SourceError::Aborted)
    }
}

impl RowCursor for Sorted {
    fn row(&self) -> Option<Row> {
        let index = match self.direction {
            Direction::Forward => self.index,
            Direction::Backward => self.index.checked_sub(1)?,
        };
        self.view.as_ref()?.row(index)
    }

    fn advance(&mut self) {
        self.has_advanced = true;
        self.index = match self.direction {
            Direction::Forward => self.index + 1,
            Direction::Backward => self.index.saturating_sub(1),
        };
    }

    fn start_position(&self) -> SourcePosition {
        self.start.clone()
    }

    fn current_position(&mut self) -> Result<SourcePosition, DirectoryError> {
        Ok(self.position_in_page())
    }

    fn position_in_page(&self) -> SourcePosition {
        self.view.as_ref().map_or_else(|| self.start.clone(), |view| view.position(self.index))
    }

    fn has_advanced(&self) -> bool {
        self.has_advanced
    }

    /// All pages are required. Their number is known from the first page.
    fn remaining_calls(&self) -> Option<CallEstimate> {
        let pages = page_count(self.pages.predicted_start()?);
        let remaining = u32::try_from(pages.saturating_sub(self.pages.predicted_count())).unwrap_or(u32::MAX);
        Some(CallEstimate { min: remaining, max: remaining })
    }

    /// The scan has read all rows, so their count is exact for any filter.
    fn summary(&self) -> Option<PageSummary> {
        let Some(view) = &self.view else { return Some(PageSummary { total: None, ..self.pages.summary(0)? }) };
        let summary = view.summary();
        let is_exact = !summary.unserved.has_content();
        Some(PageSummary { total: is_exact.then_some(view.len() as u64), ..summary })
    }
}

impl Loaded {
    /// Adds a page and the place of the page after it. The page may repeat rows of
    /// the page before it.
    fn push(&mut self, entry: Arc<Entry>, next: Option<(Anchor, CycleDetector)>) {
        let repeated = self.last_id().and_then(|id| entry.page.find(id)).map_or(0, |last| last + 1);
        self.progress = self.progress.after(entry.page.info()).without(repeated);
        self.rows = self.rows.saturating_add((entry.page.len() - repeated) as u64);
        self.next = next;
        self.pages.push(entry);
    }

    /// Returns the gap after the last row.
    fn gap(&self) -> Option<Gap> {
        let id = self.last_id()?.into();
        let rows_before = Some(self.progress.rows());
        Some(Gap { id, side: Side::After, direction: Direction::Forward, rows_before, offset: 0 })
    }

    fn last_id(&self) -> Option<&str> {
        let page = &self.pages.last()?.page;
        page.len().checked_sub(1).map(|last| page.id(last))
    }

    fn first(&self) -> Option<&RecordPage> {
        self.pages.first().map(|first| &*first.page)
    }

    /// Returns the vendor's row count in the first page.
    fn total(&self) -> Option<u64> {
        self.first()?.info().total
    }
}

impl Default for Loaded {
    fn default() -> Self {
        let next = Some((Anchor::Start, CycleDetector::default()));
        Self { pages: Vec::new(), next, progress: Progress::default(), rows: 0 }
    }
}

/// Returns the number of pages, by the row count in the first page.
fn page_count(first: &RecordPage) -> u64 {
    first.info().total.unwrap_or(0).div_ceil(PAGE_SIZE as u64)
}
