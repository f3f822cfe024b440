//! Fields of a record that cannot be read, and that a filter may need.

use serde::{Deserialize, Serialize};

/// A field that the gateway filters by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadField {
    /// `created_at`.
    CreatedAt = 1,
    /// `name`.
    Name = 2,
    /// `email`.
    Email = 4,
    /// `external_id`.
    ExternalId = 8,
    /// `updated_at`.
    UpdatedAt = 16,
}

/// Set of the fields of a record whose vendor values are unreadable. Each is
/// served as null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnreadFields(u8);

impl UnreadFields {
    /// Adds a field.
    pub fn insert(&mut self, field: UnreadField) {
        self.0 |= field as u8;
    }

    /// Returns true if the set contains a field.
    #[must_use]
    pub fn contains(self, field: UnreadField) -> bool {
        self.0 & field as u8 != 0
    }

    /// Returns true if every field is readable.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
