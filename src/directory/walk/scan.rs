//! Limits of full scans, which sort the rows of a source.

use crate::{directory::SortLimit, vendors::PAGE_SIZE};

use super::{CallBudget, Views};

/// Options of full scans.
#[derive(Debug, Clone)]
pub(in crate::directory) struct ScanOptions {
    /// Cache of the sorted views.
    pub(in crate::directory) views: Views,
    /// Maximum number of rows to sort for a source.
    pub(in crate::directory) max_rows: u32,
    /// Setting of `max_rows`.
    pub(in crate::directory) setting: &'static str,
    /// True if each scan has a call budget of its own. False if scans share the
    /// budget of the request.
    pub(in crate::directory) has_own_budget: bool,
}

impl ScanOptions {
    /// Returns the call budget of the next scan, in a request with this budget.
    pub(super) fn budget(&self, request: &CallBudget) -> CallBudget {
        if self.has_own_budget { CallBudget::new(self.max_calls()) } else { request.clone() }
    }

    /// Returns the limit for rows.
    pub(super) fn row_limit(&self) -> SortLimit {
        SortLimit::Rows { allowed: self.max_rows, setting: self.setting }
    }

    /// Returns the limit for calls, of which a scan may make `allowed`.
    pub(super) fn call_limit(&self, allowed: u32) -> SortLimit {
        if self.has_own_budget {
            SortLimit::ScanCalls { allowed, setting: self.setting }
        } else {
            SortLimit::RequestCalls { allowed }
        }
    }

    /// Returns the number of calls of a scan of full pages.
    fn max_calls(&self) -> u32 {
        u32::try_from(u64::from(self.max_rows).div_ceil(PAGE_SIZE as u64)).unwrap_or(u32::MAX)
    }
}
