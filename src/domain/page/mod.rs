//! Record pages: translated vendor pages, with the records in the form in which
//! they are served.

mod builder;
mod column;
mod encoding;
mod unread;

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize};

use super::anchor::Neighbour;
use column::TextColumn;

pub use builder::{BuildError, Fields, RecordPageBuilder};
pub use encoding::DecodeError;
pub use unread::{UnreadField, UnreadFields};

/// A vendor's page, normalized and serialized once. Serving a range of records
/// copies bytes and parses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The JSON of the records, separated by commas.
    json: Box<[u8]>,
    /// The end of each record in `json`.
    json_ends: Box<[u32]>,
    ids: Box<str>,
    /// The end of each id in `ids`.
    id_ends: Box<[u32]>,
    created_at: Box<[Option<jiff::Timestamp>]>,
    folded_names: TextColumn,
    folded_emails: TextColumn,
    external_ids: TextColumn,
    /// The records with unreadable fields, by index.
    unread: Box<[(u32, UnreadFields)]>,
    /// The requested id of a single record that has another id.
    alias: Option<Box<str>>,
    info: PageInfo,
    digest: [u8; 16],
}

/// Properties of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageInfo {
    /// The neighbour after the page, in list order.
    pub next: Neighbour,
    /// The neighbour before the page.
    pub prev: Neighbour,
    /// The vendor's row count for the query, if the vendor gave a plausible one.
    pub total: Option<u64>,
    /// The number of rows in the vendor's page, dropped rows included.
    pub rows: u32,
    /// The vendor's row count as sent, if only it can prove the end of the list.
    /// `None` if the vendor marks the end by a flag.
    pub claimed_total: Option<u64>,
    /// The anomalies of the vendor's page.
    pub anomalies: Anomalies,
}

/// Anomalies of a vendor's page: content that is dropped, unreadable or
/// undocumented.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Anomalies {
    /// The number of rows of another account. They are dropped (FACTS.md,
    /// case 27).
    pub foreign_rows: u32,
    /// The number of null rows. They have no content.
    pub null_rows: u32,
    /// The number of rows that are not objects, have no id or have an unreadable
    /// account, and of rows in a replaced list. They cannot be served.
    pub unreadable_rows: u32,
    /// The number of unreadable values. They are served as null, or as text with
    /// U+FFFD.
    pub unreadable_values: u32,
    /// The number of undocumented values by field name. They are served
    /// unchanged.
    pub unknown_values: Vec<(Cow<'static, str>, u32)>,
}

impl Anomalies {
    /// Counts an unreadable value.
    pub fn count_unreadable_value(&mut self) {
        self.unreadable_values = self.unreadable_values.saturating_add(1);
    }

    /// Counts an undocumented value.
    pub fn count_unknown_value(&mut self, field: &'static str) {
        match self.unknown_values.iter_mut().find(|(known, _)| known == field) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.unknown_values.push((field.into(), 1)),
        }
    }
}

impl RecordPage {
    /// Returns the number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.json_ends.len()
    }

    /// Returns true if the page has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.json_ends.is_empty()
    }

    /// Returns the properties of the page.
    #[must_use]
    pub fn info(&self) -> &PageInfo {
        &self.info
    }

    /// Returns a record's id at the vendor.
    #[must_use]
    pub fn id(&self, index: usize) -> &str {
        &self.ids[span(&self.id_ends, index, 0)]
    }

    /// Returns a record's creation time, if the vendor gave one.
    #[must_use]
    pub fn created_at(&self, index: usize) -> Option<jiff::Timestamp> {
        self.created_at[index]
    }

    /// Returns a record's name, folded.
    #[must_use]
    pub fn folded_name(&self, index: usize) -> Option<&str> {
        self.folded_names.get(index)
    }

    /// Returns a record's email address, folded.
    #[must_use]
    pub fn folded_email(&self, index: usize) -> Option<&str> {
        self.folded_emails.get(index)
    }

    /// Returns your own id of a record.
    #[must_use]
    pub fn external_id(&self, index: usize) -> Option<&str> {
        self.external_ids.get(index)
    }

    /// Returns the fields of a record whose vendor values are unreadable.
    #[must_use]
    pub fn unread(&self, index: usize) -> UnreadFields {
        let found = u32::try_from(index).map(|index| self.unread.binary_search_by_key(&index, |(index, _)| *index));
        found.ok().and_then(Result::ok).map(|found| self.unread[found].1).unwrap_or_default()
    }

    /// Returns the index of the record with an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        (0..self.len()).find(|&index| self.id(index) == id)
    }

    /// Returns true if one of these records has the id.
    #[must_use]
    pub fn contains(&self, mut records: Range<usize>, id: &str) -> bool {
        records.any(|index| self.id(index) == id)
    }

    /// Returns the requested id, if the record has another id. The vendor has
    /// merged two customers.
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    /// Returns true if a record has this id or was requested by it.
    #[must_use]
    pub fn concerns(&self, id: &str) -> bool {
        self.alias() == Some(id) || self.find(id).is_some()
    }

    /// Returns a record's JSON.
    #[must_use]
    pub fn json(&self, index: usize) -> &[u8] {
        self.json_of(&(index..index + 1))
    }

    /// Returns the JSON of consecutive records, separated by commas.
    #[must_use]
    pub fn json_of(&self, records: &Range<usize>) -> &[u8] {
        if records.is_empty() {
            return &[];
        }
        let start = span(&self.json_ends, records.start, SEPARATOR_LENGTH).start;
        &self.json[start..self.json_ends[records.end - 1] as usize]
    }

    /// Returns a digest of the records' JSON, for entity tags.
    #[must_use]
    pub fn digest(&self) -> &[u8; 16] {
        &self.digest
    }

    /// Returns the memory that the page occupies, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.json.len()
            + self.ids.len()
            + size_of_val(&*self.json_ends)
            + size_of_val(&*self.id_ends)
            + size_of_val(&*self.created_at)
            + self.folded_names.weight()
            + self.folded_emails.weight()
            + self.external_ids.weight()
            + size_of_val(&*self.unread)
            + self.alias().map_or(0, str::len)
            + self.info.next.text_len()
            + self.info.prev.text_len()
            + size_of_val(&*self.info.anomalies.unknown_values)
    }
}

impl Default for RecordPage {
    fn default() -> Self {
        RecordPageBuilder::default().finish(PageInfo::default())
    }
}

/// Length of the comma between two records.
const SEPARATOR_LENGTH: usize = 1;

/// Returns the digest of a page with this JSON.
fn digest(json: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(json).as_bytes()[..16]);
    digest
}

/// Returns the range of the entry at `index`. Entries are `gap` bytes apart.
fn span(ends: &[u32], index: usize, gap: usize) -> Range<usize> {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize + gap };
    start..ends[index] as usize
}
