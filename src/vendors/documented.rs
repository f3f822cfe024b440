//! Tables of the fields and values that a vendor documents, and detection of
//! undocumented ones. New fields and values are the first sign of an API change.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Deserialize;
use serde_ignored::Path;

use crate::domain::page::Anomalies;

use super::wire::{Text, TextList};

/// Maximum number of unknown fields recorded for one response.
const MAX_FIELDS: usize = 64;
/// Maximum length of a field name. A longer key is treated as data.
const MAX_NAME_LENGTH: usize = 64;

/// Documented fields and values of a vendor's responses.
#[derive(Debug)]
pub struct Documented {
    /// The objects that the adapter reads.
    pub objects: &'static [&'static KnownObject],
    /// The fields with a documented list of values.
    pub fields: &'static [&'static OpenField],
}

/// Fields of a vendor's object beyond its wire type.
#[derive(Debug)]
pub struct KnownObject {
    /// The gateway's name of the object.
    pub name: &'static str,
    /// The documented fields that the gateway does not read. A name that ends in
    /// `*` is a prefix: `payment_*`.
    pub unread: &'static [&'static str],
    /// The fields that contain objects with an entry of their own.
    pub nested: &'static [(&'static str, &'static KnownObject)],
}

/// A field with documented values that may have other values.
#[derive(Debug)]
pub struct OpenField {
    /// The gateway's name of the field, with its object: `customer.status`.
    pub name: &'static str,
    /// The documented values.
    pub values: &'static [&'static str],
}

/// A field that the vendor does not document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownField {
    /// The gateway's name of the object.
    pub object: &'static str,
    /// The field's name. It is `None` if the key does not look like a field
    /// name, because such a key may be personal data.
    pub name: Option<String>,
}

/// Unknown fields of one response, each once.
#[derive(Debug, Default)]
pub(super) struct UnknownFields {
    fields: BTreeSet<UnknownField>,
    has_failed: bool,
}

impl KnownObject {
    /// Returns true if the vendor documents a field that is not read.
    fn documents(&self, field: &str) -> bool {
        self.unread.iter().any(|known| match known.strip_suffix('*') {
            Some(prefix) => field.starts_with(prefix),
            None => field == *known,
        })
    }

    /// Returns the known object at a path relative to this object.
    fn at(&'static self, path: &Path<'_>) -> Option<&'static Self> {
        match path {
            Path::Root => Some(self),
            Path::Some { parent } => self.at(parent),
            Path::Map { parent, key } => {
                let nested = self.at(parent)?.nested;
                nested.iter().find(|(field, _)| field == key).map(|&(_, object)| object)
            }
            Path::Seq { .. } | Path::NewtypeStruct { .. } | Path::NewtypeVariant { .. } => None,
        }
    }
}

impl OpenField {
    /// Returns the value unchanged. Counts an undocumented value.
    pub(super) fn take<'a>(&self, field: Text<'a>, anomalies: &mut Anomalies) -> Option<Cow<'a, str>> {
        let value = field.take(anomalies);
        self.count_unknown(value.as_slice(), anomalies);
        value
    }

    /// Returns the values unchanged. Counts undocumented values.
    pub(super) fn take_list<'a>(&self, list: TextList<'a>, anomalies: &mut Anomalies) -> Vec<Cow<'a, str>> {
        let values = list.take(anomalies);
        self.count_unknown(&values, anomalies);
        values
    }

    fn count_unknown(&self, values: &[Cow<'_, str>], anomalies: &mut Anomalies) {
        for value in values {
            if !self.values.contains(&&**value) {
                anomalies.count_unknown_value(self.name);
            }
        }
    }
}

impl UnknownFields {
    /// Parses JSON as `T` and records the fields that neither `T` nor the
    /// vendor's documentation names. Returns `None` if the JSON is not a `T`.
    pub(super) fn parse<'a, T: Deserialize<'a>>(&mut self, json: &'a str, object: &'static KnownObject) -> Option<T> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let parsed = serde_ignored::deserialize(&mut deserializer, |path| self.record(object, &path));
        self.has_failed |= parsed.is_err();
        parsed.ok()
    }

    /// Returns true if JSON could not be parsed.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Returns the recorded fields.
    pub(super) fn into_set(self) -> BTreeSet<UnknownField> {
        self.fields
    }

    fn record(&mut self, root: &'static KnownObject, ignored: &Path<'_>) {
        let Path::Map { parent, key } = ignored else { return };
        let Some(object) = root.at(parent) else { return };
        if self.fields.len() < MAX_FIELDS && !object.documents(key) {
            self.fields.insert(UnknownField { object: object.name, name: is_field_name(key).then(|| key.clone()) });
        }
    }
}

/// Returns true if a key looks like a field name and may be logged.
fn is_field_name(key: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    key.len() <= MAX_NAME_LENGTH
        && key.bytes().all(is_allowed)
        && key.starts_with(|first: char| !first.is_ascii_digit())
}
