//! Summary of the pages that a walk has read.

use crate::{cache::Entry, domain::progress::Shortfall};

use super::{super::UnservedRows, Pages};

/// Summary of the pages that a walk has read.
#[derive(Debug, Clone, Copy)]
pub(in crate::directory) struct PageSummary {
    /// Row count in the newest page. `None` if the count is not exact or a page
    /// had rows that are not served.
    pub(in crate::directory) total: Option<u64>,
    /// Fetch time of the oldest page.
    pub(in crate::directory) oldest: jiff::Timestamp,
    /// Rows that the pages contained and the walk does not return.
    pub(in crate::directory) unserved: UnservedRows,
    /// Shortfall of a list that ended before the vendor's row count.
    pub(in crate::directory) shortfall: Option<Shortfall>,
    pub(super) newest: jiff::Timestamp,
    pub(super) has_dropped_rows: bool,
}

impl Pages {
    pub(super) fn record(&mut self, entry: &Entry) {
        let info = entry.page.info();
        let fetched_at = entry.fetched_at;
        let summary = self.summary.get_or_insert(PageSummary {
            total: None,
            oldest: fetched_at,
            unserved: UnservedRows::default(),
            shortfall: None,
            newest: jiff::Timestamp::MIN,
            has_dropped_rows: false,
        });
        if summary.newest <= fetched_at {
            summary.newest = fetched_at;
            summary.total = info.total;
        }
        summary.oldest = summary.oldest.min(fetched_at);
        let anomalies = &info.anomalies;
        summary.unserved.null = summary.unserved.null.saturating_add(anomalies.null_rows);
        summary.unserved.unreadable = summary.unserved.unreadable.saturating_add(anomalies.unreadable_rows);
        summary.has_dropped_rows |=
            anomalies.foreign_rows > 0 || anomalies.null_rows > 0 || anomalies.unreadable_rows > 0;
    }

    /// Returns a summary of the pages read so far, before filtering.
    pub(super) fn page_summary(&self) -> Option<PageSummary> {
        self.summary
    }

    /// Returns a summary of the pages read so far, if any. A filter could not
    /// decide `undecided` of their rows.
    pub(super) fn summary(&self, undecided: u32) -> Option<PageSummary> {
        self.summary.map(|summary| {
            let is_exact = self.plan.total_is_exact && !summary.has_dropped_rows && undecided == 0;
            let unserved = UnservedRows { undecided, ..summary.unserved };
            PageSummary { total: summary.total.filter(|_| is_exact), unserved, ..summary }
        })
    }

    /// Returns the vendor's row count in the newest page, which may count rows that
    /// the gateway filters.
    pub(super) fn row_count(&self) -> Option<u64> {
        self.summary?.total
    }
}
