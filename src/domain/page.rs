//! A vendor's page after translation: the records as the bytes they are
//! served as, and what walking over them needs.

use std::{ops::Range, sync::OnceLock};

use serde::Serialize;

use super::anchor::Neighbour;

/// One page of a vendor, normalized and serialized once. Serving a slice of it
/// copies bytes and parses nothing.
#[derive(Debug, Default)]
pub struct RecordPage {
    json: Box<[u8]>,
    json_ends: Box<[u32]>,
    ids: Box<str>,
    id_ends: Box<[u32]>,
    created_at: Box<[Option<jiff::Timestamp>]>,
    info: PageInfo,
    digest: OnceLock<[u8; 16]>,
}

/// What a vendor's page says besides its records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageInfo {
    /// What follows this page in list order.
    pub next: Neighbour,
    /// What precedes it.
    pub prev: Neighbour,
    /// The vendor's count of the question, where it gave one that can be
    /// believed for this question.
    pub total: Option<u64>,
    /// What could not be served as it stood.
    pub anomalies: Anomalies,
}

/// What a vendor's page held that could not be served as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Anomalies {
    /// Rows of another account than the one asked for, dropped (FACTS.md, case 27).
    pub foreign_rows: u32,
    /// Values that could not be read and are served as null.
    pub unreadable_values: u32,
    /// Values that the vendor does not list, by our name of their field. They
    /// are served as they stand.
    pub unknown_values: Vec<(&'static str, u32)>,
}

impl Anomalies {
    /// Counts a value that the vendor does not list.
    pub fn count_unknown_value(&mut self, field: &'static str) {
        match self.unknown_values.iter_mut().find(|(known, _)| *known == field) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.unknown_values.push((field, 1)),
        }
    }
}

impl RecordPage {
    /// How many records the page holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.json_ends.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.json_ends.is_empty()
    }

    /// What the page says besides its records.
    #[must_use]
    pub fn info(&self) -> &PageInfo {
        &self.info
    }

    /// The vendor's id of a record.
    #[must_use]
    pub fn id(&self, index: usize) -> &str {
        &self.ids[span(&self.id_ends, index, 0)]
    }

    /// When a record was created, where the vendor says so.
    #[must_use]
    pub fn created_at(&self, index: usize) -> Option<jiff::Timestamp> {
        self.created_at[index]
    }

    /// The place of the record with a vendor's id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        (0..self.len()).find(|&index| self.id(index) == id)
    }

    /// A record's JSON.
    #[must_use]
    pub fn json(&self, index: usize) -> &[u8] {
        self.json_of(&(index..index + 1))
    }

    /// The JSON of consecutive records, separated by commas.
    #[must_use]
    pub fn json_of(&self, records: &Range<usize>) -> &[u8] {
        if records.is_empty() {
            return &[];
        }
        let start = span(&self.json_ends, records.start, 1).start;
        &self.json[start..self.json_ends[records.end - 1] as usize]
    }

    /// Returns a digest of the records' JSON, for entity tags.
    ///
    /// Computed on first use: exports and single records need no digest.
    #[must_use]
    pub fn digest(&self) -> &[u8; 16] {
        self.digest.get_or_init(|| {
            let mut digest = [0; 16];
            digest.copy_from_slice(&blake3::hash(&self.json).as_bytes()[..16]);
            digest
        })
    }

    /// The bytes of memory that the page occupies.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.json.len()
            + self.ids.len()
            + size_of_val(&*self.json_ends)
            + size_of_val(&*self.id_ends)
            + size_of_val(&*self.created_at)
            + size_of_val(&*self.info.anomalies.unknown_values)
    }
}

/// The bytes of the entry at `index`, where each starts `gap` bytes behind the
/// end of the one before.
fn span(ends: &[u32], index: usize, gap: usize) -> Range<usize> {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize + gap };
    start..ends[index] as usize
}

/// Puts a [`RecordPage`] together, record by record.
#[derive(Debug, Default)]
pub struct RecordPageBuilder {
    json: Vec<u8>,
    json_ends: Vec<u32>,
    ids: String,
    id_ends: Vec<u32>,
    created_at: Vec<Option<jiff::Timestamp>>,
}

/// A page is larger than its offsets can say; vendors' answers are bounded far
/// below that.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// More than 4 GiB of records.
    #[error("the page is too large")]
    TooLarge,
    /// A record could not be written as JSON.
    #[error("a record cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl RecordPageBuilder {
    /// Appends a record.
    pub fn push(
        &mut self,
        id: &str,
        created_at: Option<jiff::Timestamp>,
        record: &impl Serialize,
    ) -> Result<(), BuildError> {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        serde_json::to_writer(&mut self.json, record)?;
        self.ids.push_str(id);
        self.json_ends.push(self.json.len().try_into().map_err(|_| BuildError::TooLarge)?);
        self.id_ends.push(self.ids.len().try_into().map_err(|_| BuildError::TooLarge)?);
        self.created_at.push(created_at);
        Ok(())
    }

    /// The page, in buffers without slack.
    #[must_use]
    pub fn finish(self, info: PageInfo) -> RecordPage {
        RecordPage {
            json: self.json.into(),
            json_ends: self.json_ends.into(),
            ids: self.ids.into(),
            id_ends: self.id_ends.into(),
            created_at: self.created_at.into(),
            info,
            digest: OnceLock::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_the_records_joined_by_commas() {
        let mut builder = RecordPageBuilder::default();
        for (id, record) in [("a", 1), ("bc", 22), ("d", 333)] {
            builder.push(id, None, &record).unwrap();
        }
        let page = builder.finish(PageInfo {
            next: Neighbour::End,
            prev: Neighbour::End,
            total: None,
            anomalies: Anomalies::default(),
        });

        let text = |records| std::str::from_utf8(page.json_of(&records)).unwrap();
        assert_eq!(text(0..3), "1,22,333");
        assert_eq!(text(1..3), "22,333");
        assert_eq!(text(1..1), "");
        assert_eq!((page.id(0), page.id(1), page.id(2)), ("a", "bc", "d"));
        assert_eq!(page.find("bc"), Some(1));
    }
}
