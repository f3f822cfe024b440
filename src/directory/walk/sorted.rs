//! Walk in an order that the vendor does not keep: all rows of the source,
//! sorted by (`created_at`, `id`).

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use crate::{
    domain::{
        anchor::{Anchor, Direction, Instant, Neighbour},
        cycle::CycleDetector,
        page::RecordPage,
        position::{Position, RowKey, Side, SourcePosition},
        progress::{Progress, Shortfall},
        query::Order,
        residual::Match,
    },
    vendors::{PAGE_SIZE, capabilities::ListCapabilities},
};

use super::{
    super::{CallEstimate, DirectoryError},
    Next, PageSummary, Pages, Row, RowCursor, Stop,
};

/// Walk through all rows of a source, sorted.
pub(in crate::directory) struct Sorted {
    pub(super) pages: Pages,
    order: Order,
    direction: Direction,
    start: SourcePosition,
    /// Pages of an unfinished scan. A retry continues the scan after a failure.
    loaded: Loaded,
    view: Option<View>,
    /// Number of rows in the view before the gap.
    index: usize,
    /// True if a row was taken.
    has_advanced: bool,
}

/// Pages that the scan has read, and the next page.
#[derive(Default)]
struct Loaded {
    pages: Vec<Arc<RecordPage>>,
    next: Option<(Anchor, CycleDetector)>,
    progress: Progress,
}

/// Matching rows in order. Rows without `created_at` count as the oldest.
struct View {
    pages: Vec<Arc<RecordPage>>,
    rows: Vec<RowRef>,
    /// Number of rows that the filter could not decide.
    undecided: u32,
    /// Shortfall of a scan that ended before the vendor's row count.
    shortfall: Option<Shortfall>,
}

/// Row of a view, with its sort key.
#[derive(Clone, Copy)]
struct RowRef {
    created_at: Option<jiff::Timestamp>,
    page: usize,
    index: usize,
}

impl Sorted {
    pub(super) fn new(pages: Pages, order: Order, direction: Direction, start: SourcePosition) -> Self {
        Self { pages, order, direction, start, loaded: Loaded::default(), view: None, index: 0, has_advanced: false }
    }

    /// Reads all pages and sorts the rows.
    pub(super) async fn begin(&mut self) -> Result<(), Stop> {
        if self.view.is_some() || self.start.is_exhausted(self.direction) {
            return Ok(());
        }
        let view = self.load().await?;
        self.index = match &self.start {
            SourcePosition::Start => 0,
            SourcePosition::End(None) => view.rows.len(),
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

    async fn load(&mut self) -> Result<View, Stop> {
        loop {
            let (anchor, cycle) = self.loaded.next.clone().unwrap_or((Anchor::Start, CycleDetector::default()));
            let page = match self.pages.fetch(&anchor, None, false).await {
                Ok(page) => page,
                Err(Stop::BudgetExhausted) => return Err(self.too_expensive().into()),
                // A sorted list has no part that could be returned.
                Err(Stop::OutOfTime(error)) => return Err(error.into()),
                Err(stop) => return Err(stop),
            };
            let next = page.info().next.clone();
            self.loaded.progress = self.loaded.progress.after(page.info());
            self.loaded.pages.push(page);
            if self.loaded.expected_pages() > u64::from(self.pages.allowed_calls()) {
                return Err(self.too_expensive().into());
            }
            match next {
                Neighbour::End => break,
                Neighbour::At(next) => self.loaded.next = Some((next.clone(), self.pages.detect_cycle(cycle, &next)?)),
                Neighbour::Unknown => return Err(self.pages.expired().into()),
            }
        }
        Ok(View::new(std::mem::take(&mut self.loaded), &self.pages, self.order))
    }

    fn too_expensive(&self) -> DirectoryError {
        DirectoryError::OrderTooExpensive {
            connection: self.pages.source.name().clone(),
            rows: self.loaded.pages.first().and_then(|page| page.info().total),
            allowed: self.pages.allowed_calls(),
            native: self
                .pages
                .source
                .capabilities()
                .list(self.pages.plan.resource)
                .map(ListCapabilities::native)
                .unwrap_or_default(),
        }
    }
}

impl RowCursor for Sorted {
    fn row(&self) -> Option<Row> {
        let index = match self.direction {
            Direction::Forward => self.index,
            Direction::Backward => self.index.checked_sub(1)?,
        };
        let view = self.view.as_ref()?;
        let row = view.rows.get(index)?;
        Some(Row { page: Arc::clone(&view.pages[row.page]), index: row.index })
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
        let undecided = self.view.as_ref().map_or(0, |view| view.undecided);
        let mut summary = self.pages.summary(undecided)?;
        let is_exact = !summary.unserved.has_content();
        summary.total = self.view.as_ref().filter(|_| is_exact).map(|view| view.rows.len() as u64);
        summary.shortfall = self.view.as_ref().and_then(|view| view.shortfall);
        Some(summary)
    }
}

impl Loaded {
    /// Returns the number of pages, by the row count in the first page.
    fn expected_pages(&self) -> u64 {
        self.pages.first().map_or(0, |first| page_count(first))
    }
}

impl View {
    fn new(loaded: Loaded, source: &Pages, order: Order) -> Self {
        let Loaded { pages, progress, .. } = loaded;
        let (mut rows, mut undecided) = (Vec::new(), 0);
        let mut ids = HashSet::new();
        for (number, page) in pages.iter().enumerate() {
            for index in 0..page.len() {
                let matches = source.filter.apply(page, index);
                // Pages fetched at different times may overlap.
                if matches == Match::No || !ids.insert(page.id(index)) {
                    continue;
                }
                if matches == Match::Yes {
                    rows.push(RowRef { created_at: page.created_at(index), page: number, index });
                } else {
                    undecided += 1;
                }
            }
        }
        let id = |row: &RowRef| pages[row.page].id(row.index);
        rows.sort_unstable_by(|a, b| in_list(order, (a.created_at, id(a)).cmp(&(b.created_at, id(b)))));
        Self { pages, rows, undecided, shortfall: progress.shortfall() }
    }

    fn id(&self, row: &RowRef) -> &str {
        self.pages[row.page].id(row.index)
    }

    /// Returns the number of rows before a position.
    fn locate(&self, position: &Position, order: Order) -> usize {
        let Some(RowKey { id, created_at, side }) = &position.adjacent_row else { return 0 };
        let adjacent_row = (created_at.and_then(Instant::timestamp), &**id);
        self.rows.partition_point(|row| match in_list(order, (row.created_at, self.id(row)).cmp(&adjacent_row)) {
            Ordering::Less => true,
            Ordering::Equal => *side == Side::After,
            Ordering::Greater => false,
        })
    }

    /// Returns the position after `index` rows, as a cursor stores it.
    fn position(&self, index: usize) -> SourcePosition {
        let previous = index.checked_sub(1).and_then(|previous| self.rows.get(previous)).map(|row| {
            let key = RowKey::new(&self.pages[row.page], row.index, Side::After);
            Position { adjacent_row: Some(key), ..Position::start() }
        });
        if index >= self.rows.len() {
            return SourcePosition::End(previous);
        }
        previous.map_or(SourcePosition::Start, SourcePosition::At)
    }
}

/// Returns the number of pages, by the row count in the first page.
fn page_count(first: &RecordPage) -> u64 {
    first.info().total.unwrap_or(0).div_ceil(PAGE_SIZE as u64)
}

fn in_list(order: Order, ascending: Ordering) -> Ordering {
    match order {
        Order::Asc => ascending,
        Order::Desc => ascending.reverse(),
    }
}
