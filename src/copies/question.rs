//! Questions that columns can decide.

use crate::domain::query::{ListQuery, Order};

/// Question that a stored list answers: a filter and an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {}

impl Question {
    /// Returns the question of a query, or `None` if columns cannot decide it.
    /// `default_order` is the vendor's order of the list, if it has one.
    #[must_use]
    pub fn new(query: &ListQuery, default_order: Option<Order>) -> Option<Self> {
        todo!("{query:?} {default_order:?}")
    }

    /// Returns true if every row matches.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        todo!()
    }
}
