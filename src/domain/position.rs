//! Positions: gaps between two rows of one source.
//!
//! A position contains the vendor page in which the gap was found, so several
//! ranges of one page cost one vendor call. It also contains the row adjacent to
//! the gap. A walk therefore continues from the last row that it returned, even
//! after inserts and deletes.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{
    anchor::{Anchor, Direction, Instant},
    cycle::CycleDetector,
    page::RecordPage,
    progress::Progress,
    query::Order,
};

/// Gap between two rows: the boundary of the rows that a walk has returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The anchor of the vendor page that contains the gap.
    pub anchor: Anchor,
    /// The number of rows of the page before the gap.
    pub offset: u16,
    /// The row adjacent to the gap, if the walk has seen a row.
    pub adjacent_row: Option<RowKey>,
    /// The state of the cycle detection.
    pub cycle: CycleDetector,
    /// The progress before the page; `None` if the walk did not pass all rows
    /// before it.
    pub progress: Option<Progress>,
}

/// Position of a walk in one of its sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourcePosition {
    /// Before the first row.
    Start,
    /// At a gap.
    At(Position),
    /// After the last row. `None` means that the source has no rows.
    End(Option<Position>),
}

impl SourcePosition {
    /// Returns true if no rows remain in a direction.
    #[must_use]
    pub fn is_exhausted(&self, direction: Direction) -> bool {
        match direction {
            Direction::Forward => matches!(self, Self::End(_)),
            Direction::Backward => matches!(self, Self::Start | Self::End(None)),
        }
    }

    /// Returns the same position for a walk in the opposite direction. That walk
    /// starts with a new cycle detection.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let restarted = |position: &Position| Position { cycle: CycleDetector::default(), ..position.clone() };
        match self {
            Self::Start => Self::Start,
            Self::At(position) => Self::At(restarted(position)),
            Self::End(position) => Self::End(position.as_ref().map(restarted)),
        }
    }

    /// Returns the gap at which a walk starts.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::At(position) | Self::End(Some(position)) => position.clone(),
            Self::Start | Self::End(None) => Position::start(),
        }
    }
}

/// Row adjacent to a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowKey {
    /// The row's id at the vendor.
    pub id: Box<str>,
    /// The row's creation time, if the vendor gave one.
    pub created_at: Option<Instant>,
    /// The side of the row on which the gap lies.
    pub side: Side,
}

/// Side of a row, in list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Between the row and its predecessor.
    Before,
    /// Between the row and its successor.
    After,
}

/// Location of a gap in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Located {
    /// After this many rows. Determined by the adjacent row, or by the offset if
    /// the vendor has no order.
    At(usize),
    /// After this many rows. Determined by the order, because the adjacent row is
    /// not in the page.
    ByOrder(usize),
}

impl Located {
    /// Returns the number of rows of the page before the gap.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::At(index) | Self::ByOrder(index) => index,
        }
    }
}

impl Position {
    /// Returns the beginning of a list.
    #[must_use]
    pub fn start() -> Self {
        Self {
            anchor: Anchor::Start,
            offset: 0,
            adjacent_row: None,
            cycle: CycleDetector::default(),
            progress: Some(Progress::default()),
        }
    }

    /// Returns the gap before the record at `index` of a page, or after the last
    /// record.
    #[must_use]
    pub fn within(page: &RecordPage, anchor: &Anchor, index: usize, facing: Direction) -> Self {
        let before = index.checked_sub(1).map(|previous| RowKey::new(page, previous, Side::After));
        let after = (index < page.len()).then(|| RowKey::new(page, index, Side::Before));
        let adjacent_row = match facing {
            Direction::Forward => before.or(after),
            Direction::Backward => after.or(before),
        };
        Self {
            anchor: anchor.clone(),
            offset: clamp(index),
            adjacent_row,
            cycle: CycleDetector::default(),
            progress: None,
        }
    }

    /// Returns the gap as a position in the neighbouring page that a walk enters
    /// next.
    #[must_use]
    pub fn entering(anchor: Anchor, adjacent_row: Option<RowKey>, cycle: CycleDetector, direction: Direction) -> Self {
        let offset = match direction {
            Direction::Forward => 0,
            Direction::Backward => u16::MAX,
        };
        Self { anchor, offset, adjacent_row, cycle, progress: None }
    }

    /// Locates the gap in the page at an anchor, in a list with an order.
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
        // The anchor's meaning places the gap at the edge of the page, even if
        // the vendor has no fixed order for rows of the same instant.
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
    /// Returns the key of the record at `index` of a page.
    #[must_use]
    pub fn new(page: &RecordPage, index: usize, side: Side) -> Self {
        Self { id: page.id(index).into(), created_at: page.created_at(index).map(Into::into), side }
    }

    /// Returns true if the gap lies before the record at `index`, in a list
    /// ordered by (`created_at`, `id`).
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
