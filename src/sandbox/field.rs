//! JSON fields that may be null or absent.

use serde::Serialize;

/// JSON field that may be null or absent (FACTS, case 8).
///
/// A struct omits an absent field with `#[serde(skip_serializing_if = "Field::is_absent")]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Field<T> {
    /// Missing from the object.
    #[default]
    Absent,
    /// Null.
    Null,
    /// Present with a value.
    Value(T),
}

impl<T> Field<T> {
    /// Returns true if the object does not have the field.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns the value, unless the field is null or absent.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl Field<String> {
    /// Returns the text, unless the field is null or absent.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.value().map(String::as_str)
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Field<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

/// Maps `None` to null.
impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}
