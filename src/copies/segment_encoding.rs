//! Binary encoding of a segment: `version ‖ postcard(parts)`.
//!
//! Decoding checks everything that the other modules rely on, and reads each row
//! once. Neither a decoder nor a decoded segment therefore panics. The rows' JSON
//! is not parsed: a store that others can write to must authenticate its content.

use serde::{Deserialize, Serialize};

use crate::domain::page::UnreadFields;

use super::{
    DecodeError, Segment, SegmentId,
    column::{CodedColumn, CodedParts, IndexedColumn, IndexedParts, InstantColumn, InstantParts},
    json_rows::JsonRows,
    segment::RowReader,
};

/// Version of the encoding. It increases with every change to the layout, to the
/// columns or to their use by templates.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    indexed: [IndexedParts<'a>; 6],
    #[serde(borrow)]
    coded: [CodedParts<'a>; 3],
    unread: Vec<(u16, UnreadFields)>,
    dictionary: Option<&'a [u8]>,
    json: &'a [u8],
    json_lengths: Vec<u32>,
    max_template: u32,
}

impl Segment {
    /// Encodes the segment. Takes about 100 ms for a complete segment.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (dictionary, json, json_lengths) = self.json.parts();
        let parts = Parts {
            indexed: self.indexed().map(IndexedColumn::parts),
            coded: [&self.statuses, &self.partner_ids, &self.platforms].map(CodedColumn::parts),
            unread: self.unread.to_vec(),
            dictionary,
            json,
            json_lengths,
            max_template: u32::try_from(self.json.max_length()).unwrap_or(u32::MAX),
        };
        let instants = [&self.created_at, &self.updated_at].map(InstantColumn::parts);
        // Serialization to memory does not fail.
        postcard::to_extend(&(instants, parts), vec![VERSION]).unwrap_or_default()
    }

    /// Decodes a segment. Takes about 300 ms for a complete segment.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (&version, payload) = bytes.split_first().ok_or(DecodeError::Damaged)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let decoded = postcard::take_from_bytes::<([InstantParts; 2], Parts<'_>)>(payload);
        let ((instants, parts), []) = decoded.map_err(|_| DecodeError::Damaged)? else {
            return Err(DecodeError::Damaged);
        };
        let segment = decode(&instants, parts).ok_or(DecodeError::Damaged)?;
        Ok(Self { id: SegmentId::of(bytes), ..segment })
    }

    /// Sets the id.
    pub(super) fn with_id(self) -> Self {
        Self { id: SegmentId::of(&self.to_bytes()), ..self }
    }

    /// Returns true if every row can be read.
    fn is_readable(&self) -> bool {
        let mut reader = RowReader::default();
        (0..self.len()).all(|row| {
            reader.read(self, row).is_some_and(|row| !row.json.is_empty() && std::str::from_utf8(row.json).is_ok())
        })
    }

    /// Returns true if each row has an id, and no two rows have the same.
    fn has_unique_ids(&self) -> bool {
        (0..self.len()).all(|row| self.ids.get(row).is_some_and(|id| self.ids.find(id).len() == 1))
    }
}

impl SegmentId {
    fn of(bytes: &[u8]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        Self(id)
    }
}

/// Returns the segment without its id, or `None` if its parts contradict each
/// other.
fn decode([created_at, updated_at]: &[InstantParts; 2], parts: Parts<'_>) -> Option<Segment> {
    let rows = parts.json_lengths.len();
    let [ids, names, emails, external_ids, customer_ids, platform_ids] = parts.indexed;
    let [statuses, partner_ids, platforms] = parts.coded;
    let indexed = |parts| IndexedColumn::from_parts(parts, rows);
    let coded = |parts| CodedColumn::from_parts(parts, rows);
    let segment = Segment {
        id: SegmentId::default(),
        ids: indexed(ids)?,
        created_at: InstantColumn::from_parts(created_at, rows)?,
        updated_at: InstantColumn::from_parts(updated_at, rows)?,
        folded_names: indexed(names)?,
        folded_emails: indexed(emails)?,
        external_ids: indexed(external_ids)?,
        customer_ids: indexed(customer_ids)?,
        platform_ids: indexed(platform_ids)?,
        statuses: coded(statuses)?,
        partner_ids: coded(partner_ids)?,
        platforms: coded(platforms)?,
        json: JsonRows::from_parts(parts.dictionary, parts.json, &parts.json_lengths, parts.max_template as usize)?,
        unread: parts.unread.into(),
    };
    let is_sorted = segment.unread.is_sorted_by(|(a, _), (b, _)| a < b);
    let is_bounded = segment.unread.iter().all(|(row, _)| usize::from(*row) < rows);
    let is_sound = (1..=Segment::MAX_ROWS).contains(&rows) && is_sorted && is_bounded;
    (is_sound && segment.has_unique_ids() && segment.is_readable()).then_some(segment)
}
