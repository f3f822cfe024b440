//! Residual filters: the part of a filter that the gateway applies to vendor
//! pages.

use std::borrow::Cow;

use serde::Deserialize;

use super::{
    filter::CreatedRange,
    fold::{fold, is_same},
    page::{RecordPage, UnreadField, UnreadFields},
};

/// Filter of the gateway, without the vendor's part. A record matches if it
/// matches every field that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Residual {
    /// The range of `created_at`.
    pub created: CreatedRange,
    /// The name, exact.
    pub name: Option<String>,
    /// A part of the name or email address, folded. With `@`, a part of the email
    /// address only.
    pub search: Option<String>,
    /// The email address, folded.
    pub email: Option<String>,
    /// Your own id of the customer, exact.
    pub external_id: Option<String>,
}

/// Result of a filter for one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The record matches.
    Yes,
    /// The record does not match.
    No,
    /// The vendor's value of a filtered field is unreadable.
    Undecided,
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

    /// Applies the filter to the record at `index`. Null matches nothing.
    #[must_use]
    pub fn apply(&self, page: &RecordPage, index: usize) -> Match {
        let unread = page.unread(index);
        let created = match page.created_at(index) {
            None if self.created.is_bounded() && unread.contains(UnreadField::CreatedAt) => Match::Undecided,
            instant => Match::from(self.created.contains(instant)),
        };
        match created {
            Match::No => Match::No,
            created if self.reads_text() => created.and(self.apply_to_text(page.json(index), unread)),
            created => created,
        }
    }

    fn reads_text(&self) -> bool {
        self.name.is_some() || self.search.is_some() || self.email.is_some() || self.external_id.is_some()
    }

    fn apply_to_text(&self, json: &[u8], unread: UnreadFields) -> Match {
        let Ok(record) = serde_json::from_slice::<Matchable<'_>>(json) else { return Match::Undecided };
        let test = |field, value: &Option<Cow<'_, str>>, test: &dyn Fn(&str) -> bool| match value {
            Some(value) => Match::from(test(value)),
            None if unread.contains(field) => Match::Undecided,
            None => Match::No,
        };
        let name =
            self.name.as_deref().map(|name| test(UnreadField::Name, &record.name, &|value| is_same(value, name)));
        let external_id = self.external_id.as_deref();
        let external_id =
            external_id.map(|id| test(UnreadField::ExternalId, &record.external_id, &|value| value == id));
        let email = self.email.as_deref();
        let email = email.map(|email| test(UnreadField::Email, &record.email, &|value| fold(value) == email));
        let search = self.search.as_deref().map(|part| {
            let contains = |value: &str| fold(value).contains(part);
            let in_email = test(UnreadField::Email, &record.email, &contains);
            if reads_email_only(part) {
                in_email
            } else {
                test(UnreadField::Name, &record.name, &contains).or(in_email)
            }
        });
        [name, external_id, email, search].into_iter().flatten().fold(Match::Yes, Match::and)
    }
}

/// Returns true if a text to search for can only be a part of an email address.
#[must_use]
pub fn reads_email_only(search: &str) -> bool {
    search.contains('@')
}

impl Match {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (Self::No, Self::No) => Self::No,
        }
    }
}

impl From<bool> for Match {
    fn from(matches: bool) -> Self {
        if matches { Self::Yes } else { Self::No }
    }
}
