//! Selections: the rows that match a question, in order.

use crate::domain::position::RowKey;

/// Row of a stored list. Valid for the list that returned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowRef(u32);

/// Rows of a list that match a question, in the order of the question.
#[derive(Debug)]
pub struct Selection {}

impl Selection {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    /// Returns true if no row matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the row at an index.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<RowRef> {
        todo!("{index}")
    }

    /// Returns the number of rows before a gap. The adjacent row may be a row of
    /// the list that does not match. Returns `None` if the list lacks the row and
    /// its order does not place it.
    #[must_use]
    pub fn locate(&self, key: &RowKey) -> Option<usize> {
        todo!("{key:?}")
    }

    /// Returns the number of rows that the filter could not decide.
    #[must_use]
    pub fn undecided(&self) -> u32 {
        todo!()
    }

    /// Returns the memory of the selection without the list, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        todo!()
    }
}
