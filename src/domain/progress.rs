//! Progress of a walk: the proof that a list ended where its vendor says.

use serde::{Deserialize, Serialize};

use super::page::PageInfo;

/// Number of vendor rows that a walk has passed, and the vendor's row count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    rows: u32,
    /// The least row count that the vendor has claimed. The least one, because
    /// rows may be deleted during the walk.
    total: Option<u32>,
}

/// End of a list before the row count that its vendor claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// The number of rows that the vendor sent.
    pub rows: u32,
    /// The number of rows that the vendor claims.
    pub total: u32,
}

impl Progress {
    /// Returns the number of rows.
    #[must_use]
    pub fn rows(self) -> u32 {
        self.rows
    }

    /// Returns the progress after a page.
    #[must_use]
    pub fn after(self, page: &PageInfo) -> Self {
        let claimed = page.claimed_total.and_then(|total| u32::try_from(total).ok());
        let total = [self.total, claimed].into_iter().flatten().min();
        Self { rows: self.rows.saturating_add(page.rows), total }
    }

    /// Returns the progress after some more rows.
    #[must_use]
    pub fn with(self, rows: usize) -> Self {
        Self { rows: self.rows.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX)), ..self }
    }

    /// Returns the progress before some of the rows.
    #[must_use]
    pub fn without(self, rows: usize) -> Self {
        Self { rows: self.rows.saturating_sub(u32::try_from(rows).unwrap_or(u32::MAX)), ..self }
    }

    /// Returns the shortfall of a list that ends here; `None` if the end agrees
    /// with the vendor's row count.
    #[must_use]
    pub fn shortfall(self) -> Option<Shortfall> {
        let total = self.total.filter(|&total| total > self.rows)?;
        Some(Shortfall { rows: self.rows, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: u32, claimed_total: Option<u64>) -> PageInfo {
        PageInfo { rows, claimed_total, ..PageInfo::default() }
    }

    #[test]
    fn short_list_is_a_shortfall() {
        let progress = Progress::default().after(&page(100, Some(143))).after(&page(20, Some(143)));
        assert_eq!(progress.shortfall(), Some(Shortfall { rows: 120, total: 143 }));
    }

    #[test]
    fn deleted_rows_are_no_shortfall() {
        let progress = Progress::default().after(&page(100, Some(143))).after(&page(33, Some(133)));
        assert_eq!(progress.shortfall(), None);
    }

    #[test]
    fn list_without_a_count_is_no_shortfall() {
        assert_eq!(Progress::default().after(&page(3, None)).shortfall(), None);
    }
}
