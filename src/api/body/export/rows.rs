//! Rows of an export.

use std::borrow::Cow;

use crate::domain::{page::RecordPage, projection::Projection, query::ListQuery, record::RecordFields};

/// Content of an export's rows.
pub(super) struct RowWriter {
    /// Query of the list.
    pub(super) query: ListQuery,
    /// Fields that remain; `None` for all fields.
    pub(super) projection: Option<Projection>,
}

impl RowWriter {
    /// Returns the paths of the fields, including those of expanded objects.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        match &self.projection {
            Some(projection) => projection.paths().to_vec(),
            None => RecordFields::get(self.query.resource).paths(&self.query.shape).collect(),
        }
    }

    /// Returns the JSON of a row.
    pub(super) fn json<'p>(&self, page: &'p RecordPage, index: usize) -> Cow<'p, [u8]> {
        let record = page.json(index);
        let Some(projection) = &self.projection else { return record.into() };
        let mut json = Vec::with_capacity(record.len());
        projection.write(record, &mut json);
        json.into()
    }

    /// Returns true if the rows contain the vendor's own object.
    pub(super) fn has_raw(&self) -> bool {
        self.query.shape.raw
    }
}
