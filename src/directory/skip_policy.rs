//! Failed sources that a list skips or an export waits for.

use std::time::Duration;

use crate::{upstream::SendError, vendors::RefusalKind};

use super::{DirectoryError, SourceError};

/// Longest rate limit that an export waits for. After a longer one, the export
/// ends and can be resumed from its last cursor.
const MAX_WAIT: Duration = Duration::from_mins(5);
/// Wait after a vendor's rate limit that names no time.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// Failures after which a list continues without the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SkipPolicy {
    /// Each failure ends the list.
    Never,
    /// Transient failures are skipped.
    Failures,
    /// Transient failures are skipped, except the rate limits that an export
    /// waits for.
    FailuresExceptRateLimits,
    /// Each failure is skipped, to explain the list.
    All,
}

impl SkipPolicy {
    /// Returns true if the list continues without the source of this error.
    pub(super) fn skips(self, error: &DirectoryError) -> bool {
        match self {
            Self::Never => false,
            Self::Failures => error.is_transient(),
            Self::FailuresExceptRateLimits => error.is_transient() && export_wait(error).is_none(),
            Self::All => true,
        }
    }
}

/// Returns the remaining time of a rate limit or of a requested pause, if an
/// export waits for it.
pub(super) fn export_wait(error: &DirectoryError) -> Option<Duration> {
    let wait = match error {
        DirectoryError::Source(_, SourceError::Vendor { error, retry_after, .. })
            if error.kind() == Some(RefusalKind::RateLimited) =>
        {
            retry_after.unwrap_or(DEFAULT_WAIT)
        }
        DirectoryError::Source(
            _,
            SourceError::Send(
                SendError::BudgetSpent { retry_after }
                | SendError::ShareSpent { retry_after }
                | SendError::Paused { retry_after },
            ),
        ) => *retry_after,
        _ => return None,
    };
    (wait <= MAX_WAIT).then_some(wait)
}
