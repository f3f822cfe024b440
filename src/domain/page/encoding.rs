//! Binary encoding of a record page, for a store outside the process.
//!
//! The encoding is `version ‖ postcard(header) ‖ JSON of the records ‖ ids ‖
//! folded names ‖ folded email addresses ‖ external ids`.
//! Decoding checks every length, separator and character boundary. It therefore
//! never panics, and neither does a decoded page. The records are not parsed: a
//! store that others can write to must authenticate its content.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::anchor::Instant;

use super::{
    PageInfo, RecordPage, SEPARATOR_LENGTH, UnreadFields,
    column::{TextColumn, TextColumnBuilder},
    digest, span,
};

/// Version of the encoding. It increases with every change to the layout or to
/// the fields of [`PageInfo`].
const VERSION: u8 = 3;

/// Bytes that are not an encoded page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The page was encoded by another version of the gateway.
    #[error("the page has encoding version {0} instead of {VERSION}")]
    Version(u8),
    /// The bytes are damaged or truncated.
    #[error("the encoded page is damaged")]
    Damaged,
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    records: Vec<RecordHeader>,
    alias: Option<Cow<'a, str>>,
    info: Cow<'a, PageInfo>,
}

#[derive(Serialize, Deserialize)]
struct RecordHeader {
    json_length: u32,
    id_length: u32,
    created_at: Option<Instant>,
    folded_name_length: Option<u32>,
    folded_email_length: Option<u32>,
    external_id_length: Option<u32>,
    unread: UnreadFields,
}

impl RecordPage {
    /// Encodes the page.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = |ends: &[u32], index, gap| u32::try_from(span(ends, index, gap).len()).unwrap_or(u32::MAX);
        let text_length = |text: Option<&str>| text.map(|text| u32::try_from(text.len()).unwrap_or(u32::MAX));
        let records = (0..self.len()).map(|index| RecordHeader {
            json_length: length(&self.json_ends, index, SEPARATOR_LENGTH),
            id_length: length(&self.id_ends, index, 0),
            created_at: self.created_at[index].map(Instant::from),
            folded_name_length: text_length(self.folded_name(index)),
            folded_email_length: text_length(self.folded_email(index)),
            external_id_length: text_length(self.external_id(index)),
            unread: self.unread(index),
        });
        let header = Header {
            records: records.collect(),
            alias: self.alias().map(Cow::Borrowed),
            info: Cow::Borrowed(&self.info),
        };
        // Serialization to memory does not fail.
        let mut bytes = postcard::to_extend(&header, vec![VERSION]).unwrap_or_default();
        bytes.extend_from_slice(&self.json);
        for text in [&*self.ids, self.folded_names.text(), self.folded_emails.text(), self.external_ids.text()] {
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// Decodes a page.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (&version, payload) = bytes.split_first().ok_or(DecodeError::Damaged)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let (header, content) = postcard::take_from_bytes::<Header<'_>>(payload).map_err(|_| DecodeError::Damaged)?;
        decode(header, content).ok_or(DecodeError::Damaged)
    }
}

/// Returns the page, or `None` if the content does not match the header.
fn decode(Header { records, alias, info }: Header<'_>, content: &[u8]) -> Option<RecordPage> {
    let json_ends = ends(records.iter().map(|record| record.json_length), SEPARATOR_LENGTH)?;
    let id_ends = ends(records.iter().map(|record| record.id_length), 0)?;
    let created_at = records.iter().map(|record| match record.created_at {
        Some(instant) => instant.timestamp().map(Some),
        None => Some(None),
    });
    let created_at = created_at.collect::<Option<_>>()?;
    let unread = records.iter().enumerate().filter(|(_, record)| !record.unread.is_empty());
    let unread = unread.map(|(index, record)| Some((u32::try_from(index).ok()?, record.unread)));
    let unread = unread.collect::<Option<_>>()?;

    let mut content = Content(content);
    let json = content.take(last(&json_ends))?;
    let ids = content.take(last(&id_ends))?;
    let folded_names = content.column(records.iter().map(|record| record.folded_name_length))?;
    let folded_emails = content.column(records.iter().map(|record| record.folded_email_length))?;
    let external_ids = content.column(records.iter().map(|record| record.external_id_length))?;
    let separators = json_ends.split_last().map_or(&[][..], |(_, ends)| ends);
    let is_sound = records.iter().all(|record| record.json_length > 0)
        && separators.iter().all(|&end| json.as_bytes()[end as usize] == b',')
        && content.0.is_empty()
        && id_ends.iter().all(|&end| ids.is_char_boundary(end as usize));
    is_sound.then(|| RecordPage {
        json: json.as_bytes().into(),
        json_ends,
        ids: ids.into(),
        id_ends,
        created_at,
        folded_names,
        folded_emails,
        external_ids,
        unread,
        alias: alias.map(Into::into),
        info: info.into_owned(),
        digest: digest(json.as_bytes()),
    })
}

/// Content of an encoded page that is not yet decoded.
struct Content<'a>(&'a [u8]);

impl<'a> Content<'a> {
    /// Takes text of some bytes.
    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    /// Takes a column whose values have these lengths.
    fn column(&mut self, lengths: impl Iterator<Item = Option<u32>>) -> Option<TextColumn> {
        let mut column = TextColumnBuilder::default();
        for length in lengths {
            let value = match length {
                Some(length) => Some(self.take(length as usize)?),
                None => None,
            };
            if !column.push(value) {
                return None;
            }
        }
        Some(column.finish())
    }
}

fn last(ends: &[u32]) -> usize {
    ends.last().map_or(0, |&end| end as usize)
}

/// Returns the end of each entry, or `None` if an end exceeds 4 GiB.
fn ends(lengths: impl Iterator<Item = u32>, gap: usize) -> Option<Box<[u32]>> {
    let mut next_start = 0_usize;
    lengths
        .map(|length| {
            let end = next_start.checked_add(length as usize)?;
            next_start = end.checked_add(gap)?;
            u32::try_from(end).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*, sample::Index};

    use super::*;
    use crate::domain::{
        anchor::{Anchor, Direction, Neighbour},
        page::{Anomalies, Fields, RecordPageBuilder, UnreadField},
    };

    fn neighbours() -> impl Strategy<Value = Neighbour> {
        let instants = any::<i64>().prop_map(|n| Instant::from(jiff::Timestamp::from_nanosecond(n.into()).unwrap()));
        let anchors = prop_oneof![
            Just(Anchor::Start),
            ".{0,9}".prop_map(|id| Anchor::After(id.into())),
            ".{0,9}".prop_map(|id| Anchor::Before(id.into())),
            ".{0,9}".prop_map(|token| Anchor::Token(token.into())),
            instants.prop_map(|instant| Anchor::From(instant, Direction::Backward)),
        ];
        prop_oneof![Just(Neighbour::End), Just(Neighbour::Unknown), anchors.prop_map(Neighbour::At)]
    }

    fn anomalies() -> impl Strategy<Value = Anomalies> {
        let unknown_values = vec((".{1,9}".prop_map(Cow::Owned), any::<u32>()), 0..3);
        (any::<[u32; 4]>(), unknown_values).prop_map(|(counts, unknown_values)| {
            let [foreign_rows, null_rows, unreadable_rows, unreadable_values] = counts;
            Anomalies { foreign_rows, null_rows, unreadable_rows, unreadable_values, unknown_values }
        })
    }

    fn pages() -> impl Strategy<Value = RecordPage> {
        let texts = (option::of(".{0,9}"), option::of(".{0,9}"), option::of(".{0,9}"));
        let records = vec((".{0,9}", option::of(any::<i64>()), texts, ".{0,30}"), 0..6);
        (records, neighbours(), neighbours(), any::<Option<u64>>(), anomalies()).prop_map(
            |(records, next, prev, total, anomalies)| {
                let mut builder = RecordPageBuilder::default();
                for (id, created_at, (name, email, external_id), text) in &records {
                    let created_at = created_at.map(|n| jiff::Timestamp::from_nanosecond(n.into()).unwrap());
                    let (name, email) = (name.as_deref(), email.as_deref());
                    let fields = Fields { id, created_at, name, email, external_id: external_id.as_deref() };
                    builder.push(&fields, &text.as_str()).unwrap();
                    if text.len() % 2 == 0 {
                        let mut unread = UnreadFields::default();
                        unread.insert(UnreadField::Name);
                        builder.mark_unread(unread);
                    }
                }
                builder.set_requested_id("alias");
                builder.finish(PageInfo { next, prev, total, anomalies, ..PageInfo::default() })
            },
        )
    }

    /// Reads all content of a page, which must not panic.
    fn read(page: &RecordPage) {
        assert!(std::str::from_utf8(page.json_of(&(0..page.len()))).is_ok());
        for index in 0..page.len() {
            assert!(!page.json(index).is_empty());
            assert!(page.find(page.id(index)).is_some());
            let _ = (page.created_at(index), page.unread(index));
            let _ = (page.folded_name(index), page.folded_email(index), page.external_id(index));
        }
    }

    proptest! {
        #[test]
        fn encoded_page_decodes_to_itself(page in pages()) {
            prop_assert_eq!(RecordPage::from_bytes(&page.to_bytes()), Ok(page));
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(mut bytes in vec(any::<u8>(), 0..200), is_current in any::<bool>()) {
            if let (true, Some(version)) = (is_current, bytes.first_mut()) {
                *version = VERSION;
            }
            if let Ok(page) = RecordPage::from_bytes(&bytes) {
                read(&page);
            }
        }

        #[test]
        fn mutated_bytes_do_not_panic(page in pages(), changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
            let mut bytes = page.to_bytes();
            for (index, byte) in changes {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            if let Ok(page) = RecordPage::from_bytes(&bytes) {
                read(&page);
            }
        }

        #[test]
        fn resized_encoding_is_rejected(page in pages(), length in any::<Index>(), extra in vec(any::<u8>(), 1..4)) {
            let bytes = page.to_bytes();
            let truncated = &bytes[..length.index(bytes.len())];
            prop_assert_eq!(RecordPage::from_bytes(truncated), Err(DecodeError::Damaged));
            prop_assert_eq!(RecordPage::from_bytes(&[bytes, extra].concat()), Err(DecodeError::Damaged));
        }
    }

    #[test]
    fn other_version_is_rejected() {
        let mut bytes = RecordPage::default().to_bytes();
        bytes[0] = VERSION + 1;
        assert_eq!(RecordPage::from_bytes(&bytes), Err(DecodeError::Version(VERSION + 1)));
    }

    /// Stored pages outlive the process: a change to the layout needs a new
    /// version.
    #[test]
    fn version_3_layout_is_unchanged() {
        let mut builder = RecordPageBuilder::default();
        let created_at = Some("2025-01-15T14:30:00Z".parse().unwrap());
        builder.push(&Fields { id: "a", created_at, name: Some("A b"), ..Fields::default() }, &1_i64).unwrap();
        let (email, external_id) = (Some("E@x.org"), Some("X1"));
        builder.push(&Fields { id: "bc", email, external_id, ..Fields::default() }, &22_i64).unwrap();
        let mut unread = UnreadFields::default();
        unread.insert(UnreadField::CreatedAt);
        builder.mark_unread(unread);
        let mut anomalies = Anomalies { foreign_rows: 1, ..Anomalies::default() };
        anomalies.count_unreadable_value();
        anomalies.count_unknown_value("customer.status");
        let next = Neighbour::At(Anchor::After("bc".into()));
        let page = builder.finish(PageInfo {
            next,
            prev: Neighbour::Unknown,
            total: Some(3),
            rows: 3,
            claimed_total: Some(3),
            anomalies,
        });
        let expected = r"\x03\x02\x01\x01\x01\x80\xc0\xf0\xd1\x8e\x86\xf2\x9a0\x01\x03\x00\x00\x00\x02\x02\x00\x00\x01\x07\x01\x02\x01\x00\x01\x01\x02bc\x02\x01\x03\x03\x01\x03\x01\x00\x00\x01\x01\x0fcustomer.status\x011,22abca be@x.orgX1";
        assert_eq!(page.to_bytes().escape_ascii().to_string(), expected);
    }
}
