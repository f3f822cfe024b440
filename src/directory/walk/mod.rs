//! Walk of one request through the rows of one source.
//!
//! A walk starts at the position of a cursor ([`SourcePosition`]) and returns
//! matching rows in its direction. It reads vendor pages of the
//! maximum size, whatever the limit of the request. A walk is paged if the
//! vendor keeps the requested order, or if the request has none. Otherwise the
//! walk scans all rows of the source and sorts them. A walk through a stored list
//! calls no vendor.

mod call_budget;
mod copied;
mod fetch_options;
mod location;
mod page_summary;
mod paged;
mod pages;
mod prediction;
mod prefilter;
mod row;
mod scan;
mod shared_reservation;
mod sorted;
mod stop;
mod view;
mod views;

use std::sync::Arc;

use crate::{
    domain::{anchor::Direction, position::SourcePosition},
    vendors::plan::Plan,
};

use super::{CallEstimate, DirectoryError, Freshness, Origin, Segment};

pub(super) use call_budget::CallBudget;
use copied::Copied;
pub(super) use copied::CopiedSource;
pub(super) use fetch_options::{FetchMode, FetchOptions};
pub(super) use page_summary::PageSummary;
use paged::Paged;
pub(super) use pages::Pages;
pub(super) use prediction::{PredictedCall, Prediction};
pub(super) use row::Row;
pub(super) use scan::ScanOptions;
pub(super) use shared_reservation::SharedReservation;
use sorted::Sorted;
use stop::Stop;
pub(super) use views::Views;

/// Walk through the matching rows of one source.
pub(super) enum Walk {
    /// In the order of the vendor's pages.
    Paged(Paged),
    /// In an order that the gateway establishes.
    Sorted(Sorted),
    /// Through a stored list.
    Copied(Box<Copied>),
}

/// Result of the search for the next row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The walk is at a row.
    Row,
    /// The list ends here.
    End,
    /// Unknown, because the call budget or the request's time is exhausted.
    BudgetExhausted,
    /// Unknown in a dry run, because the next page is not cached.
    Unpredictable,
}

/// Position of a walk among the rows that it has read. No method makes a
/// vendor call.
pub(super) trait RowCursor {
    /// Returns the row that the last search found.
    fn row(&self) -> Option<Row>;
    /// Moves past that row.
    fn advance(&mut self);
    /// Takes that row and the rows after it that require no search: at most `limit` rows.
    fn take_rows(&mut self, limit: usize) -> Option<Segment> {
        let row = self.row().filter(|_| limit > 0)?;
        self.advance();
        Some(row.into())
    }
    /// Returns true if the walk has left the place of its start.
    fn has_advanced(&self) -> bool;
    /// Returns the start of the walk, as a walk in the opposite direction
    /// enters it.
    fn start_position(&self) -> SourcePosition;
    /// Returns the position of the walk, as the next request enters it. At the
    /// edge of a vendor page, this is a position in the adjacent page.
    fn current_position(&mut self) -> Result<SourcePosition, DirectoryError>;
    /// Returns the position of the walk in the vendor page that it has read.
    fn position_in_page(&self) -> SourcePosition;
    /// Returns the calls that a page takes in addition to the predicted calls;
    /// `None` if only the call budget limits them.
    fn remaining_calls(&self) -> Option<CallEstimate>;
    /// Returns a summary of the pages read so far, if any.
    fn summary(&self) -> Option<PageSummary>;
}

impl Walk {
    /// Creates a walk through the vendor's pages that starts at a position.
    pub(super) fn new(mut pages: Pages, direction: Direction, position: SourcePosition) -> Self {
        let Some(order) = pages.plan.sort else { return Self::Paged(Paged::new(pages, direction, position)) };
        let scan = pages.options.scan.clone();
        pages.options.calls = scan.budget(&pages.options.calls);
        Self::Sorted(Sorted::new(pages, scan, order, direction, position))
    }

    /// Creates a walk through a stored list that starts at a position.
    pub(super) fn copied(pages: Pages, direction: Direction, position: SourcePosition, list: CopiedSource) -> Self {
        Self::Copied(Box::new(Copied::new(pages, list, direction, position)))
    }

    /// Returns true unless the walk reads a stored list that lacks the place of its
    /// start.
    pub(super) async fn has_start(&mut self) -> Result<bool, DirectoryError> {
        match self {
            Self::Paged(_) | Self::Sorted(_) => Ok(true),
            Self::Copied(walk) => walk.begin().await,
        }
    }

    /// Returns true if the walk reads a stored list.
    pub(super) fn is_copied(&self) -> bool {
        matches!(self, Self::Copied(_))
    }

    /// Returns the origin of the rows.
    pub(super) fn origin(&self) -> Origin {
        if self.is_copied() { Origin::Sync } else { Origin::Vendor }
    }

    /// Fetches the pages that the walk requires before its first row: the first
    /// page, or all pages of a sorted walk. Returns the reason if the walk
    /// cannot begin.
    pub(super) async fn begin(&mut self) -> Result<Option<Next>, DirectoryError> {
        let begun = match self {
            Self::Paged(walk) => walk.begin().await,
            Self::Sorted(walk) => walk.begin().await,
            Self::Copied(walk) => return walk.begin().await.map(|_| None),
        };
        match begun {
            Ok(()) => Ok(None),
            Err(stop) => stop.into_next().map(Some),
        }
    }

    /// Moves to the next matching row and fetches the pages on the way.
    pub(super) async fn next(&mut self) -> Result<Next, DirectoryError> {
        let next = match self {
            Self::Paged(walk) => walk.next().await,
            Self::Sorted(walk) => walk.next().await,
            Self::Copied(walk) => return walk.next().await,
        };
        next.or_else(Stop::into_next)
    }

    /// Returns the cursor of the walk.
    pub(super) fn cursor(&self) -> &dyn RowCursor {
        match self {
            Self::Paged(walk) => walk,
            Self::Sorted(walk) => walk,
            Self::Copied(walk) => &**walk,
        }
    }

    /// Returns the cursor of the walk.
    pub(super) fn cursor_mut(&mut self) -> &mut dyn RowCursor {
        match self {
            Self::Paged(walk) => walk,
            Self::Sorted(walk) => walk,
            Self::Copied(walk) => &mut **walk,
        }
    }

    /// Returns the plan of the walk.
    pub(super) fn plan(&mut self) -> Arc<Plan> {
        Arc::clone(&self.pages().plan)
    }

    /// Returns the maximum number of calls of the walk.
    pub(super) fn allowed_calls(&mut self) -> u32 {
        self.pages().allowed_calls()
    }

    /// Returns the prediction of a dry run.
    pub(super) fn take_prediction(&mut self) -> Prediction {
        self.pages().take_prediction()
    }

    /// Returns the failure of the call that did not fit into the request's time.
    pub(super) fn out_of_time(&mut self) -> Option<DirectoryError> {
        self.pages().out_of_time()
    }

    /// Returns the freshness of the pages read since the last call.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.pages().take_freshness()
    }

    /// Returns the vendor's row count in the newest page, which may count rows that
    /// the gateway filters.
    pub(super) fn row_count(&mut self) -> Option<u64> {
        self.pages().row_count()
    }

    /// Returns the reservation of the walk's calls.
    pub(super) fn shared_reservation(&mut self) -> SharedReservation {
        self.pages().shared_reservation()
    }

    fn pages(&mut self) -> &mut Pages {
        match self {
            Self::Paged(walk) => &mut walk.pages,
            Self::Sorted(walk) => &mut walk.pages,
            Self::Copied(walk) => &mut walk.pages,
        }
    }
}
