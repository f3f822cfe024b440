//! A walk from vendor page to vendor page.

use std::sync::Arc;

use crate::{
    cache::Entry,
    domain::{
        anchor::{Anchor, Direction, Neighbour},
        cycle::CycleDetector,
        position::{Located, Position, RowKey, Side, SourcePosition},
    },
};

use super::{
    super::{CallEstimate, DirectoryError},
    Next, Pages, Row, Stop,
};

/// A walk through a source's pages as they come.
pub(in crate::directory) struct Paged {
    pub(super) pages: Pages,
    direction: Direction,
    behind: SourcePosition,
    place: Option<Location>,
}

/// A gap in a page that is at hand.
#[derive(Debug, Clone)]
struct Location {
    entry: Arc<Entry>,
    anchor: Anchor,
    index: usize,
    cycle: CycleDetector,
    /// The row beside the gap when the page was entered: all there is to go by
    /// where the page turns out empty.
    adjacent_row: Option<RowKey>,
}

impl Paged {
    pub(super) fn new(pages: Pages, direction: Direction, from: SourcePosition) -> Self {
        Self { pages, direction, behind: from, place: None }
    }

    pub(super) async fn begin(&mut self) -> Result<(), Stop> {
        if self.place.is_some() || self.behind.is_exhausted(self.direction) {
            return Ok(());
        }
        let place = self.enter(&self.behind.position()).await?;
        // The way back is a walk of its own, and starts a lap of its own.
        let start = Location { cycle: CycleDetector::default(), ..place.clone() };
        self.behind = self.standing(&start, self.direction.reversed())?;
        self.place = Some(place);
        Ok(())
    }

    pub(super) async fn next(&mut self) -> Result<Next, Stop> {
        self.begin().await?;
        loop {
            self.skip();
            let Some(place) = &self.place else { return Ok(Next::End) };
            if self.index(place).is_some() {
                return Ok(Next::Row);
            }
            let Some(ahead) = self.gap(place, self.direction)? else { return Ok(Next::End) };
            let place = self.step(place.clone(), &ahead).await?;
            self.place = Some(place);
        }
    }

    pub(super) fn row(&self) -> Option<Row> {
        let place = self.place.as_ref()?;
        Some(Row { entry: Arc::clone(&place.entry), index: self.index(place)? })
    }

    pub(super) fn take(&mut self) {
        if let Some(place) = &mut self.place {
            place.index = match self.direction {
                Direction::Forward => (place.index + 1).min(place.entry.page.len()),
                Direction::Backward => place.index.saturating_sub(1),
            };
        }
    }

    pub(super) fn behind(&self) -> &SourcePosition {
        &self.behind
    }

    pub(super) fn ahead(&mut self) -> Result<SourcePosition, DirectoryError> {
        self.skip();
        match &self.place {
            Some(place) => self.standing(place, self.direction),
            None => Ok(self.behind.clone()),
        }
    }

    pub(super) fn here(&self) -> SourcePosition {
        match &self.place {
            Some(place) => SourcePosition::At(place.position(self.direction)),
            None => self.behind.clone(),
        }
    }

    /// A vendor's page holds as many rows as a page of ours at most, so that
    /// one more is enough; or two, where the walk begins within one.
    pub(super) fn remaining_calls(&self) -> Option<CallEstimate> {
        if !self.pages.plan.gateway.is_empty() {
            return None;
        }
        let begins_within = match (&self.behind, self.direction) {
            (SourcePosition::At(position) | SourcePosition::End(Some(position)), Direction::Forward) => {
                position.offset > 0
            }
            (SourcePosition::At(position) | SourcePosition::End(Some(position)), Direction::Backward) => {
                position.offset < u16::MAX
            }
            _ => false,
        };
        let within = u32::from(begins_within && self.place.is_none());
        // The page that is not kept is among those foreseen already.
        let max = if self.pages.predicts_a_call() { within } else { 1 + within };
        Some(CallEstimate { min: 0, max })
    }

    /// Moves along the page up to the next row that matches, or to its edge.
    fn skip(&mut self) {
        let residual = &self.pages.plan.residual;
        if residual.is_empty() {
            return;
        }
        while let Some(place) = &self.place
            && let Some(index) = self.index(place)
            && !residual.matches(&place.entry.page, index)
        {
            let index = match self.direction {
                Direction::Forward => index + 1,
                Direction::Backward => index,
            };
            if let Some(place) = &mut self.place {
                place.index = index;
            }
        }
    }

    /// The row beside the gap, in the walk's direction.
    fn index(&self, place: &Location) -> Option<usize> {
        match self.direction {
            Direction::Forward => (place.index < place.entry.page.len()).then_some(place.index),
            Direction::Backward => place.index.checked_sub(1),
        }
    }

    /// A gap that a walk in a direction stops at, as a cursor holds it.
    fn standing(&self, place: &Location, direction: Direction) -> Result<SourcePosition, DirectoryError> {
        Ok(match (self.gap(place, direction)?, direction) {
            (Some(position), _) => SourcePosition::At(position),
            (None, Direction::Backward) => SourcePosition::Start,
            (None, Direction::Forward) => SourcePosition::End(self.gap(place, Direction::Backward)?),
        })
    }

    /// The gap as the next request should find it; `None` where the list ends.
    fn gap(&self, place: &Location, direction: Direction) -> Result<Option<Position>, DirectoryError> {
        let page = &place.entry.page;
        let (at_edge, neighbour, last) = match direction {
            Direction::Forward => {
                let last = page.len().checked_sub(1).map(|last| RowKey::new(page, last, Side::After));
                (place.index == page.len(), &page.info().next, last)
            }
            Direction::Backward => {
                let first = (!page.is_empty()).then(|| RowKey::new(page, 0, Side::Before));
                (place.index == 0, &page.info().prev, first)
            }
        };
        let adjacent_row = last.or_else(|| place.adjacent_row.clone());
        match neighbour {
            Neighbour::End if at_edge => Ok(None),
            Neighbour::At(anchor) if at_edge => {
                if matches!(anchor, Anchor::Token(_)) {
                    self.pages.trail.remember(self.pages.key(anchor)?, &place.anchor);
                }
                let cycle = self.pages.cycle(place.cycle, anchor)?;
                Ok(Some(Position::entering(anchor.clone(), adjacent_row, cycle, direction)))
            }
            _ => Ok(Some(place.position(direction))),
        }
    }

    /// Enters the page that comes next, where a vendor may have no word for it.
    async fn step(&mut self, place: Location, ahead: &Position) -> Result<Location, Stop> {
        let info = place.entry.page.info();
        let neighbour = match self.direction {
            Direction::Forward => &info.next,
            Direction::Backward => &info.prev,
        };
        if *neighbour != Neighbour::Unknown {
            return self.enter(ahead).await;
        }
        let anchor = match (&self.pages.plan.order, self.direction) {
            (Some(_), direction) => instant(ahead, direction),
            (None, Direction::Backward) => self.predecessor(&place.anchor).await?,
            (None, Direction::Forward) => None,
        };
        let Some(anchor) = anchor else { return Err(self.pages.expired().into()) };
        let cycle = self.pages.cycle(place.cycle, &anchor)?;
        self.enter(&Position::entering(anchor, ahead.adjacent_row.clone(), cycle, self.direction)).await
    }

    /// The page before another, for a vendor whose cursors lead forward only:
    /// remembered, or found by walking there from the start.
    async fn predecessor(&mut self, anchor: &Anchor) -> Result<Option<Anchor>, Stop> {
        if let Some(known) = self.pages.trail.before(&self.pages.key(anchor)?) {
            return Ok(Some(known));
        }
        let mut at = Anchor::Start;
        let mut cycle = CycleDetector::default();
        loop {
            // Where the calls are spent the next request comes further: the
            // pages up to here are kept.
            let entry = self.pages.fetch(&at, false).await?;
            let Neighbour::At(next) = entry.page.info().next.clone() else { return Ok(None) };
            self.pages.trail.remember(self.pages.key(&next)?, &at);
            if next == *anchor {
                return Ok(Some(at));
            }
            cycle = self.pages.cycle(cycle, &next)?;
            at = next;
        }
    }

    /// Finds a gap again: in the page it was left in; where it is no longer
    /// there, at the row beside it; where that row is gone, at its instant.
    async fn enter(&mut self, position: &Position) -> Result<Location, Stop> {
        let order = self.pages.plan.order;
        let (row, instant) = match (&position.adjacent_row, order) {
            (Some(RowKey { id, side: Side::After, .. }), Some(_)) => {
                (Some(Anchor::After(id.clone())), instant(position, Direction::Forward))
            }
            (Some(RowKey { id, side: Side::Before, .. }), Some(_)) => {
                (Some(Anchor::Before(id.clone())), instant(position, Direction::Backward))
            }
            _ => (None, None),
        };
        let mut strayed = None;
        let elsewhere = [row, instant].into_iter().flatten().filter(|anchor| *anchor != position.anchor);
        for anchor in std::iter::once(position.anchor.clone()).chain(elsewhere) {
            // Without the second and the third try a walk would not get on.
            let is_needed = anchor != position.anchor && self.place.is_none();
            let entry = match self.pages.fetch(&anchor, is_needed).await {
                Ok(entry) => entry,
                Err(Stop::Failed(DirectoryError::CursorExpired(_))) => continue,
                Err(stop) => return Err(stop),
            };
            let located = position.locate(&entry.page, &anchor, order);
            let place = Location {
                entry,
                anchor,
                index: located.index(),
                cycle: position.cycle,
                adjacent_row: position.adjacent_row.clone(),
            };
            if !place.is_beyond(located) {
                return Ok(place);
            }
            strayed = Some(place);
        }
        strayed.ok_or_else(|| self.pages.expired().into())
    }
}

impl Location {
    /// The gap, as one of this page.
    fn position(&self, facing: Direction) -> Position {
        let within = Position::within(&self.entry.page, &self.anchor, self.index, facing);
        Position {
            adjacent_row: within.adjacent_row.or_else(|| self.adjacent_row.clone()),
            cycle: self.cycle,
            ..within
        }
    }

    /// Whether the gap was looked for by order, and lies beyond the page's far
    /// edge: rows inserted since have pushed it out.
    fn is_beyond(&self, located: Located) -> bool {
        let Located::ByOrder(index) = located else { return false };
        let info = self.entry.page.info();
        match self.anchor {
            Anchor::Start | Anchor::After(_) | Anchor::Token(_) => {
                index == self.entry.page.len() && info.next != Neighbour::End
            }
            Anchor::Before(_) => index == 0 && info.prev != Neighbour::End,
            // Here the walk starts at the instant itself and goes on from page to page.
            Anchor::From(..) => false,
        }
    }
}

/// The anchor at the instant of the row beside a gap.
fn instant(position: &Position, direction: Direction) -> Option<Anchor> {
    let created_at = position.adjacent_row.as_ref()?.created_at?;
    Some(Anchor::From(created_at, direction))
}
