//! Limits of the rows that the gateway sorts.

use crate::vendors::PAGE_SIZE;

/// Limit that a sorted list exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortLimit {
    /// Number of rows to sort for one connection.
    Rows {
        /// Maximum number of rows.
        allowed: u32,
        /// Setting of the limit.
        setting: &'static str,
    },
    /// Number of vendor calls of one scan. The vendor's pages are not full.
    ScanCalls {
        /// Maximum number of calls.
        allowed: u32,
        /// Setting of the limit.
        setting: &'static str,
    },
    /// Number of vendor calls of the request, set by the caller.
    RequestCalls {
        /// Maximum number of calls.
        allowed: u32,
    },
}

impl SortLimit {
    /// Describes the limit and its excess by a list of `rows` rows, if the vendor
    /// reports their number.
    pub(super) fn describe(self, rows: Option<u64>) -> String {
        match (self, rows) {
            (Self::Rows { allowed, setting }, Some(rows)) => {
                format!("it has {rows} rows, and the gateway sorts at most {allowed} (`{setting}`)")
            }
            (Self::Rows { allowed, setting }, None) => {
                format!("it has more than {allowed} rows, the most that the gateway sorts (`{setting}`)")
            }
            (Self::ScanCalls { allowed, setting }, _) => {
                format!("its rows take more than {allowed} vendor calls, the most for sorting (`{setting}`)")
            }
            (Self::RequestCalls { allowed }, None) => {
                format!("its rows take more than {allowed} vendor calls, this request's limit")
            }
            (Self::RequestCalls { allowed }, Some(rows)) => {
                let calls = rows.div_ceil(PAGE_SIZE as u64);
                // The rows fit the budget, but other connections have used part of it.
                let scope = if calls <= u64::from(allowed) { " for all its connections" } else { "" };
                format!("its {rows} rows take {calls} vendor calls, and this request may make {allowed}{scope}")
            }
        }
    }
}
