//! Reasons why a walk stops before the next row.

use super::{super::DirectoryError, Next};

/// Reason why a walk cannot continue.
#[derive(Debug)]
pub(super) enum Stop {
    /// The call budget is exhausted.
    BudgetExhausted,
    /// In a dry run, the next page is not cached.
    Unpredictable,
    /// No call fits into the time that the request has left.
    OutOfTime(DirectoryError),
    /// A page failed.
    Failed(DirectoryError),
}

impl Stop {
    /// Returns the result of the search for the next row.
    pub(super) fn into_next(self) -> Result<Next, DirectoryError> {
        match self {
            Self::BudgetExhausted | Self::OutOfTime(_) => Ok(Next::BudgetExhausted),
            Self::Unpredictable => Ok(Next::Unpredictable),
            Self::Failed(error) => Err(error),
        }
    }
}

impl From<DirectoryError> for Stop {
    fn from(error: DirectoryError) -> Self {
        Self::Failed(error)
    }
}
