//! Walk from vendor page to vendor page.

use std::sync::Arc;

use crate::{
    cache::{Gap, Neighbouring},
    domain::{
        anchor::{Anchor, Direction, Neighbour},
        cycle::{AnchorFingerprint, CycleDetector},
        page::RecordPage,
        position::{Position, RowKey, Side, SourcePosition},
        progress::Progress,
    },
};

use super::{
    super::{CallEstimate, DirectoryError, Segment},
    Next, PageSummary, Pages, Row, RowCursor, Stop,
    location::Location,
    pages::PageRead,
};

/// Walk through the pages of a source in the vendor's order.
pub(in crate::directory) struct Paged {
    pub(super) pages: Pages,
    direction: Direction,
    start: SourcePosition,
    location: Option<Location>,
    /// Cycle detection of this request. The detection of the cursor needs up to
    /// twice the pages of the whole walk, which may all be cached.
    entered: CycleDetector,
    /// Number of rows that the filter could not decide.
    undecided: u32,
    /// True if the walk has left the place of its start.
    has_advanced: bool,
}

impl Paged {
    pub(super) fn new(pages: Pages, direction: Direction, start: SourcePosition) -> Self {
        let entered = CycleDetector::default();
        Self { pages, direction, start, location: None, entered, undecided: 0, has_advanced: false }
    }

    /// Reads the first page.
    pub(super) async fn begin(&mut self) -> Result<(), Stop> {
        if self.location.is_some() || self.start.is_exhausted(self.direction) {
            return Ok(());
        }
        let position = self.start.position();
        let location = match &position.anchor {
            Anchor::After(id) if self.pages.plan.order.is_none() => self.search(id).await?,
            _ => self.enter(&position).await?,
        };
        // The walk in the opposite direction has its own cycle detection.
        let start = Location { cycle: CycleDetector::default(), ..location.clone() };
        self.start = self.source_position(&start, self.direction.reversed())?;
        self.location = Some(location);
        Ok(())
    }

    /// Moves to the next matching row and reads the pages on the way.
    pub(super) async fn next(&mut self) -> Result<Next, Stop> {
        self.begin().await?;
        loop {
            self.skip_filtered();
            let Some(location) = &self.location else { return Ok(Next::End) };
            if location.next_index(self.direction).is_some() {
                return Ok(Next::Row);
            }
            let location = location.clone();
            let entered = match self.follow(&location).await? {
                Some(entered) => entered,
                None => match self.position(&location, self.direction)? {
                    Some(edge) => self.enter_next_page(location, &edge).await?,
                    None => return Ok(Next::End),
                },
            };
            self.location = Some(entered);
            self.has_advanced = true;
        }
    }

    /// Moves past rows that the filter excludes, up to the edge of the page.
    fn skip_filtered(&mut self) {
        let Some(location) = &mut self.location else { return };
        if self.pages.plan.residual.is_empty() {
            return;
        }
        let (found, undecided) = self.pages.filter.find(location.page(), location.index, self.direction);
        let index = match (found, self.direction) {
            (Some(found), Direction::Forward) => found,
            (Some(found), Direction::Backward) => found + 1,
            (None, Direction::Forward) => location.page().len(),
            (None, Direction::Backward) => 0,
        };
        self.undecided = self.undecided.saturating_add(undecided);
        self.has_advanced |= index != location.index;
        location.index = index;
    }

    /// Returns the position of a gap in the source, as a cursor stores it.
    fn source_position(&self, location: &Location, direction: Direction) -> Result<SourcePosition, DirectoryError> {
        Ok(match (self.position(location, direction)?, direction) {
            (Some(position), _) => SourcePosition::At(position),
            (None, Direction::Backward) => SourcePosition::Start,
            (None, Direction::Forward) => SourcePosition::End(self.position(location, Direction::Backward)?),
        })
    }

    /// Returns the position at which a walk in this direction continues from a
    /// gap; `None` at the end of the list.
    fn position(&self, location: &Location, direction: Direction) -> Result<Option<Position>, DirectoryError> {
        let page = location.page();
        let (is_at_edge, neighbour, edge_row) = match direction {
            Direction::Forward => {
                let last = page.len().checked_sub(1).map(|last| RowKey::new(page, last, Side::After));
                (location.index == page.len(), &page.info().next, last)
            }
            Direction::Backward => {
                let first = (!page.is_empty()).then(|| RowKey::new(page, 0, Side::Before));
                (location.index == 0, &page.info().prev, first)
            }
        };
        let adjacent_row = edge_row.or_else(|| location.adjacent_row.clone());
        match neighbour {
            Neighbour::End if is_at_edge => Ok(None),
            Neighbour::At(anchor) if is_at_edge => {
                // A token that makes no request does not fail this page.
                if matches!(anchor, Anchor::Token(_))
                    && let Ok(key) = self.pages.key(anchor)
                {
                    self.pages.record_step(key, &location.anchor);
                }
                let cycle = self.pages.detect_cycle(location.cycle, AnchorFingerprint::new(anchor))?;
                let progress = match direction {
                    Direction::Forward => location.progress_after(),
                    Direction::Backward => None,
                };
                Ok(Some(Position { progress, ..Position::entering(anchor.clone(), adjacent_row, cycle, direction) }))
            }
            _ => Ok(Some(location.position(direction))),
        }
    }

    /// Moves to the next page by the link of an earlier walk, if there is one.
    async fn follow(&mut self, location: &Location) -> Result<Option<Location>, Stop> {
        let info = location.page().info();
        let (neighbour, progress) = match self.direction {
            Direction::Forward => (&info.next, location.progress_after()),
            Direction::Backward => (&info.prev, None),
        };
        let Neighbour::At(anchor) = neighbour else { return Ok(None) };
        let Some(found) = self.pages.follow(&location.entry, self.direction).await else { return Ok(None) };
        let Neighbouring { page: entry, index, fingerprint } = found;
        // As in `enter`.
        let (anchor, shift) = match (self.pages.plan.order, entry.anchor()) {
            (Some(_), Some(own)) => (own.clone(), 0),
            _ if self.direction == Direction::Forward => (anchor.clone(), index),
            _ => (anchor.clone(), 0),
        };
        let progress = progress.filter(|_| index == 0 || shift > 0);
        let cycle = self.pages.detect_cycle(location.cycle, fingerprint)?;
        self.entered = self.pages.detect_cycle(self.entered, fingerprint)?;
        Ok(Some(Location {
            progress: progress.and_then(|progress| before(progress, &entry.page, shift)),
            entry,
            anchor,
            index,
            shift,
            cycle,
            adjacent_row: None,
        }))
    }

    /// Moves to the next page, deriving an anchor if the vendor supplies none.
    async fn enter_next_page(&mut self, location: Location, edge: &Position) -> Result<Location, Stop> {
        let info = location.page().info();
        let neighbour = match self.direction {
            Direction::Forward => &info.next,
            Direction::Backward => &info.prev,
        };
        let position = if *neighbour == Neighbour::Unknown {
            let anchor = match (self.pages.plan.order, self.direction) {
                (Some(_), direction) => instant_anchor(edge, direction),
                (None, Direction::Backward) => self.predecessor(&location.anchor).await?,
                (None, Direction::Forward) => None,
            };
            let anchor = anchor.ok_or_else(|| self.pages.expired())?;
            let cycle = self.pages.detect_cycle(location.cycle, AnchorFingerprint::new(&anchor))?;
            Position::entering(anchor, edge.adjacent_row.clone(), cycle, self.direction)
        } else {
            edge.clone()
        };
        let fingerprint = AnchorFingerprint::new(&position.anchor);
        let entered = self.pages.detect_cycle(self.entered, fingerprint)?;
        let entered_page = self.enter(&position).await?;
        self.entered = entered;
        let is_page_at_anchor = *neighbour != Neighbour::Unknown && entered_page.anchor == position.anchor;
        // An empty page needs the adjacent row, which a link does not have.
        if is_page_at_anchor && !entered_page.page().is_empty() {
            let (page, index) = (Arc::clone(&entered_page.entry), entered_page.index);
            location.entry.link(self.direction, &Neighbouring { page, index, fingerprint });
        }
        Ok(entered_page)
    }

    /// Returns the anchor of the page before the page at `anchor`, for vendors
    /// with forward cursors only. The anchor comes from the trail, or from a
    /// scan that starts at the first page.
    async fn predecessor(&mut self, anchor: &Anchor) -> Result<Option<Anchor>, Stop> {
        if let Some(known) = self.pages.recorded_predecessor(anchor).await? {
            return Ok(Some(known));
        }
        let mut current = Anchor::Start;
        let mut cycle = CycleDetector::default();
        loop {
            // If the call budget runs out, the next request gets further,
            // because the pages up to this point are cached.
            let read = self.pages.fetch(&current, None, false).await?;
            let Neighbour::At(next) = read.entry.page.info().next.clone() else { return Ok(None) };
            self.pages.record_step(self.pages.key(&next)?, &current);
            if next == *anchor {
                return Ok(Some(current));
            }
            cycle = self.pages.detect_cycle(cycle, AnchorFingerprint::new(&next))?;
            current = next;
        }
    }

    /// Searches for the gap after a row, from the first page on, at a vendor whose
    /// pages cannot start at a row. Such a position comes from a stored list.
    async fn search(&mut self, id: &str) -> Result<Location, Stop> {
        let (mut anchor, mut cycle) = (Anchor::Start, CycleDetector::default());
        let mut progress = Progress::default();
        loop {
            // As in `predecessor`, the next request gets further.
            let entry = self.pages.fetch(&anchor, None, false).await?.entry;
            if let Some(row) = entry.page.find(id) {
                let (index, progress) = (row + 1, Some(progress));
                return Ok(Location { entry, anchor, index, shift: 0, cycle, progress, adjacent_row: None });
            }
            let Neighbour::At(next) = entry.page.info().next.clone() else { return Err(self.pages.expired().into()) };
            progress = progress.after(entry.page.info());
            cycle = self.pages.detect_cycle(cycle, AnchorFingerprint::new(&next))?;
            anchor = next;
        }
    }

    /// Locates a position. Tries the page of the position, then the page at the
    /// row beside the gap, then the page at the row's instant.
    async fn enter(&mut self, position: &Position) -> Result<Location, Stop> {
        let order = self.pages.plan.order;
        let (at_row, at_instant) = match (&position.adjacent_row, order) {
            (Some(RowKey { id, side: Side::After, .. }), Some(_)) => {
                (Some(Anchor::After(id.clone())), instant_anchor(position, Direction::Forward))
            }
            (Some(RowKey { id, side: Side::Before, .. }), Some(_)) => {
                (Some(Anchor::Before(id.clone())), instant_anchor(position, Direction::Backward))
            }
            _ => (None, None),
        };
        // Going back, a vendor without an order finds a row only in its own page.
        let adjacent = position.adjacent_row.as_ref();
        let adjacent = adjacent.filter(|_| order.is_some() || self.direction == Direction::Forward);
        let gap = adjacent.map(|row| Gap {
            id: row.id.clone(),
            side: row.side,
            direction: self.direction,
            rows_before: position.progress.map(Progress::rows),
            offset: position.offset,
        });
        let mut fallback = None;
        let alternatives = [at_row, at_instant].into_iter().flatten().filter(|anchor| *anchor != position.anchor);
        for anchor in std::iter::once(position.anchor.clone()).chain(alternatives) {
            // The alternatives exceed the call budget if necessary. Without
            // them, the walk could never begin.
            let is_required = anchor != position.anchor && self.location.is_none();
            let PageRead { entry, is_substitute } = match self.pages.fetch(&anchor, gap.clone(), is_required).await {
                Ok(read) => read,
                Err(Stop::Failed(DirectoryError::CursorExpired(_))) => continue,
                Err(stop) => return Err(stop),
            };
            let located = position.locate(&entry.page, &anchor, order);
            let index = located.index();
            // A page that another request has fetched starts at another row.
            let (anchor, shift) = match (is_substitute, order, entry.anchor()) {
                (false, ..) => (anchor, 0),
                (true, Some(_), Some(own)) => (own.clone(), 0),
                (true, ..) => (anchor, index.saturating_sub(usize::from(position.offset))),
            };
            let progress = position.progress.filter(|_| anchor == position.anchor);
            let location = Location {
                progress: progress.and_then(|progress| before(progress, &entry.page, shift)),
                entry,
                anchor,
                index,
                shift,
                cycle: position.cycle,
                adjacent_row: position.adjacent_row.clone(),
            };
            if !location.is_outside(located) {
                return Ok(location);
            }
            fallback = Some(location);
        }
        fallback.ok_or_else(|| self.pages.expired().into())
    }
}

impl RowCursor for Paged {
    fn row(&self) -> Option<Row> {
        let location = self.location.as_ref()?;
        Some(Row { page: Arc::clone(&location.entry.page), index: location.next_index(self.direction)? })
    }

    fn advance(&mut self) {
        if let Some(location) = &mut self.location {
            location.advance(self.direction, 1);
            self.has_advanced = true;
        }
    }

    fn take_rows(&mut self, limit: usize) -> Option<Segment> {
        // With a filter, each row requires a search.
        let limit = if self.pages.plan.residual.is_empty() { limit } else { limit.min(1) };
        let location = self.location.as_mut()?;
        let records = location.advance(self.direction, limit);
        if records.is_empty() {
            return None;
        }
        self.has_advanced = true;
        Some(Segment { page: Arc::clone(&location.entry.page), records })
    }

    fn has_advanced(&self) -> bool {
        self.has_advanced
    }

    fn start_position(&self) -> SourcePosition {
        self.start.reversed()
    }

    fn current_position(&mut self) -> Result<SourcePosition, DirectoryError> {
        self.skip_filtered();
        match &self.location {
            Some(location) => self.source_position(location, self.direction),
            None => Ok(self.start.clone()),
        }
    }

    fn position_in_page(&self) -> SourcePosition {
        match &self.location {
            Some(location) => SourcePosition::At(location.position(self.direction)),
            None => self.start.clone(),
        }
    }

    /// A vendor page has at least as many rows as a page of the gateway, so one
    /// more call is enough. A walk that starts within a page takes up to two.
    fn remaining_calls(&self) -> Option<CallEstimate> {
        if !self.pages.plan.gateway.is_empty() {
            return None;
        }
        let starts_within_page = match (&self.start, self.direction) {
            (SourcePosition::At(position) | SourcePosition::End(Some(position)), Direction::Forward) => {
                position.offset > 0
            }
            (SourcePosition::At(position) | SourcePosition::End(Some(position)), Direction::Backward) => {
                position.offset < u16::MAX
            }
            _ => false,
        };
        let within_page = u32::from(starts_within_page && self.location.is_none());
        // A page that is not cached is among the predicted calls.
        let max = if self.pages.predicts_a_call() { within_page } else { 1 + within_page };
        Some(CallEstimate { min: 0, max })
    }

    fn summary(&self) -> Option<PageSummary> {
        let shortfall = match self.direction {
            Direction::Forward => self.location.as_ref().and_then(Location::shortfall),
            Direction::Backward => None,
        };
        Some(PageSummary { shortfall, ..self.pages.summary(self.undecided)? })
    }
}

/// Returns the progress before a page that repeats `repeated` rows. `None` if rows
/// of the page are not served, because the repeated ones are then not known.
fn before(progress: Progress, page: &RecordPage, repeated: usize) -> Option<Progress> {
    let is_whole = page.info().rows as usize == page.len();
    (repeated == 0 || is_whole).then(|| progress.without(repeated))
}

/// Returns the anchor at the instant of the row beside a gap.
fn instant_anchor(position: &Position, direction: Direction) -> Option<Anchor> {
    let created_at = position.adjacent_row.as_ref()?.created_at?;
    Some(Anchor::From(created_at, direction))
}
