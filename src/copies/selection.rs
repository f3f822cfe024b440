//! Selections: the rows of a list that match a question, in order.

use std::{cmp::Ordering, ops::Range, sync::Arc};

use jiff::Timestamp;

use crate::domain::{
    anchor::Instant,
    filter::InstantRange,
    position::{RowKey, Side},
    query::Order,
};

use super::{
    Question, RowRef, StoredList,
    bits::{Bits, RankedBits},
    creation::Creation,
    question::Sequence,
    row_filter::{Matches, RowFilter},
    row_order::RowOrder,
};

/// Rows of a list that match a question, in the order of the question.
#[derive(Debug)]
pub struct Selection {
    list: Arc<StoredList>,
    sequence: Sequence,
    /// The rows by their rank in the order that the selection reads.
    ranks: Ranks,
    undecided: u32,
}

/// Set of ranks.
#[derive(Debug)]
enum Ranks {
    Range(Range<usize>),
    /// Ascending ranks.
    Few(Box<[u32]>),
    Many(RankedBits),
}

/// Part of the rows below which a selection has a list of ranks.
const FEW: usize = 32;

impl StoredList {
    /// Returns the rows that match a question, in its order. Takes up to 20 ms for
    /// 1,000,000 rows: see [`work`](Self::work).
    #[must_use]
    pub fn select(self: &Arc<Self>, question: &Question) -> Selection {
        let sequence = question.sequence;
        let range = question.is_range().then(|| self.created_range(sequence, question.residual.created)).flatten();
        let mut filter = RowFilter::new(question);
        let ranks = range.unwrap_or_else(|| self.matching(sequence, &mut filter));
        let undecided = self.slots.iter().fold(0_u32, |sum, slot| sum.saturating_add(filter.undecided(slot)));
        Selection { list: Arc::clone(self), sequence, ranks, undecided }
    }

    /// Estimates the work of a selection, in units of about 100 ns.
    #[must_use]
    pub fn work(&self, question: &Question) -> usize {
        if question.is_unfiltered() {
            return 1;
        }
        let filter = RowFilter::new(question);
        self.slots.iter().map(|slot| filter.work(slot)).sum()
    }

    fn matching(&self, sequence: Sequence, filter: &mut RowFilter<'_>) -> Ranks {
        let order = self.order(sequence);
        let matches: Vec<_> = self.slots.iter().map(|slot| filter.select(slot)).collect();
        let count: usize = matches.iter().map(Matches::count).sum();
        if count < self.len() / FEW {
            let rows = matches.iter().enumerate().flat_map(|(index, matches)| matches.rows(index));
            let ranks = rows.filter_map(|row| u32::try_from(order.rank(row)?).ok());
            let mut ranks: Box<[u32]> = ranks.collect();
            ranks.sort_unstable();
            return Ranks::Few(ranks);
        }
        let mut ranks = Bits::new(self.len());
        for (index, matches) in matches.iter().enumerate() {
            match matches {
                Matches::Many(rows) => order.to_ranks(index, rows, &mut ranks),
                Matches::Few(_) => matches.rows(index).filter_map(|row| order.rank(row)).for_each(|rank| {
                    ranks.insert(rank);
                }),
            }
        }
        Ranks::Many(RankedBits::new(ranks))
    }

    /// Returns the rows with a creation time in a range, if the order has them
    /// next to each other.
    fn created_range(&self, sequence: Sequence, range: InstantRange) -> Option<Ranks> {
        if !range.is_bounded() {
            return Some(Ranks::Range(0..self.len()));
        }
        let rows = self.order(sequence).rows();
        let is_early =
            |created_at: Option<Timestamp>| created_at.is_none() || range.gte.is_some_and(|gte| created_at < Some(gte));
        let is_late = |created_at: Option<Timestamp>| range.lte.is_some_and(|lte| created_at > Some(lte));
        let created_at = |row: &RowRef| self.key_of(*row).0;
        let (start, end) = match self.direction(sequence)? {
            Order::Asc => (
                rows.partition_point(|row| is_early(created_at(row))),
                rows.partition_point(|row| !is_late(created_at(row))),
            ),
            Order::Desc => (
                rows.partition_point(|row| is_late(created_at(row))),
                rows.partition_point(|row| !is_early(created_at(row))),
            ),
        };
        Some(Ranks::Range(start..end.max(start)))
    }

    /// Returns the order that a sequence reads, forward or backward.
    fn order(&self, sequence: Sequence) -> &RowOrder {
        match (sequence, &self.creation) {
            (Sequence::Created(_), Creation::Own(order)) => order,
            _ => &self.order,
        }
    }

    /// Returns true if a sequence reads its order backward.
    fn is_backward(&self, sequence: Sequence) -> bool {
        match (sequence, &self.creation) {
            (Sequence::Listed(_), _) => false,
            (Sequence::Reversed(_), _) => true,
            (Sequence::Created(order), Creation::Listed | Creation::Own(_)) => order == Order::Desc,
            (Sequence::Created(order), Creation::Reversed) => order == Order::Asc,
        }
    }

    /// Returns the direction of `created_at` in the order that a sequence reads.
    fn direction(&self, sequence: Sequence) -> Option<Order> {
        match (sequence, &self.creation) {
            (Sequence::Created(_), Creation::Listed | Creation::Own(_)) => Some(Order::Asc),
            (Sequence::Created(_), Creation::Reversed) => Some(Order::Desc),
            _ if self.trend.ascends => Some(Order::Asc),
            _ => self.trend.descends.then_some(Order::Desc),
        }
    }

    /// Returns the rank of a gap whose adjacent row the list lacks.
    fn gap(&self, sequence: Sequence, key: &RowKey) -> Option<usize> {
        let created_at = key.created_at.and_then(Instant::timestamp);
        let rows = self.order(sequence).rows();
        let compared = |row: &RowRef, direction| {
            let ascending = self.key_of(*row).cmp(&(created_at, &*key.id));
            if direction == Order::Asc { ascending } else { ascending.reverse() }
        };
        let direction = match sequence {
            Sequence::Created(_) => {
                let direction = self.direction(sequence)?;
                return Some(rows.partition_point(|row| compared(row, direction) == Ordering::Less));
            }
            Sequence::Reversed(default) | Sequence::Listed(Some(default)) => default,
            Sequence::Listed(None) => return None,
        };
        let is_ordered = if direction == Order::Asc { self.trend.ascends } else { self.trend.descends };
        if !is_ordered || created_at.is_none() {
            return None;
        }
        let is_before = |row: &RowRef| {
            let other = self.key_of(*row).0;
            if direction == Order::Asc { other < created_at } else { other > created_at }
        };
        // The vendor has its own order of rows of the same instant.
        let start = rows.partition_point(is_before);
        let precedes = |row: &RowRef| compared(row, direction) == Ordering::Greater;
        Some(start + rows[start..].iter().position(precedes).unwrap_or(rows.len() - start))
    }
}

impl Selection {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranks.len()
    }

    /// Returns true if no row matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the list.
    #[must_use]
    pub fn list(&self) -> &Arc<StoredList> {
        &self.list
    }

    /// Returns the row at an index.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<RowRef> {
        let index = if self.list.is_backward(self.sequence) { (self.len()).checked_sub(index + 1)? } else { index };
        self.list.order(self.sequence).rows().get(self.ranks.get(index)?).copied()
    }

    /// Returns the number of rows before a gap. The adjacent row may be a row of
    /// the list that does not match. Returns `None` if the list lacks the row and
    /// its order does not place it.
    #[must_use]
    pub fn locate(&self, key: &RowKey) -> Option<usize> {
        let is_backward = self.list.is_backward(self.sequence);
        let row = self.list.find(&key.id);
        let gap = match row.and_then(|row| self.list.order(self.sequence).rank(row)) {
            Some(rank) => rank + usize::from((key.side == Side::After) != is_backward),
            None => self.list.gap(self.sequence, key)?,
        };
        let before = self.ranks.count_below(gap);
        Some(if is_backward { self.len() - before } else { before })
    }

    /// Returns the number of rows that the filter could not decide.
    #[must_use]
    pub fn undecided(&self) -> u32 {
        self.undecided
    }

    /// Returns the memory of the selection without the list, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let ranks = match &self.ranks {
            Ranks::Range(_) => 0,
            Ranks::Few(ranks) => size_of_val(&**ranks),
            Ranks::Many(ranks) => ranks.bytes(),
        };
        size_of::<Self>() + ranks
    }
}

impl Ranks {
    fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Few(ranks) => ranks.len(),
            Self::Many(ranks) => ranks.len(),
        }
    }

    fn get(&self, index: usize) -> Option<usize> {
        match self {
            Self::Range(range) => Some(range.start + index).filter(|rank| *rank < range.end),
            Self::Few(ranks) => ranks.get(index).map(|rank| *rank as usize),
            Self::Many(ranks) => ranks.get(index),
        }
    }

    /// Returns the number of ranks below a rank.
    fn count_below(&self, rank: usize) -> usize {
        match self {
            Self::Range(range) => rank.clamp(range.start, range.end) - range.start,
            Self::Few(ranks) => ranks.partition_point(|other| (*other as usize) < rank),
            Self::Many(ranks) => ranks.count_below(rank),
        }
    }
}

impl Matches {
    fn count(&self) -> usize {
        match self {
            Self::Few(rows) => rows.len(),
            Self::Many(rows) => rows.count(),
        }
    }

    /// Returns the rows of the segment with an index.
    fn rows(&self, segment: usize) -> impl Iterator<Item = RowRef> {
        let (few, many) = match self {
            Self::Few(rows) => (Some(rows.iter().copied()), None),
            Self::Many(rows) => (None, Some(rows.iter())),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten()).map(move |row| RowRef::new(segment, row))
    }
}
