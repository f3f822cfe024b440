//! Construction of a segment, row by row.

use jiff::Timestamp;

use crate::domain::page::UnreadFields;

use super::{
    column::{CodedColumnBuilder, IndexedColumn, InstantColumn, TextColumnBuilder},
    fields::JsonFields,
    json_rows::JsonRowsBuilder,
    segment::{Row, Segment},
    template::pack,
};

/// Builder of a [`Segment`].
#[derive(Debug)]
pub(super) struct SegmentBuilder {
    ids: TextColumnBuilder,
    created_at: Vec<Option<Timestamp>>,
    updated_at: Vec<Option<Timestamp>>,
    folded_names: TextColumnBuilder,
    folded_emails: TextColumnBuilder,
    external_ids: TextColumnBuilder,
    customer_ids: TextColumnBuilder,
    platform_ids: TextColumnBuilder,
    statuses: CodedColumnBuilder,
    partner_ids: CodedColumnBuilder,
    platforms: CodedColumnBuilder,
    unread: Vec<(u16, UnreadFields)>,
    json: JsonRowsBuilder,
    template: Vec<u8>,
}

/// Length of the rows from which on a segment is complete, in bytes.
const COMPLETE: usize = 64 << 20;

/// Estimated memory of a row in the indexes of its segment, in bytes.
const INDEX_BYTES: usize = 10;

impl SegmentBuilder {
    pub(super) fn new() -> Self {
        Self {
            ids: TextColumnBuilder::default(),
            created_at: Vec::new(),
            updated_at: Vec::new(),
            folded_names: TextColumnBuilder::default(),
            folded_emails: TextColumnBuilder::default(),
            external_ids: TextColumnBuilder::default(),
            customer_ids: TextColumnBuilder::default(),
            platform_ids: TextColumnBuilder::default(),
            statuses: CodedColumnBuilder::default(),
            partner_ids: CodedColumnBuilder::default(),
            platforms: CodedColumnBuilder::default(),
            unread: Vec::new(),
            json: JsonRowsBuilder::new(),
            template: Vec::new(),
        }
    }

    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        self.created_at.len()
    }

    /// Returns true if the segment takes no more rows.
    pub(super) fn is_complete(&self) -> bool {
        self.len() >= Segment::MAX_ROWS || self.bytes() >= COMPLETE
    }

    /// Returns the id of a row.
    pub(super) fn id(&self, row: usize) -> Option<&str> {
        self.ids.get(row)
    }

    /// Returns the estimated memory of the segment, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [
            &self.ids,
            &self.folded_names,
            &self.folded_emails,
            &self.external_ids,
            &self.customer_ids,
            &self.platform_ids,
        ];
        let codes = [&self.statuses, &self.partner_ids, &self.platforms];
        texts.iter().map(|column| column.bytes()).sum::<usize>()
            + codes.iter().map(|column| column.bytes()).sum::<usize>()
            + self.len() * (2 * size_of::<i64>() + INDEX_BYTES)
            + self.json.bytes()
    }

    /// Appends a row with another id than the rows before. Returns `None` if the
    /// segment cannot store the row.
    #[must_use]
    pub(super) fn push(&mut self, row: &Row<'_>) -> Option<()> {
        let number = u16::try_from(self.len()).ok().filter(|_| self.len() < Segment::MAX_ROWS)?;
        let fields = JsonFields::read(row.json);
        self.ids.push(Some(row.id))?;
        self.folded_names.push(row.folded_name)?;
        self.folded_emails.push(row.folded_email)?;
        self.external_ids.push(row.external_id)?;
        self.customer_ids.push(fields.customer_id.as_deref())?;
        self.platform_ids.push(fields.source_platform_id.as_deref())?;
        self.statuses.push(fields.status.as_deref())?;
        self.partner_ids.push(fields.partner_id.as_deref())?;
        self.platforms.push(fields.source_platform.as_deref())?;
        self.created_at.push(row.created_at);
        self.updated_at.push(fields.updated_at);
        if !row.unread.is_empty() {
            self.unread.push((number, row.unread));
        }
        let texts = [
            Some(row.id),
            row.external_id,
            row.folded_email,
            row.folded_name,
            fields.partner_id.as_deref(),
            fields.customer_id.as_deref(),
            fields.source_platform_id.as_deref(),
        ];
        self.template.clear();
        self.template.extend_from_slice(row.json);
        pack(&mut self.template, &texts);
        self.json.push(&self.template)
    }

    /// Sorts the indexes and returns the segment. Takes up to a second. Returns
    /// `None` if the segment exceeds 4 GiB.
    pub(super) fn finish(self) -> Option<Segment> {
        let indexed = |column: TextColumnBuilder| IndexedColumn::new(column.finish());
        let segment = Segment {
            id: super::SegmentId::default(),
            ids: indexed(self.ids),
            created_at: InstantColumn::new(&self.created_at),
            updated_at: InstantColumn::new(&self.updated_at),
            folded_names: indexed(self.folded_names),
            folded_emails: indexed(self.folded_emails),
            external_ids: indexed(self.external_ids),
            customer_ids: indexed(self.customer_ids),
            platform_ids: indexed(self.platform_ids),
            statuses: self.statuses.finish(),
            partner_ids: self.partner_ids.finish(),
            platforms: self.platforms.finish(),
            unread: self.unread.into(),
            json: self.json.finish()?,
        };
        Some(segment.with_id())
    }
}
