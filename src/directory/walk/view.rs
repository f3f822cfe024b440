//! Sorted view of a list: the order of the matching rows of its pages.

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use crate::{
    cache::{Entry, HeldEntries},
    domain::{
        anchor::Instant,
        page::RecordPage,
        position::{Position, RowKey, Side, SourcePosition},
        progress::Progress,
        query::Order,
        residual::{Match, RecordFilter},
    },
};

use super::{PageSummary, Row};

/// Matching rows of a list in order. Rows without `created_at` count as the
/// oldest. The view does not keep the pages in the cache.
#[derive(Debug)]
pub(super) struct View {
    rows: Box<[RowRef]>,
    /// Pages in list order.
    pub(super) pages: HeldEntries,
    /// Summary of the pages, with the rows that the filter could not decide and
    /// the shortfall of a scan that ended before the vendor's row count.
    pub(super) summary: PageSummary,
    /// Number of rows in the pages.
    pub(super) rows_read: u64,
}

/// View with its pages.
#[derive(Debug)]
pub(super) struct OpenView {
    view: Arc<View>,
    pages: Vec<Arc<Entry>>,
}

/// Inputs of a view.
pub(super) struct ViewSource {
    /// All pages of the list, in list order.
    pub(super) pages: Vec<Arc<Entry>>,
    pub(super) filter: RecordFilter,
    pub(super) order: Order,
    pub(super) progress: Progress,
    pub(super) summary: PageSummary,
    pub(super) rows_read: u64,
}

/// Row by its page and its index in the page.
#[derive(Debug, Clone, Copy)]
struct RowRef {
    page: u32,
    index: u32,
}

impl View {
    /// Filters and sorts the rows. This takes milliseconds for each 10,000 rows.
    pub(super) fn new(source: &ViewSource) -> Self {
        let ViewSource { pages, filter, order, progress, summary, rows_read } = source;
        let (mut rows, mut undecided) = (Vec::new(), 0_u32);
        let mut ids = HashSet::new();
        for (number, entry) in (0..).zip(pages) {
            let page = &*entry.page;
            for (index, row) in (0..).zip(0..page.len()) {
                let matches = filter.apply(page, row);
                // Pages fetched at different times may overlap.
                if matches == Match::No || !ids.insert(page.id(row)) {
                    continue;
                }
                if matches == Match::Yes {
                    rows.push(((page.created_at(row), page.id(row)), RowRef { page: number, index }));
                } else {
                    undecided = undecided.saturating_add(1);
                }
            }
        }
        rows.sort_unstable_by(|(key, _), (other_key, _)| in_list(*order, key.cmp(other_key)));
        let mut summary = *summary;
        summary.unserved.undecided = undecided;
        summary.shortfall = progress.shortfall();
        Self {
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            pages: HeldEntries::new(pages),
            summary,
            rows_read: *rows_read,
        }
    }

    /// Returns the memory of the view, in bytes.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.rows) + self.pages.weight()
    }
}

impl OpenView {
    /// Opens a view with the pages that it holds.
    pub(super) fn new(view: Arc<View>, pages: Vec<Arc<Entry>>) -> Self {
        Self { view, pages }
    }

    /// Returns the number of matching rows.
    pub(super) fn len(&self) -> usize {
        self.view.rows.len()
    }

    /// Returns the summary of the pages.
    pub(super) fn summary(&self) -> PageSummary {
        self.view.summary
    }

    /// Returns the row at an index of the order.
    pub(super) fn row(&self, index: usize) -> Option<Row> {
        let (page, index) = self.find(*self.view.rows.get(index)?)?;
        Some(Row { page: Arc::clone(page), index })
    }

    /// Returns the number of rows before a position, by binary search.
    pub(super) fn locate(&self, position: &Position, order: Order) -> usize {
        let Some(RowKey { id, created_at, side }) = &position.adjacent_row else { return 0 };
        let adjacent_row = (created_at.and_then(Instant::timestamp), &**id);
        self.view.rows.partition_point(|&row| {
            let key = self.find(row).map(|(page, index)| (page.created_at(index), page.id(index)));
            match key.map(|key| in_list(order, key.cmp(&adjacent_row))) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => *side == Side::After,
                Some(Ordering::Greater) | None => false,
            }
        })
    }

    /// Returns the position after `index` rows, as a cursor stores it.
    pub(super) fn position(&self, index: usize) -> SourcePosition {
        let previous = index.checked_sub(1).and_then(|previous| self.view.rows.get(previous));
        let previous = previous.and_then(|row| self.find(*row)).map(|(page, index)| {
            let key = RowKey::new(page, index, Side::After);
            Position { adjacent_row: Some(key), ..Position::start() }
        });
        if index >= self.len() {
            return SourcePosition::End(previous);
        }
        previous.map_or(SourcePosition::Start, SourcePosition::At)
    }

    fn find(&self, row: RowRef) -> Option<(&Arc<RecordPage>, usize)> {
        Some((&self.pages.get(row.page as usize)?.page, row.index as usize))
    }
}

fn in_list(order: Order, ascending: Ordering) -> Ordering {
    match order {
        Order::Asc => ascending,
        Order::Desc => ascending.reverse(),
    }
}
