//! Rows of a walk.

use std::sync::Arc;

use crate::{directory::Segment, domain::page::RecordPage};

/// Row, given by its vendor page and its index in the page.
#[derive(Debug, Clone)]
pub(in crate::directory) struct Row {
    pub(in crate::directory) page: Arc<RecordPage>,
    pub(in crate::directory) index: usize,
}

impl Row {
    /// Returns the vendor's id of the row.
    pub(in crate::directory) fn id(&self) -> &str {
        self.page.id(self.index)
    }

    /// Returns the creation time of the row, if the vendor reports it.
    pub(in crate::directory) fn created_at(&self) -> Option<jiff::Timestamp> {
        self.page.created_at(self.index)
    }
}

impl From<Row> for Segment {
    fn from(Row { page, index }: Row) -> Self {
        Self { page, records: index..index + 1 }
    }
}
