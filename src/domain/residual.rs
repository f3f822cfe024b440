//! Residual filters: the part of a filter that the gateway applies to vendor
//! pages.

use std::borrow::Cow;

use memchr::memmem::Finder;
use serde::Deserialize;

use super::{
    anchor::Direction,
    filter::InstantRange,
    fold::{fold, is_same},
    page::{RecordPage, UnreadField, UnreadFields},
};

/// Filter of the gateway, without the vendor's part. A record matches if it
/// matches every field that is set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Residual {
    /// The range of `created_at`.
    pub created: InstantRange,
    /// The range of `updated_at`.
    pub updated: InstantRange,
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

/// Residual filter that is prepared for many records. It reads the columns of a
/// page.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    created: InstantRange,
    updated: InstantRange,
    name: Option<Name>,
    search: Option<Finder<'static>>,
    /// True if the search reads email addresses only.
    searches_email_only: bool,
    email: Option<String>,
    external_id: Option<String>,
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

#[derive(Debug, Clone)]
struct Name {
    exact: String,
    folded: String,
}

impl Residual {
    /// Returns true if every record matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Prepares the filter.
    #[must_use]
    pub fn prepare(&self) -> RecordFilter {
        let name = |exact: &String| Name { exact: exact.clone(), folded: fold(exact).into_owned() };
        RecordFilter {
            created: self.created,
            updated: self.updated,
            name: self.name.as_ref().map(name),
            search: self.search.as_ref().map(|part| Finder::new(part).into_owned()),
            searches_email_only: self.search.as_deref().is_some_and(reads_email_only),
            email: self.email.clone(),
            external_id: self.external_id.clone(),
        }
    }
}

impl RecordFilter {
    /// Returns the index of the first match, starting with the record after a
    /// gap in a direction, and the number of undecided records before it.
    #[must_use]
    pub fn find(&self, page: &RecordPage, gap: usize, direction: Direction) -> (Option<usize>, u32) {
        let mut undecided = 0_u32;
        let mut is_match = |index: &usize| match self.apply(page, *index) {
            Match::Yes => true,
            Match::No => false,
            Match::Undecided => {
                undecided = undecided.saturating_add(1);
                false
            }
        };
        let found = match direction {
            Direction::Forward => (gap..page.len()).find(&mut is_match),
            Direction::Backward => (0..gap.min(page.len())).rev().find(&mut is_match),
        };
        (found, undecided)
    }

    /// Applies the filter to the record at `index`. Null matches nothing.
    #[inline]
    #[must_use]
    pub fn apply(&self, page: &RecordPage, index: usize) -> Match {
        let mut result = Match::Yes;
        if self.created.is_bounded() {
            result = match page.created_at(index) {
                None => absent(page, index, UnreadField::CreatedAt),
                instant => Match::from(self.created.contains(instant)),
            };
        }
        // The columns that reject most records come first.
        if let Some(email) = &self.email
            && result != Match::No
        {
            result = result.and(match page.folded_email(index) {
                Some(value) => Match::from(value == email),
                None => absent(page, index, UnreadField::Email),
            });
        }
        if let Some(id) = &self.external_id
            && result != Match::No
        {
            result = result.and(match page.external_id(index) {
                Some(value) => Match::from(value == id),
                None => absent(page, index, UnreadField::ExternalId),
            });
        }
        if let Some(name) = &self.name
            && result != Match::No
        {
            result = result.and(match page.folded_name(index) {
                Some(value) => Match::from(value == name.folded && name.is_exact(page, index)),
                None => absent(page, index, UnreadField::Name),
            });
        }
        if let Some(part) = &self.search
            && result != Match::No
        {
            let contains = |value: Option<&str>, field| match value {
                Some(value) => Match::from(part.find(value.as_bytes()).is_some()),
                None => absent(page, index, field),
            };
            let name =
                if self.searches_email_only { Match::No } else { contains(page.folded_name(index), UnreadField::Name) };
            let found =
                if name == Match::Yes { name } else { name.or(contains(page.folded_email(index), UnreadField::Email)) };
            result = result.and(found);
        }
        if self.updated.is_bounded() && result != Match::No {
            result = result.and(match updated_at(page, index) {
                None => absent(page, index, UnreadField::UpdatedAt),
                instant => Match::from(self.updated.contains(instant)),
            });
        }
        result
    }
}

impl Name {
    /// Returns true if the record has exactly this name. The column has the
    /// folded name only, so the record is read.
    fn is_exact(&self, page: &RecordPage, index: usize) -> bool {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            name: Option<Cow<'a, str>>,
        }
        let named = serde_json::from_slice::<Named<'_>>(page.json(index));
        named.is_ok_and(|named| named.name.is_some_and(|name| is_same(&name, &self.exact)))
    }
}

/// Returns the time of a record's last change. No column has it, so the record is
/// read.
fn updated_at(page: &RecordPage, index: usize) -> Option<jiff::Timestamp> {
    #[derive(Deserialize)]
    struct Updated {
        updated_at: Option<jiff::Timestamp>,
    }
    serde_json::from_slice::<Updated>(page.json(index)).ok()?.updated_at
}

/// Returns the result for a field that is null.
#[cold]
fn absent(page: &RecordPage, index: usize, field: UnreadField) -> Match {
    let unread: UnreadFields = page.unread(index);
    if unread.contains(field) { Match::Undecided } else { Match::No }
}

/// Returns true if a text to search for can only be a part of an email address.
#[must_use]
pub fn reads_email_only(search: &str) -> bool {
    search.contains('@')
}

impl Match {
    /// Returns the result of two filters that must both match.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// Returns the result of two filters of which one must match.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
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
