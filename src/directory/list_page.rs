//! Pages of a list and single records.

use std::{ops::Range, sync::Arc};

use crate::domain::page::RecordPage;

use super::{Freshness, SourceReport};

/// Page of a list.
#[derive(Debug)]
pub struct ListPage {
    /// Records in list order.
    pub segments: Vec<Segment>,
    /// Cursor of the next page; `None` at the end of the list.
    pub next_cursor: Option<String>,
    /// Cursor of the previous page; `None` at the start of the list.
    pub prev_cursor: Option<String>,
    /// True if the process keeps the positions of a cursor. Such a cursor may
    /// expire before the page is stale.
    pub has_kept_cursor: bool,
    /// Outcome of each source, in request order.
    pub sources: Vec<SourceReport>,
    /// Freshness of the page; `None` if no vendor page was read.
    pub freshness: Option<Freshness>,
}

/// Single record with its freshness.
#[derive(Debug)]
pub struct RetrievedRecord {
    /// Segment of one record.
    pub record: Segment,
    /// Freshness of the record.
    pub freshness: Freshness,
}

/// Consecutive records of one vendor page.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Vendor page that contains the records.
    pub page: Arc<RecordPage>,
    /// Indexes of the records in the vendor page.
    pub records: Range<usize>,
}

impl ListPage {
    /// Returns the number of rows in the whole list, if it is exactly known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.sources.iter().map(|source| source.outcome.total()).sum()
    }
}

impl Segment {
    /// Returns the JSON of the records, separated by commas.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        self.page.json_of(&self.records)
    }
}

impl AsRef<[u8]> for Segment {
    fn as_ref(&self) -> &[u8] {
        self.json()
    }
}
