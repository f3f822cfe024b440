//! Where a walk stands: a gap between two rows of one source.
//!
//! A position names the vendor page it was found in (so that slices of one
//! page cost one vendor call) and the row beside it (so that the walk goes on
//! from the last row seen, whatever has been inserted or deleted since).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{
    anchor::{Anchor, Direction, Instant},
    cycle::CycleDetector,
    page::RecordPage,
    query::Order,
};

/// A gap between rows: the edge of everything a walk has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The vendor page in which the gap was found, or begins.
    pub anchor: Anchor,
    /// How many rows of that page precede the gap.
    pub offset: u16,
    /// The row beside the gap, where the walk has seen any.
    pub adjacent_row: Option<RowKey>,
    /// What the walk remembers to notice that it goes round in circles.
    pub cycle: CycleDetector,
}

/// Where a walk over several sources stands in one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourcePosition {
    /// Before its first row.
    Start,
    /// Somewhere in it.
    At(Position),
    /// Behind its last row; `None` where it has no row at all.
    End(Option<Position>),
}

impl SourcePosition {
    /// Whether nothing lies ahead.
    #[must_use]
    pub fn is_exhausted(&self, direction: Direction) -> bool {
        match direction {
            Direction::Forward => matches!(self, Self::End(_)),
            Direction::Backward => matches!(self, Self::Start | Self::End(None)),
        }
    }

    /// The same place, for a walk that turns round there: it goes where the
    /// other came from, and starts a lap of its own.
    #[must_use]
    pub fn turned(&self) -> Self {
        let turned = |position: &Position| Position { cycle: CycleDetector::default(), ..position.clone() };
        match self {
            Self::Start => Self::Start,
            Self::At(position) => Self::At(turned(position)),
            Self::End(position) => Self::End(position.as_ref().map(turned)),
        }
    }

    /// The gap, as a walk enters it.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::At(position) | Self::End(Some(position)) => position.clone(),
            Self::Start | Self::End(None) => Position::start(),
        }
    }
}

/// A row that a gap lies beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowKey {
    /// The row's id at the vendor.
    pub id: Box<str>,
    /// When it was created, where the vendor says so.
    pub created_at: Option<Instant>,
    /// On which side of the row the gap lies.
    pub side: Side,
}

/// A side of a row, in list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Between the row and its predecessor.
    Before,
    /// Between the row and its successor.
    After,
}

/// Where a gap was found in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Located {
    /// Behind this many rows, surely: by the row beside it, or by nothing
    /// better than the offset where the vendor keeps no order.
    At(usize),
    /// By its place in the order, since the row beside it is not in the page.
    ByOrder(usize),
}

impl Located {
    /// How many rows of the page precede the gap.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::At(index) | Self::ByOrder(index) => index,
        }
    }
}

impl Position {
    /// The beginning of a list.
    #[must_use]
    pub fn start() -> Self {
        Self { anchor: Anchor::Start, offset: 0, adjacent_row: None, cycle: CycleDetector::default() }
    }

    /// The gap in front of the record at `index` of a page, or behind its last.
    #[must_use]
    pub fn within(page: &RecordPage, anchor: &Anchor, index: usize, facing: Direction) -> Self {
        let before = index.checked_sub(1).map(|seen| RowKey::of(page, seen, Side::After));
        let after = (index < page.len()).then(|| RowKey::of(page, index, Side::Before));
        let adjacent_row = match facing {
            Direction::Forward => before.or(after),
            Direction::Backward => after.or(before),
        };
        Self { anchor: anchor.clone(), offset: clamp(index), adjacent_row, cycle: CycleDetector::default() }
    }

    /// The same gap seen from the neighbouring page that a walk enters next.
    #[must_use]
    pub fn entering(anchor: Anchor, adjacent_row: Option<RowKey>, cycle: CycleDetector, direction: Direction) -> Self {
        let offset = match direction {
            Direction::Forward => 0,
            Direction::Backward => u16::MAX,
        };
        Self { anchor, offset, adjacent_row, cycle }
    }

    /// Finds the gap in the page at an anchor, in a list of the given order.
    #[must_use]
    pub fn locate(&self, page: &RecordPage, anchor: &Anchor, order: Option<Order>) -> Located {
        let offset = usize::from(self.offset).min(page.len());
        let Some(adjacent_row) = &self.adjacent_row else { return Located::At(offset) };
        let expected = match adjacent_row.side {
            Side::After => offset.checked_sub(1),
            Side::Before => Some(offset),
        };
        let unmoved = expected.filter(|&index| index < page.len() && page.id(index) == &*adjacent_row.id);
        if let Some(index) = unmoved.or_else(|| page.find(&adjacent_row.id)) {
            return Located::At(match adjacent_row.side {
                Side::After => index + 1,
                Side::Before => index,
            });
        }
        // The page begins or ends at the gap by its anchor's meaning, whatever
        // the vendor does with rows of one instant.
        match (anchor, adjacent_row.side) {
            (Anchor::After(id), Side::After) if *id == adjacent_row.id => return Located::At(0),
            (Anchor::Before(id), Side::Before) if *id == adjacent_row.id => return Located::At(page.len()),
            _ => {}
        }
        match (order, adjacent_row.created_at) {
            (Some(order), Some(_)) => Located::ByOrder(
                (0..page.len()).find(|&index| adjacent_row.precedes(page, index, order)).unwrap_or(page.len()),
            ),
            _ => Located::At(offset),
        }
    }
}

impl RowKey {
    /// The key of the record at `index` of a page.
    #[must_use]
    pub fn of(page: &RecordPage, index: usize, side: Side) -> Self {
        Self { id: page.id(index).into(), created_at: page.created_at(index).map(Into::into), side }
    }

    /// Whether the gap lies before the record at `index`, in a list ordered by
    /// (`created_at`, `id`).
    fn precedes(&self, page: &RecordPage, index: usize, order: Order) -> bool {
        let (Some(mine), Some(theirs)) = (self.created_at, page.created_at(index)) else { return false };
        let ascending =
            mine.nanosecond().cmp(&theirs.as_nanosecond()).then_with(|| self.id.as_ref().cmp(page.id(index)));
        let in_list = match order {
            Order::Asc => ascending,
            Order::Desc => ascending.reverse(),
        };
        match in_list {
            Ordering::Less => true,
            Ordering::Equal => self.side == Side::Before,
            Ordering::Greater => false,
        }
    }
}

fn clamp(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
