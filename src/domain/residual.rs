//! The part of a filter that the gateway applies itself, over a vendor's pages.

use std::borrow::Cow;

use serde::Deserialize;

use super::{filter::CreatedRange, page::RecordPage};

/// What is left of a filter after the vendor's part; every member that is set
/// must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Residual {
    /// The range of `created_at`.
    pub created: CreatedRange,
    /// The name, exactly.
    pub name: Option<String>,
    /// A part of the name or e-mail address, in lower case.
    pub search: Option<String>,
    /// The e-mail address, in lower case.
    pub email: Option<String>,
    /// Your own id of the customer, exactly.
    pub external_id: Option<String>,
}

/// The fields of a served record that a filter may look at.
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
    /// Whether it lets every record pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.created.is_bounded() && !self.reads_text()
    }

    /// Whether the record at `index` passes. A null matches nothing.
    #[must_use]
    pub fn matches(&self, page: &RecordPage, index: usize) -> bool {
        self.created.contains(page.created_at(index)) && (!self.reads_text() || self.text_matches(page.json(index)))
    }

    fn reads_text(&self) -> bool {
        self.name.is_some() || self.search.is_some() || self.email.is_some() || self.external_id.is_some()
    }

    fn text_matches(&self, json: &[u8]) -> bool {
        let Ok(record) = serde_json::from_slice::<Matchable<'_>>(json) else { return false };
        let exactly = |wanted: &Option<String>, value: &Option<Cow<'_, str>>| {
            wanted.is_none() || wanted.as_deref() == value.as_deref()
        };
        let lower = |value: &Option<Cow<'_, str>>| value.as_ref().map(|text| text.to_lowercase());
        let has = |value: &Option<Cow<'_, str>>, part: &str| lower(value).is_some_and(|text| text.contains(part));

        exactly(&self.name, &record.name)
            && exactly(&self.external_id, &record.external_id)
            && (self.email.is_none() || self.email == lower(&record.email))
            && self.search.as_deref().is_none_or(|part| has(&record.name, part) || has(&record.email, part))
    }
}
