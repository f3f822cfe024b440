//! One request's way through one source's rows: fetch wide, serve narrow.
//!
//! A walk goes on from where a cursor stands ([`SourcePosition`]), offers one
//! matching row after the other in its direction, and says where it began and
//! where it has come to. Where the vendor keeps the order that was asked for,
//! or none was, it goes from page to page; where the gateway has to make the
//! order, through a view of all rows.

mod calls;
mod paged;
mod pages;
mod sorted;

use std::sync::Arc;

use crate::{
    cache::Entry,
    domain::{anchor::Direction, position::SourcePosition},
};

use super::{CallEstimate, DirectoryError, Freshness};

pub(super) use calls::CallBudget;
use paged::Paged;
pub(super) use pages::{FetchMode, FetchOptions, PageSummary, Pages, PredictedCall};
use sorted::Sorted;

/// One source's matching rows, one after the other.
pub(super) enum Walk {
    /// As the vendor's pages hold them.
    Paged(Paged),
    /// In an order that the gateway makes.
    Sorted(Sorted),
}

/// What comes next in a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A row, to be looked at and taken.
    Row,
    /// Nothing: the list ends here.
    End,
    /// Perhaps a row: the calls are spent.
    BudgetExhausted,
    /// Perhaps a row: only the vendor's answer would tell.
    Unpredictable,
}

/// A row, by its place in a kept page.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) entry: Arc<Entry>,
    pub(super) index: usize,
}

/// Why a walk stands still.
#[derive(Debug)]
enum Stop {
    /// The calls are spent.
    BudgetExhausted,
    /// What follows depends on an answer that is not asked for.
    Unpredictable,
    /// Something failed.
    Failed(DirectoryError),
}

impl From<DirectoryError> for Stop {
    fn from(error: DirectoryError) -> Self {
        Self::Failed(error)
    }
}

impl Row {
    /// The row's id at the vendor.
    pub(super) fn id(&self) -> &str {
        self.entry.page.id(self.index)
    }

    /// When it was created, where the vendor says so.
    pub(super) fn created_at(&self) -> Option<jiff::Timestamp> {
        self.entry.page.created_at(self.index)
    }
}

impl Walk {
    /// A walk in a direction, from where a cursor stands.
    pub(super) fn new(pages: Pages, direction: Direction, from: SourcePosition) -> Self {
        match pages.plan.sort {
            Some(order) => Self::Sorted(Sorted::new(pages, order, direction, from)),
            None => Self::Paged(Paged::new(pages, direction, from)),
        }
    }

    /// Fetches what the walk cannot begin without: a page, or all of them where
    /// the order has to be made. Says what comes next where that ends it.
    pub(super) async fn begin(&mut self) -> Result<Option<Next>, DirectoryError> {
        let begun = match self {
            Self::Paged(walk) => walk.begin().await,
            Self::Sorted(walk) => walk.begin().await,
        };
        match begun {
            Ok(()) => Ok(None),
            Err(Stop::BudgetExhausted) => Ok(Some(Next::BudgetExhausted)),
            Err(Stop::Unpredictable) => Ok(Some(Next::Unpredictable)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Moves up to the next matching row, fetching pages as that takes.
    pub(super) async fn next(&mut self) -> Result<Next, DirectoryError> {
        let next = match self {
            Self::Paged(walk) => walk.next().await,
            Self::Sorted(walk) => walk.next().await,
        };
        match next {
            Ok(next) => Ok(next),
            Err(Stop::BudgetExhausted) => Ok(Next::BudgetExhausted),
            Err(Stop::Unpredictable) => Ok(Next::Unpredictable),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The row that [`Walk::next`] has moved up to.
    pub(super) fn row(&self) -> Option<Row> {
        match self {
            Self::Paged(walk) => walk.row(),
            Self::Sorted(walk) => walk.row(),
        }
    }

    /// Moves over that row.
    pub(super) fn take(&mut self) {
        match self {
            Self::Paged(walk) => walk.take(),
            Self::Sorted(walk) => walk.take(),
        }
    }

    /// Where the walk began, for one that goes the other way.
    pub(super) fn behind(&self) -> SourcePosition {
        match self {
            Self::Paged(walk) => walk.behind().reversed(),
            Self::Sorted(walk) => walk.behind().clone(),
        }
    }

    /// Where the walk has come to, as the next request should find it.
    pub(super) fn ahead(&mut self) -> Result<SourcePosition, DirectoryError> {
        match self {
            Self::Paged(walk) => walk.ahead(),
            Self::Sorted(walk) => Ok(walk.ahead()),
        }
    }

    /// Where the walk has come to, by what it has seen and without a look at
    /// what comes next.
    pub(super) fn here(&self) -> SourcePosition {
        match self {
            Self::Paged(walk) => walk.here(),
            Self::Sorted(walk) => walk.ahead(),
        }
    }

    /// How many calls more than those foreseen a page takes from here; `None`
    /// where only the call budget bounds them.
    pub(super) fn remaining_calls(&self) -> Option<CallEstimate> {
        match self {
            Self::Paged(walk) => walk.remaining_calls(),
            Self::Sorted(walk) => walk.remaining_calls(),
        }
    }

    /// What is asked, and how.
    pub(super) fn pages(&mut self) -> &mut Pages {
        match self {
            Self::Paged(walk) => &mut walk.pages,
            Self::Sorted(walk) => &mut walk.pages,
        }
    }

    /// What its pages have told, if any has come.
    pub(super) fn seen(&self) -> Option<PageSummary> {
        match self {
            Self::Paged(walk) => walk.pages.seen(),
            Self::Sorted(walk) => walk.seen(),
        }
    }

    /// How fresh the pages are that came since this was last asked.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.pages().take_freshness()
    }
}
