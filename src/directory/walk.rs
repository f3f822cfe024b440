//! Walking a source's pages: fetch wide, serve narrow.
//!
//! A walk goes on from a gap between rows ([`Position`]), takes rows from the
//! vendor's pages until it has enough, and leaves two gaps: the one it started
//! from and the one it stopped at.

use std::sync::Arc;

use crate::{
    cache::{Demand, Entry, Key},
    domain::{
        position::{Anchor, Direction, Lap, Located, Neighbour, Position, RowKey, Side},
        timestamp::Timestamp,
    },
    vendors::{Call, plan::Plan},
};

use super::{DirectoryError, Freshness, Segment, Source, SourceReport, answer::SourceStatus, trail::Trail};

/// One request's way through one source.
pub(super) struct Walk<'w> {
    source: &'w Arc<Source>,
    plan: Arc<Plan>,
    trail: &'w Trail,
    max_calls: u32,
    demand: Demand,
    calls: u32,
    seen: Seen,
    freshness: Option<Freshness>,
}

/// What bounds a walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How many vendor calls it may make.
    pub(super) max_calls: u32,
    /// How fresh the pages have to be.
    pub(super) demand: Demand,
}

/// What a walk has found.
#[derive(Debug)]
pub(super) struct Walked {
    /// The records, in list order.
    pub(super) segments: Vec<Segment>,
    /// The gap before them, unless the list begins there.
    pub(super) before: Option<Position>,
    /// The gap behind them, unless the list ends there.
    pub(super) after: Option<Position>,
    /// What the source contributed.
    pub(super) report: SourceReport,
    /// How fresh it is; every walk has come through a page.
    pub(super) freshness: Option<Freshness>,
}

/// What a walk has learned from the pages it came through.
#[derive(Debug)]
struct Seen {
    /// The newest page's.
    total: Option<u64>,
    newest: jiff::Timestamp,
    oldest: jiff::Timestamp,
    dropped_rows: bool,
}

/// A gap in a page that is at hand.
#[derive(Debug, Clone)]
struct Place {
    entry: Arc<Entry>,
    anchor: Anchor,
    index: usize,
    lap: Lap,
    /// The row beside the gap when the page was entered: all there is to go by
    /// where the page turns out empty.
    beside: Option<RowKey>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(source: &'w Arc<Source>, plan: Plan, trail: &'w Trail, bounds: Bounds) -> Self {
        let Bounds { max_calls, demand } = bounds;
        let plan = Arc::new(plan);
        Self { source, plan, trail, max_calls, demand, calls: 0, seen: Seen::nothing(), freshness: None }
    }

    /// Takes up to `limit` rows from a gap on.
    pub(super) async fn run(
        mut self,
        from: &Position,
        direction: Direction,
        limit: usize,
    ) -> Result<Walked, DirectoryError> {
        let mut place = self.enter(from).await?;
        // The way back is a walk of its own, and starts a lap of its own.
        let behind = self.gap(&place, direction.reversed(), Lap::default())?;
        let mut segments = Vec::new();
        let mut taken = 0;
        let ahead = loop {
            taken += self.take(&mut place, direction, limit - taken, &mut segments);
            let ahead = self.gap(&place, direction, place.lap)?;
            let Some(position) = &ahead else { break None };
            if taken == limit || self.calls >= self.max_calls {
                break ahead;
            }
            place = self.step(&place, position, direction).await?;
        };
        let report = self.report(taken < limit && ahead.is_some());
        let (before, after) = match direction {
            Direction::Forward => (behind, ahead),
            Direction::Backward => {
                segments.reverse();
                (ahead, behind)
            }
        };
        Ok(Walked { segments, before, after, report, freshness: self.freshness })
    }

    /// Moves along a page up to the next row that matches and is too many.
    fn take(&self, place: &mut Place, direction: Direction, wanted: usize, segments: &mut Vec<Segment>) -> usize {
        let residual = &self.plan.residual;
        let page = &place.entry.page;
        let everything = residual.is_empty();
        let mut taken = 0;
        loop {
            let index = match direction {
                Direction::Forward if place.index < page.len() => place.index,
                Direction::Backward if place.index > 0 => place.index - 1,
                _ => return taken,
            };
            let matches = everything || residual.matches(page, index);
            if matches && taken == wanted {
                return taken;
            }
            place.index = match direction {
                Direction::Forward => index + 1,
                Direction::Backward => index,
            };
            if !matches {
                continue;
            }
            taken += 1;
            match segments.last_mut().filter(|last| Arc::ptr_eq(&last.entry, &place.entry)) {
                Some(last) if last.records.end == index => last.records.end += 1,
                Some(last) if last.records.start == index + 1 => last.records.start -= 1,
                _ => segments.push(Segment { entry: Arc::clone(&place.entry), records: index..index + 1 }),
            }
        }
    }

    /// The gap as the next request should find it; `None` where the list ends.
    fn gap(&self, place: &Place, direction: Direction, lap: Lap) -> Result<Option<Position>, DirectoryError> {
        let page = &place.entry.page;
        let (at_edge, neighbour, last) = match direction {
            Direction::Forward => {
                let last = page.len().checked_sub(1).map(|last| RowKey::of(page, last, Side::After));
                (place.index == page.len(), &page.facts().next, last)
            }
            Direction::Backward => {
                let first = (!page.is_empty()).then(|| RowKey::of(page, 0, Side::Before));
                (place.index == 0, &page.facts().prev, first)
            }
        };
        let beside = last.or_else(|| place.beside.clone());
        match neighbour {
            Neighbour::End if at_edge => Ok(None),
            Neighbour::At(anchor) if at_edge => {
                if matches!(anchor, Anchor::Token(_)) {
                    self.trail.remember(self.key(anchor)?, &place.anchor);
                }
                let lap = self.lap(lap, anchor)?;
                Ok(Some(Position::entering(anchor.clone(), beside, lap, direction)))
            }
            _ => {
                let within = Position::within(page, &place.anchor, place.index, direction);
                Ok(Some(Position { beside: within.beside.or(beside), lap, ..within }))
            }
        }
    }

    /// Enters the page that comes next, where a vendor may have no word for it.
    async fn step(&mut self, place: &Place, ahead: &Position, direction: Direction) -> Result<Place, DirectoryError> {
        let facts = place.entry.page.facts();
        let neighbour = match direction {
            Direction::Forward => &facts.next,
            Direction::Backward => &facts.prev,
        };
        if *neighbour != Neighbour::Unknown {
            return self.enter(ahead).await;
        }
        let anchor = match (&self.plan.order, direction) {
            (Some(_), _) => instant(ahead, direction),
            (None, Direction::Backward) => self.predecessor(&place.anchor).await?,
            (None, Direction::Forward) => None,
        };
        let Some(anchor) = anchor else { return Err(self.expired()) };
        let lap = self.lap(place.lap, &anchor)?;
        self.enter(&Position::entering(anchor, ahead.beside.clone(), lap, direction)).await
    }

    /// The page before another, for a vendor whose cursors lead forward only:
    /// remembered, or found by walking there from the start.
    async fn predecessor(&mut self, anchor: &Anchor) -> Result<Option<Anchor>, DirectoryError> {
        if let Some(known) = self.trail.before(&self.key(anchor)?) {
            return Ok(Some(known));
        }
        let mut at = Anchor::Start;
        let mut lap = Lap::default();
        loop {
            if self.calls >= self.max_calls {
                return Ok(None);
            }
            let Neighbour::At(next) = self.fetch(&at).await?.page.facts().next.clone() else { return Ok(None) };
            self.trail.remember(self.key(&next)?, &at);
            if next == *anchor {
                return Ok(Some(at));
            }
            lap = self.lap(lap, &next)?;
            at = next;
        }
    }

    /// Finds a gap again: in the page it was left in; where it is no longer
    /// there, at the row beside it; where that row is gone, at its instant.
    async fn enter(&mut self, position: &Position) -> Result<Place, DirectoryError> {
        let (row, instant) = match (&position.beside, self.plan.order) {
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
            let entry = match self.fetch(&anchor).await {
                Ok(entry) => entry,
                Err(DirectoryError::CursorExpired(_)) => continue,
                Err(error) => return Err(error),
            };
            let located = position.locate(&entry.page, &anchor, self.plan.order);
            let place =
                Place { entry, anchor, index: located.index(), lap: position.lap, beside: position.beside.clone() };
            if !place.is_beyond(located) {
                return Ok(place);
            }
            strayed = Some(place);
        }
        strayed.ok_or_else(|| self.expired())
    }

    async fn fetch(&mut self, anchor: &Anchor) -> Result<Arc<Entry>, DirectoryError> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        let cached = self.source.fetch(call, self.demand).await.map_err(|error| self.source.blame(error))?;
        self.calls += u32::from(cached.status.is_forwarded());
        self.seen.note(&cached.entry);
        let freshness = self.source.freshness(&cached);
        match &mut self.freshness {
            Some(worst) => worst.merge(freshness),
            None => self.freshness = Some(freshness),
        }
        Ok(cached.entry)
    }

    fn key(&self, anchor: &Anchor) -> Result<Key, DirectoryError> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        self.source.key(&call).map(|(key, _)| key).map_err(|error| self.source.blame(error))
    }

    fn lap(&self, lap: Lap, anchor: &Anchor) -> Result<Lap, DirectoryError> {
        lap.enter(anchor).ok_or_else(|| DirectoryError::Circular(self.source.name().clone()))
    }

    fn expired(&self) -> DirectoryError {
        DirectoryError::CursorExpired(self.source.name().clone())
    }

    fn report(&self, unfinished: bool) -> SourceReport {
        let total = self.seen.total.filter(|_| self.plan.total_is_exact && !self.seen.dropped_rows);
        SourceReport {
            connection: self.source.name().clone(),
            vendor: self.source.vendor(),
            status: if unfinished { SourceStatus::Partial } else { SourceStatus::Ok },
            total,
            fetched_at: Timestamp::from(self.seen.oldest),
        }
    }
}

impl Seen {
    fn nothing() -> Self {
        Self { total: None, newest: jiff::Timestamp::MIN, oldest: jiff::Timestamp::MAX, dropped_rows: false }
    }

    fn note(&mut self, entry: &Entry) {
        if self.newest <= entry.fetched_at {
            self.newest = entry.fetched_at;
            self.total = entry.page.facts().total;
        }
        self.oldest = self.oldest.min(entry.fetched_at);
        self.dropped_rows |= entry.page.facts().oddities.foreign_rows > 0;
    }
}

impl Place {
    /// Whether the gap was looked for by order, and lies beyond the page's far
    /// edge: rows inserted since have pushed it out.
    fn is_beyond(&self, located: Located) -> bool {
        let Located::ByOrder(index) = located else { return false };
        let facts = self.entry.page.facts();
        match self.anchor {
            Anchor::Start | Anchor::After(_) | Anchor::Token(_) => {
                index == self.entry.page.len() && facts.next != Neighbour::End
            }
            Anchor::Before(_) => index == 0 && facts.prev != Neighbour::End,
            // Here the walk starts at the instant itself and goes on from page to page.
            Anchor::From(..) => false,
        }
    }
}

/// The anchor at the instant of the row beside a gap.
fn instant(position: &Position, direction: Direction) -> Option<Anchor> {
    let created_at = position.beside.as_ref()?.created_at?;
    Some(Anchor::From(created_at, direction))
}
