//! A walk in an order that the vendor does not keep: through a view of all
//! its rows, sorted by (`created_at`, `id`).

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use crate::{
    cache::Entry,
    domain::{
        anchor::{Anchor, Direction, Instant, Neighbour},
        cycle::CycleDetector,
        position::{Position, RowKey, Side, SourcePosition},
        query::Order,
    },
    vendors::{PAGE_SIZE, capabilities::ListCapabilities},
};

use super::{
    super::{CallEstimate, DirectoryError},
    Next, PageSummary, Pages, Row, Stop,
};

/// A walk through all rows of a source, sorted.
pub(in crate::directory) struct Sorted {
    pub(super) pages: Pages,
    order: Order,
    direction: Direction,
    behind: SourcePosition,
    /// Kept when a page fails, so that whoever tries again goes on from there.
    loaded: Loaded,
    view: Option<View>,
    /// How many rows of the view precede the gap.
    index: usize,
}

/// The pages that have come so far, and where the next one is.
#[derive(Default)]
struct Loaded {
    entries: Vec<Arc<Entry>>,
    next: Option<(Anchor, CycleDetector)>,
}

/// All matching rows, in order; those without an instant count as the oldest.
struct View {
    entries: Vec<Arc<Entry>>,
    rows: Vec<RowRef>,
}

/// A row's instant, and its place among the entries.
#[derive(Clone, Copy)]
struct RowRef {
    created_at: Option<jiff::Timestamp>,
    entry: usize,
    row: usize,
}

impl Sorted {
    pub(super) fn new(pages: Pages, order: Order, direction: Direction, from: SourcePosition) -> Self {
        Self { pages, order, direction, behind: from, loaded: Loaded::default(), view: None, index: 0 }
    }

    pub(super) async fn begin(&mut self) -> Result<(), Stop> {
        if self.view.is_some() || self.behind.is_exhausted(self.direction) {
            return Ok(());
        }
        let view = self.load().await?;
        self.index = match &self.behind {
            SourcePosition::Start => 0,
            SourcePosition::End(None) => view.rows.len(),
            SourcePosition::At(position) | SourcePosition::End(Some(position)) => view.locate(position, self.order),
        };
        self.behind = view.standing(self.index);
        self.view = Some(view);
        Ok(())
    }

    pub(super) async fn next(&mut self) -> Result<Next, Stop> {
        self.begin().await?;
        Ok(if self.row().is_some() { Next::Row } else { Next::End })
    }

    pub(super) fn row(&self) -> Option<Row> {
        let index = match self.direction {
            Direction::Forward => self.index,
            Direction::Backward => self.index.checked_sub(1)?,
        };
        let view = self.view.as_ref()?;
        let place = view.rows.get(index)?;
        Some(Row { entry: Arc::clone(&view.entries[place.entry]), index: place.row })
    }

    pub(super) fn take(&mut self) {
        self.index = match self.direction {
            Direction::Forward => self.index + 1,
            Direction::Backward => self.index.saturating_sub(1),
        };
    }

    pub(super) fn behind(&self) -> &SourcePosition {
        &self.behind
    }

    pub(super) fn ahead(&self) -> SourcePosition {
        self.view.as_ref().map_or_else(|| self.behind.clone(), |view| view.standing(self.index))
    }

    /// All rows were seen, so that their count is exact whatever the filter.
    pub(super) fn seen(&self) -> Option<PageSummary> {
        let mut seen = self.pages.seen()?;
        seen.total = self.view.as_ref().map(|view| view.rows.len() as u64);
        Some(seen)
    }

    /// All pages are needed; their number is known from the first.
    pub(super) fn remaining_calls(&self) -> Option<CallEstimate> {
        let pages = pages_of(self.pages.predicted_start()?);
        let more = u32::try_from(pages.saturating_sub(self.pages.predicted_count())).unwrap_or(u32::MAX);
        Some(CallEstimate { min: more, max: more })
    }

    async fn load(&mut self) -> Result<View, Stop> {
        loop {
            let (anchor, cycle) = self.loaded.next.clone().unwrap_or((Anchor::Start, CycleDetector::default()));
            let entry = match self.pages.fetch(&anchor, false).await {
                Ok(entry) => entry,
                Err(Stop::BudgetExhausted) => return Err(self.too_expensive().into()),
                Err(stop) => return Err(stop),
            };
            let next = entry.page.info().next.clone();
            self.loaded.entries.push(entry);
            if self.loaded.expected_pages() > u64::from(self.pages.calls.allowed()) {
                return Err(self.too_expensive().into());
            }
            match next {
                Neighbour::End => break,
                Neighbour::At(next) => self.loaded.next = Some((next.clone(), self.pages.cycle(cycle, &next)?)),
                Neighbour::Unknown => return Err(self.pages.expired().into()),
            }
        }
        Ok(View::new(std::mem::take(&mut self.loaded).entries, &self.pages, self.order))
    }

    fn too_expensive(&self) -> DirectoryError {
        DirectoryError::OrderTooExpensive {
            connection: self.pages.source.name().clone(),
            rows: self.loaded.entries.first().and_then(|entry| entry.page.info().total),
            allowed: self.pages.calls.allowed(),
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

/// How many pages there are, by the vendor's count in the first.
fn pages_of(first: &Entry) -> u64 {
    first.page.info().total.unwrap_or(0).div_ceil(PAGE_SIZE as u64)
}

impl Loaded {
    /// How many pages there are, by the vendor's count in the first.
    fn expected_pages(&self) -> u64 {
        self.entries.first().map_or(0, |first| pages_of(first))
    }
}

impl View {
    fn new(entries: Vec<Arc<Entry>>, pages: &Pages, order: Order) -> Self {
        let residual = &pages.plan.residual;
        let mut rows = Vec::new();
        let mut ids = HashSet::new();
        for (entry, page) in entries.iter().map(|entry| &entry.page).enumerate() {
            for row in (0..page.len()).filter(|&row| residual.matches(page, row)) {
                // Pages fetched at different times may overlap.
                if ids.insert(page.id(row)) {
                    rows.push(RowRef { created_at: page.created_at(row), entry, row });
                }
            }
        }
        let id = |place: &RowRef| entries[place.entry].page.id(place.row);
        rows.sort_unstable_by(|a, b| in_list(order, (a.created_at, id(a)).cmp(&(b.created_at, id(b)))));
        Self { entries, rows }
    }

    fn id(&self, place: &RowRef) -> &str {
        self.entries[place.entry].page.id(place.row)
    }

    /// How many rows precede a gap.
    fn locate(&self, position: &Position, order: Order) -> usize {
        let Some(RowKey { id, created_at, side }) = &position.adjacent_row else { return 0 };
        let adjacent_row = (created_at.and_then(Instant::timestamp), &**id);
        self.rows.partition_point(|place| match in_list(order, (place.created_at, self.id(place)).cmp(&adjacent_row)) {
            Ordering::Less => true,
            Ordering::Equal => *side == Side::After,
            Ordering::Greater => false,
        })
    }

    /// The gap behind so many rows, as a cursor holds it.
    fn standing(&self, index: usize) -> SourcePosition {
        let key = |place: &RowRef, side| RowKey::new(&self.entries[place.entry].page, place.row, side);
        let position = |adjacent_row| Position { adjacent_row: Some(adjacent_row), ..Position::start() };
        let before = index.checked_sub(1).and_then(|row| self.rows.get(row));
        if index >= self.rows.len() {
            return SourcePosition::End(before.map(|row| position(key(row, Side::After))));
        }
        match before {
            None => SourcePosition::Start,
            Some(row) => SourcePosition::At(position(key(row, Side::After))),
        }
    }
}

fn in_list(order: Order, ascending: Ordering) -> Ordering {
    match order {
        Order::Asc => ascending,
        Order::Desc => ascending.reverse(),
    }
}
