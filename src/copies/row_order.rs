//! Orders: permutations of the rows of a list.

use std::sync::Arc;

use super::bits::Bits;

/// Row of a stored list. Valid only for the list that returned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowRef(u32);

/// Rows in an order, and the rank of each row.
#[derive(Debug, Clone, Default)]
pub(super) struct RowOrder {
    rows: Arc<[RowRef]>,
    /// The rank of each row of each segment, [`HIDDEN`] for rows that the list
    /// lacks.
    ranks: Vec<Arc<[u32]>>,
}

/// Rank of a hidden row.
const HIDDEN: u32 = u32::MAX;

impl RowRef {
    /// Returns the row with a number in a segment, both below 65,536.
    #[inline]
    pub(super) fn new(segment: usize, row: usize) -> Self {
        Self(u32::try_from(segment << 16 | row).unwrap_or(u32::MAX))
    }

    /// Returns the index of the segment.
    #[inline]
    pub(super) fn segment(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// Returns the number of the row in its segment.
    #[inline]
    pub(super) fn row(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }
}

impl RowOrder {
    /// Ranks rows, of which each is in its segment and none occurs twice.
    pub(super) fn new(rows: Vec<RowRef>, segments: impl Iterator<Item = usize>) -> Self {
        let mut ranks: Vec<Vec<u32>> = segments.map(|rows| vec![HIDDEN; rows]).collect();
        for (rank, row) in (0..).zip(&rows) {
            ranks[row.segment()][row.row()] = rank;
        }
        Self { rows: rows.into(), ranks: ranks.into_iter().map(Into::into).collect() }
    }

    /// Returns the rows in order.
    pub(super) fn rows(&self) -> &[RowRef] {
        &self.rows
    }

    /// Returns the rank of a row, or `None` if the list hides the row.
    #[inline]
    pub(super) fn rank(&self, row: RowRef) -> Option<usize> {
        let rank = *self.ranks.get(row.segment())?.get(row.row())?;
        (rank != HIDDEN).then_some(rank as usize)
    }

    /// Returns the ranks of rows of a segment.
    pub(super) fn to_ranks(&self, segment: usize, rows: &Bits, into: &mut Bits) {
        let ranks = &self.ranks[segment];
        for (first, word) in rows.words() {
            let run = &ranks[first..ranks.len().min(first + 64)];
            let start = run.first().copied().unwrap_or_default();
            // Most rows are next to each other in the order, as in the segment.
            if start != HIDDEN && (0..).zip(run).all(|(index, rank)| *rank == start.wrapping_add(index)) {
                into.insert_word(start as usize, word);
                continue;
            }
            let mut rest = word;
            while rest != 0 {
                let rank = run[rest.trailing_zeros() as usize];
                if rank != HIDDEN {
                    into.insert(rank as usize);
                }
                rest &= rest - 1;
            }
        }
    }

    /// Returns the order with other rows at the same ranks. `segments` are the
    /// lengths of the segments after the change. A segment that takes the place of
    /// another takes all its ranks.
    pub(super) fn replaced(&self, moves: &[(RowRef, RowRef)], segments: impl Iterator<Item = usize>) -> Self {
        let mut rows: Arc<[RowRef]> = Arc::clone(&self.rows);
        let mut ranks = self.ranks.clone();
        for (index, length) in segments.enumerate() {
            match ranks.get_mut(index) {
                Some(ranks) if ranks.len() == length => {}
                Some(ranks) => *ranks = vec![HIDDEN; length].into(),
                None => ranks.push(vec![HIDDEN; length].into()),
            }
        }
        for (old, _) in moves {
            if let Some(rank) = ranks.get_mut(old.segment()).and_then(|ranks| Arc::make_mut(ranks).get_mut(old.row())) {
                *rank = HIDDEN;
            }
        }
        let changed = Arc::make_mut(&mut rows);
        for (old, new) in moves {
            let Some(rank) = self.rank(*old) else { continue };
            changed[rank] = *new;
            Arc::make_mut(&mut ranks[new.segment()])[new.row()] = u32::try_from(rank).unwrap_or(HIDDEN);
        }
        Self { rows, ranks }
    }

    /// Returns the rows of a segment that the list hides, if there is one.
    pub(super) fn hidden(&self, segment: usize) -> Option<Bits> {
        let ranks = self.ranks.get(segment)?;
        let mut hidden = Bits::full(ranks.len());
        hidden.retain_matching(ranks, |rank| rank == HIDDEN);
        (hidden.count() > 0).then_some(hidden)
    }

    /// Returns the memory of the order, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.rows) + self.ranks.iter().map(|ranks| size_of_val(&**ranks)).sum::<usize>()
    }
}
