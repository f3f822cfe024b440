//! Field types for vendor objects. An unreadable field becomes null and is
//! counted; its row and page remain usable. Text borrows from the response.

mod decimal;
mod elements;
mod instant;
mod rows;
mod scalar;
mod visitors;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::error::Category;

use super::{VendorError, json::read_fast};
use crate::domain::page::Anomalies;

pub(super) use elements::Elements;
pub(super) use rows::{Element, HasId, Row, Rows};

/// A text field.
pub(super) type Text<'a> = Field<Cow<'a, str>>;

/// A field of a vendor's object.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) enum Field<T> {
    /// Absent, null or empty. Vendors use all three for "no value".
    #[default]
    Missing,
    /// The value.
    Value(T),
    /// A value of another type or form.
    Unreadable,
}

/// A field that contains an object.
#[derive(Debug)]
pub(super) struct Nested<T>(Field<T>);

/// A field that contains an array of texts.
#[derive(Debug, Default)]
pub(super) struct TextList<'a>(Vec<Text<'a>>);

/// Returns the error for a response that is not valid JSON of the documented
/// shape. It quotes nothing of the response: the parser's message may contain
/// customer data.
pub(super) fn unreadable(error: &serde_json::Error) -> VendorError {
    let fault = match error.classify() {
        Category::Eof => "the body is truncated",
        Category::Syntax => "the body is not JSON",
        Category::Data => "the JSON does not have the documented shape",
        Category::Io => "the body cannot be read",
    };
    match error.line() {
        0 => VendorError::Unreadable(fault.to_owned()),
        line => VendorError::Unreadable(format!("{fault} (line {line}, column {})", error.column())),
    }
}

/// Parses a JSON object. A derived `Deserialize` alone would also accept an
/// array of the member values.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, VendorError> {
    match read_value(json)? {
        Nested(Field::Value(object)) => Ok(object),
        Nested(Field::Missing | Field::Unreadable) => {
            Err(VendorError::Unreadable("the JSON does not have the documented shape".to_owned()))
        }
    }
}

/// Parses a JSON text.
fn read_value<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, VendorError> {
    read_fast(json).map_or_else(|| serde_json::from_str(json).map_err(|error| unreadable(&error)), Ok)
}

/// Returns the error for a response without a required member.
pub(super) fn missing(member: &str) -> VendorError {
    VendorError::Unreadable(format!("`{member}` is missing"))
}

impl<T> Field<T> {
    /// Returns this field if it has a value, and another field otherwise.
    pub(super) fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Value(_), _) | (_, Self::Missing) => self,
            _ => other,
        }
    }

    /// Returns this field if the other field does not contradict it. A vendor may
    /// state a member in two places, and two values are as good as none.
    pub(super) fn agreeing_with(self, other: Self) -> Self
    where
        T: PartialEq,
    {
        match (&self, &other) {
            (Self::Value(value), Self::Value(other)) if value != other => Self::Unreadable,
            _ => self.or(other),
        }
    }

    /// Returns the value. Counts an unreadable field.
    pub(super) fn take(self, anomalies: &mut Anomalies) -> Option<T> {
        match self {
            Self::Missing => None,
            Self::Value(value) => Some(value),
            Self::Unreadable => {
                anomalies.count_unreadable_value();
                None
            }
        }
    }

    /// Returns a reference to the value.
    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Unreadable => None,
        }
    }

    /// Returns true if the field has a value that cannot be read.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

impl<T> Nested<T> {
    /// Returns the field.
    pub(super) fn into_field(self) -> Field<T> {
        self.0
    }

    /// Returns the object. Counts a field that is not an object.
    pub(super) fn take(self, anomalies: &mut Anomalies) -> Option<T> {
        self.0.take(anomalies)
    }
}

impl<T> Default for Nested<T> {
    fn default() -> Self {
        Self(Field::Missing)
    }
}

impl<'a> TextList<'a> {
    /// Returns the texts. Counts the elements that are not text.
    pub(super) fn take(self, anomalies: &mut Anomalies) -> Vec<Cow<'a, str>> {
        self.0.into_iter().filter_map(|text| text.take(anomalies)).collect()
    }
}
