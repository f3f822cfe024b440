//! Walk through the rows of a stored list. It makes no vendor call.

use std::{ops::Range, sync::Arc};

use crate::{
    cache::CacheStatus,
    copies::{DroppedRows, Question, Selection, Stored},
    domain::{
        anchor::{Anchor, Direction},
        page::RecordPage,
        position::{Position, Side, SourcePosition},
    },
};

use super::{
    super::{CallEstimate, DirectoryError, Freshness, SourceError, UnservedRows},
    Next, PageSummary, Pages, Row, RowCursor,
};

/// Number of rows that the first read decodes. Each further read doubles it.
const FIRST_READ: usize = 16;
/// Maximum number of rows that a read decodes.
const MAX_READ: usize = 100;

/// Stored list that may answer a question, and the cache status of its answer.
#[derive(Debug, Clone)]
pub(in crate::directory) struct CopiedSource {
    pub(in crate::directory) stored: Arc<Stored>,
    pub(in crate::directory) question: Question,
    pub(in crate::directory) status: CacheStatus,
}

/// Walk through a stored list.
pub(in crate::directory) struct Copied {
    pub(super) pages: Pages,
    source: CopiedSource,
    direction: Direction,
    pub(super) start: SourcePosition,
    selection: Option<Arc<Selection>>,
    /// Number of selected rows before the gap.
    index: usize,
    /// Decoded rows, and their indexes in the selection.
    decoded: Option<(Range<usize>, Arc<RecordPage>)>,
    /// Number of rows that the next read decodes.
    read_ahead: usize,
    has_advanced: bool,
}

impl Copied {
    pub(super) fn new(pages: Pages, source: CopiedSource, direction: Direction, start: SourcePosition) -> Self {
        Self {
            pages,
            source,
            direction,
            start,
            selection: None,
            index: 0,
            decoded: None,
            read_ahead: FIRST_READ,
            has_advanced: false,
        }
    }

    /// Selects the rows and finds the start. Returns false if the list does not
    /// contain the place of the start.
    pub(super) async fn begin(&mut self) -> Result<bool, DirectoryError> {
        if self.selection.is_some() || self.start.is_exhausted(self.direction) {
            return Ok(true);
        }
        let CopiedSource { stored, question, status } = &self.source;
        let selection = stored.select(question).await;
        let aborted = || self.pages.source.with_connection(SourceError::Aborted);
        let selection = selection.ok_or_else(aborted)?;
        let index = match &self.start {
            SourcePosition::Start => Some(0),
            SourcePosition::End(None) => Some(selection.len()),
            SourcePosition::At(position) | SourcePosition::End(Some(position)) => locate(&selection, position),
        };
        let Some(index) = index else { return Ok(false) };
        let age = self.pages.source.list_age(stored);
        self.pages.add_freshness(Freshness::of_list(Arc::clone(stored), *status, age));
        self.index = index;
        self.start = self.position(&selection, index);
        self.selection = Some(selection);
        Ok(true)
    }

    /// Moves to the next row.
    pub(super) async fn next(&mut self) -> Result<Next, DirectoryError> {
        self.begin().await?;
        let Some(selection) = &self.selection else { return Ok(Next::End) };
        let index = match self.direction {
            Direction::Forward => Some(self.index).filter(|&index| index < selection.len()),
            Direction::Backward => self.index.checked_sub(1),
        };
        let Some(index) = index else { return Ok(Next::End) };
        if !self.decoded.as_ref().is_some_and(|(rows, _)| rows.contains(&index)) {
            let rows = match self.direction {
                Direction::Forward => index..selection.len().min(index + self.read_ahead),
                Direction::Backward => (index + 1).saturating_sub(self.read_ahead)..index + 1,
            };
            let page = self.source.stored.list.page(rows.clone().filter_map(|index| selection.row(index)));
            self.decoded = Some((rows, Arc::new(page)));
            self.read_ahead = (self.read_ahead * 2).min(MAX_READ);
        }
        Ok(Next::Row)
    }

    /// Returns the gap before the selected row at `index`, as a vendor's walk or
    /// another list enters it.
    fn position(&self, selection: &Selection, index: usize) -> SourcePosition {
        if index == 0 && !selection.is_empty() {
            return SourcePosition::Start;
        }
        let previous = index.checked_sub(1).and_then(|previous| selection.row(previous));
        let Some(previous) = previous else { return SourcePosition::End(None) };
        let list = &self.source.stored.list;
        let adjacent_row = list.key(previous, Side::After);
        let plan = &self.pages.plan;
        // The tokens of the stored list lead to no page of a list that the vendor filters.
        let has_token = plan.sort.is_none() && plan.order.is_none() && plan.native.is_empty();
        let (anchor, offset) = match list.rank(previous).and_then(|rank| list.anchor_at(rank)).filter(|_| has_token) {
            Some((anchor, offset)) => (anchor, offset.saturating_add(1)),
            None if plan.sort.is_some() => (Anchor::Start, 0),
            None => (Anchor::After(adjacent_row.id.clone()), 0),
        };
        let progress = None;
        let position = Position { anchor, offset, adjacent_row: Some(adjacent_row), progress, ..Position::start() };
        if index == selection.len() { SourcePosition::End(Some(position)) } else { SourcePosition::At(position) }
    }
}

impl RowCursor for Copied {
    fn row(&self) -> Option<Row> {
        let (rows, page) = self.decoded.as_ref()?;
        let index = match self.direction {
            Direction::Forward => self.index,
            Direction::Backward => self.index.checked_sub(1)?,
        };
        rows.contains(&index).then(|| Row { page: Arc::clone(page), index: index - rows.start })
    }

    fn advance(&mut self) {
        self.has_advanced = true;
        self.index = match self.direction {
            Direction::Forward => self.index + 1,
            Direction::Backward => self.index.saturating_sub(1),
        };
    }

    fn has_advanced(&self) -> bool {
        self.has_advanced
    }

    fn start_position(&self) -> SourcePosition {
        self.start.clone()
    }

    fn current_position(&mut self) -> Result<SourcePosition, DirectoryError> {
        Ok(self.position_in_page())
    }

    fn position_in_page(&self) -> SourcePosition {
        self.selection.as_ref().map_or_else(|| self.start.clone(), |selection| self.position(selection, self.index))
    }

    fn remaining_calls(&self) -> Option<CallEstimate> {
        Some(CallEstimate::default())
    }

    /// The list is complete, so the number of selected rows is exact.
    fn summary(&self) -> Option<PageSummary> {
        let selection = self.selection.as_ref()?;
        let CopiedSource { stored, .. } = &self.source;
        let DroppedRows { null, unreadable, .. } = stored.list.dropped_rows();
        let unserved = UnservedRows { null, unreadable, undecided: selection.undecided() };
        let total = (!unserved.has_content()).then_some(selection.len() as u64);
        Some(PageSummary {
            total,
            oldest: stored.synced_at,
            newest: stored.synced_at,
            unserved,
            shortfall: None,
            has_dropped_rows: unserved.has_content(),
        })
    }
}

/// Returns the number of selected rows before a position; `None` if the list cannot
/// tell.
fn locate(selection: &Selection, position: &Position) -> Option<usize> {
    match &position.adjacent_row {
        Some(row) => selection.locate(row),
        // The beginning of a list has no adjacent row.
        None => (*position == Position::start()).then_some(0),
    }
}
