//! Residual filters: the part of a filter that the gateway applies to vendor
//! pages.

use std::borrow::Cow;

use serde::Deserialize;

use super::{filter::CreatedRange, page::RecordPage};

/// Filter of the gateway, without the vendor's part. A record matches if it
/// matches every field that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Residual {
    /// The range of `created_at`.
    pub created: CreatedRange,
    /// The name, exact.
    pub name: Option<String>,
    /// A part of the name or email address, in lower case.
    pub search: Option<String>,
    /// The email address, in lower case.
    pub email: Option<String>,
    /// Your own id of the customer, exact.
    pub external_id: Option<String>,
}

/// Fields of a record that the filter reads.
#[derive(Deserialize)]
struct Matchable<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    email: Option<Cow<'a, str>>,
    #[serde(borrow)]
    external_id: Option<Cow<'a, str>>,
}

impl Residual {
    /// Returns true if every record matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.created.is_bounded() && !self.reads_text()
    }

    /// Returns true if the record at `index` matches. Null matches nothing.
    #[must_use]
    pub fn matches(&self, page: &RecordPage, index: usize) -> bool {
        self.created.contains(page.created_at(index)) && (!self.reads_text() || self.text_matches(page.json(index)))
    }

    fn reads_text(&self) -> bool {
        self.name.is_some() || self.search.is_some() || self.email.is_some() || self.external_id.is_some()
    }

    fn text_matches(&self, json: &[u8]) -> bool {
        let Ok(record) = serde_json::from_slice::<Matchable<'_>>(json) else { return false };
        let equals = |expected: &Option<String>, value: &Option<Cow<'_, str>>| {
            expected.is_none() || expected.as_deref() == value.as_deref()
        };
        let lower = |value: &Option<Cow<'_, str>>| value.as_ref().map(|text| text.to_lowercase());
        let contains = |value: &Option<Cow<'_, str>>, part: &str| lower(value).is_some_and(|text| text.contains(part));

        equals(&self.name, &record.name)
            && equals(&self.external_id, &record.external_id)
            && (self.email.is_none() || self.email == lower(&record.email))
            && self.search.as_deref().is_none_or(|part| contains(&record.name, part) || contains(&record.email, part))
    }
}
