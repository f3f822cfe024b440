//! Construction of a record page, record by record.

use crate::domain::json::WriteJson;

use super::{PageInfo, RecordPage, UnreadFields, column::TextColumnBuilder, digest};

/// Bytes reserved for the first record, whose size is not known yet.
const FIRST_RECORD_BYTES: usize = 768;
/// Bytes by which a record may be longer than the first record of its page.
const SPARE_BYTES: usize = 16;
/// Maximum number of bytes that are reserved. One record of a page may be much longer
/// than the others.
const MAX_RESERVED: usize = 1 << 20;

/// Builder of a [`RecordPage`].
#[derive(Debug, Default)]
pub struct RecordPageBuilder {
    /// The expected number of records.
    records: usize,
    json: Vec<u8>,
    json_ends: Vec<u32>,
    ids: String,
    id_ends: Vec<u32>,
    created_at: Vec<Option<jiff::Timestamp>>,
    folded_names: TextColumnBuilder,
    folded_emails: TextColumnBuilder,
    external_ids: TextColumnBuilder,
    unread: Vec<(u32, UnreadFields)>,
    alias: Option<Box<str>>,
}

/// Fields of a record that the gateway pages, sorts and filters by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fields<'a> {
    /// The id at the vendor.
    pub id: &'a str,
    /// The creation time.
    pub created_at: Option<jiff::Timestamp>,
    /// The name.
    pub name: Option<&'a str>,
    /// The email address.
    pub email: Option<&'a str>,
    /// Your own id of the record.
    pub external_id: Option<&'a str>,
}

/// A record that cannot be appended to a page.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The records exceed 4 GiB. Vendor responses are limited to far less.
    #[error("the page is too large")]
    TooLarge,
}

impl RecordPageBuilder {
    /// Returns a builder with memory for a number of records.
    #[must_use]
    pub fn with_capacity(records: usize) -> Self {
        Self {
            records,
            json: Vec::with_capacity(FIRST_RECORD_BYTES * records.min(1)),
            json_ends: Vec::with_capacity(records),
            id_ends: Vec::with_capacity(records),
            created_at: Vec::with_capacity(records),
            ..Self::default()
        }
    }

    /// Appends a record.
    pub fn push(&mut self, fields: &Fields<'_>, record: &impl WriteJson) -> Result<(), BuildError> {
        self.separate();
        record.write_json(&mut self.json);
        self.push_fields(fields)
    }

    /// Appends a record from its JSON, which must not be empty.
    pub fn push_json(&mut self, fields: &Fields<'_>, json: &[u8]) -> Result<(), BuildError> {
        self.separate();
        self.json.extend_from_slice(json);
        self.push_fields(fields)
    }

    fn separate(&mut self) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
    }

    fn push_fields(&mut self, fields: &Fields<'_>) -> Result<(), BuildError> {
        if self.json_ends.is_empty() {
            self.reserve_like(fields);
        }
        self.ids.push_str(fields.id);
        self.json_ends.push(self.json.len().try_into().map_err(|_| BuildError::TooLarge)?);
        self.id_ends.push(self.ids.len().try_into().map_err(|_| BuildError::TooLarge)?);
        self.created_at.push(fields.created_at);
        let is_stored = self.folded_names.push_folded(fields.name)
            && self.folded_emails.push_folded(fields.email)
            && self.external_ids.push(fields.external_id);
        if is_stored { Ok(()) } else { Err(BuildError::TooLarge) }
    }

    /// Reserves memory for the remaining records, from the size of the first one. One
    /// allocation in place of several copies of the page.
    fn reserve_like(&mut self, first: &Fields<'_>) {
        let all = |length: usize| length.saturating_mul(self.records).min(MAX_RESERVED);
        let (json, ids) = (all(self.json.len() + SPARE_BYTES), all(first.id.len()));
        self.json.reserve(json.saturating_sub(self.json.len()));
        self.ids.reserve(ids);
        let columns = [
            (&mut self.folded_names, first.name),
            (&mut self.folded_emails, first.email),
            (&mut self.external_ids, first.external_id),
        ];
        for (column, value) in columns {
            column.reserve(self.records, all(value.map_or(0, str::len)));
        }
    }

    /// Marks fields of the last record as unreadable.
    pub fn mark_unread(&mut self, fields: UnreadFields) {
        if let Some(last) = self.created_at.len().checked_sub(1).and_then(|last| u32::try_from(last).ok())
            && !fields.is_empty()
        {
            self.unread.push((last, fields));
        }
    }

    /// Sets the requested id of a page with one record.
    pub fn set_requested_id(&mut self, id: &str) {
        let differs = self.id_ends.len() == 1 && self.ids != id;
        self.alias = differs.then(|| id.into());
    }

    /// Returns the page, in buffers without spare capacity.
    #[must_use]
    pub fn finish(self, info: PageInfo) -> RecordPage {
        RecordPage {
            digest: digest(&self.json),
            json: self.json.into(),
            json_ends: self.json_ends.into(),
            ids: self.ids.into(),
            id_ends: self.id_ends.into(),
            created_at: self.created_at.into(),
            folded_names: self.folded_names.finish(),
            folded_emails: self.folded_emails.finish(),
            external_ids: self.external_ids.finish(),
            unread: self.unread.into(),
            alias: self.alias,
            info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_range_is_joined_by_commas() {
        let mut builder = RecordPageBuilder::default();
        for (id, record) in [("a", 1_i64), ("bc", 22), ("d", 333)] {
            builder.push(&Fields { id, ..Fields::default() }, &record).unwrap();
        }
        let page = builder.finish(PageInfo::default());

        let text = |records| std::str::from_utf8(page.json_of(&records)).unwrap();
        assert_eq!(text(0..3), "1,22,333");
        assert_eq!(text(1..3), "22,333");
        assert_eq!(text(1..1), "");
        assert_eq!((page.id(0), page.id(1), page.id(2)), ("a", "bc", "d"));
        assert_eq!(page.find("bc"), Some(1));
    }
}
