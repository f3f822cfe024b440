//! Segments: immutable blocks of rows that lists share.

use jiff::Timestamp;

use crate::domain::page::{Fields, RecordPage, UnreadFields};

use super::{
    column::{CodedColumn, IndexedColumn, InstantColumn},
    json_rows::{JsonRows, TemplateReader},
    template::{Texts, unpack},
};

/// Block of at most [`Segment::MAX_ROWS`] rows with different ids.
#[derive(Debug, Default)]
pub struct Segment {
    pub(super) id: SegmentId,
    pub(super) ids: IndexedColumn,
    pub(super) created_at: InstantColumn,
    pub(super) updated_at: InstantColumn,
    pub(super) folded_names: IndexedColumn,
    pub(super) folded_emails: IndexedColumn,
    pub(super) external_ids: IndexedColumn,
    pub(super) customer_ids: IndexedColumn,
    pub(super) platform_ids: IndexedColumn,
    pub(super) statuses: CodedColumn,
    pub(super) partner_ids: CodedColumn,
    pub(super) platforms: CodedColumn,
    /// The rows with unreadable fields, in ascending order.
    pub(super) unread: Box<[(u16, UnreadFields)]>,
    pub(super) json: JsonRows,
}

/// Digest of an encoded segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct SegmentId(pub [u8; 16]);

/// Row with the columns of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) id: &'a str,
    pub(super) created_at: Option<Timestamp>,
    pub(super) folded_name: Option<&'a str>,
    pub(super) folded_email: Option<&'a str>,
    pub(super) external_id: Option<&'a str>,
    pub(super) unread: UnreadFields,
    pub(super) json: &'a [u8],
}

/// Reader of rows, with its buffers.
#[derive(Default)]
pub(super) struct RowReader {
    templates: TemplateReader,
    json: Vec<u8>,
}

impl Segment {
    /// Maximum number of rows. A row's number has 16 bits, and so has the code of
    /// a value, of which one is null.
    pub const MAX_ROWS: usize = 65_535;

    /// Returns the digest of the encoding.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.id
    }

    /// Returns the number of rows, including those that a list hides.
    #[must_use]
    pub fn len(&self) -> usize {
        self.json.len()
    }

    /// Returns true if the segment has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the memory of the segment, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.indexed().iter().map(|column| column.bytes()).sum::<usize>()
            + [&self.created_at, &self.updated_at].iter().map(|column| column.bytes()).sum::<usize>()
            + [&self.statuses, &self.partner_ids, &self.platforms].iter().map(|column| column.bytes()).sum::<usize>()
            + size_of_val(&*self.unread)
            + self.json.bytes()
    }

    /// Returns the row with an id.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.ids.find(id).first().map(|row| usize::from(*row))
    }

    /// Returns the fields of a row whose vendor values are unreadable.
    pub(super) fn unread(&self, row: usize) -> UnreadFields {
        let found = self.unread.binary_search_by_key(&row, |(row, _)| usize::from(*row));
        found.map(|found| self.unread[found].1).unwrap_or_default()
    }

    /// Returns the columns with an index.
    pub(super) fn indexed(&self) -> [&IndexedColumn; 6] {
        [&self.ids, &self.folded_names, &self.folded_emails, &self.external_ids, &self.customer_ids, &self.platform_ids]
    }

    /// Returns the texts that templates of a row's JSON refer to. The order of the
    /// texts is a part of the encoding.
    fn texts(&self, row: usize) -> Texts<'_> {
        [
            self.ids.get(row),
            self.external_ids.get(row),
            self.folded_emails.get(row),
            self.folded_names.get(row),
            self.partner_ids.get(row),
            self.customer_ids.get(row),
            self.platform_ids.get(row),
        ]
    }
}

impl<'a> Row<'a> {
    /// Returns the row at `index` of a page.
    pub(super) fn of_page(page: &'a RecordPage, index: usize) -> Self {
        Self {
            id: page.id(index),
            created_at: page.created_at(index),
            folded_name: page.folded_name(index),
            folded_email: page.folded_email(index),
            external_id: page.external_id(index),
            unread: page.unread(index),
            json: page.json(index),
        }
    }

    /// Returns the fields for a page. Folding folded text changes nothing.
    pub(super) fn fields(&self) -> Fields<'a> {
        Fields {
            id: self.id,
            created_at: self.created_at,
            name: self.folded_name,
            email: self.folded_email,
            external_id: self.external_id,
        }
    }
}

impl RowReader {
    /// Reads a row. Returns `None` if the segment lacks the row or the row is
    /// damaged.
    pub(super) fn read<'a>(&'a mut self, segment: &'a Segment, row: usize) -> Option<Row<'a>> {
        let template = self.templates.read(&segment.json, row)?;
        self.json.clear();
        unpack(template, &segment.texts(row), &mut self.json)?;
        Some(Row {
            id: segment.ids.get(row)?,
            created_at: segment.created_at.get(row),
            folded_name: segment.folded_names.get(row),
            folded_email: segment.folded_emails.get(row),
            external_id: segment.external_ids.get(row),
            unread: segment.unread(row),
            json: &self.json,
        })
    }
}
