//! What a vendor documents of its answers, so that what it says beyond that is
//! noticed: an API changes by fields and values that nobody has named.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Deserialize;
use serde_ignored::Path;

use crate::domain::page::Anomalies;

use super::wire::{Field, TextList};

/// The most fields that are noted of one answer.
const MOST_FIELDS: usize = 64;
/// The longest name of a field that is one; longer keys are data.
const LONGEST_NAME: usize = 64;

/// What a vendor documents of its answers: one table each.
#[derive(Debug)]
pub struct Documented {
    /// The objects that are read.
    pub objects: &'static [&'static KnownObject],
    /// The fields whose values it lists.
    pub fields: &'static [&'static OpenField],
}

/// An object of a vendor's, beyond the type that it is read as.
#[derive(Debug)]
pub struct KnownObject {
    /// Our name of it.
    pub name: &'static str,
    /// The fields that the vendor documents and nobody here reads; `payment_*`
    /// are all that begin so.
    pub unread: &'static [&'static str],
    /// The fields whose objects are read.
    pub nested: &'static [(&'static str, &'static KnownObject)],
}

/// A field whose values the vendor lists, and which may have others.
#[derive(Debug)]
pub struct OpenField {
    /// Our name of it, with its object's: `customer.status`.
    pub name: &'static str,
    /// The values.
    pub values: &'static [&'static str],
}

/// A field that the vendor does not document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownField {
    /// Our name of the object that has it.
    pub object: &'static str,
    /// Its own name, where it reads like one: a key may be somebody's e-mail
    /// address.
    pub name: Option<String>,
}

/// The fields of one answer that the vendor does not document, each once.
#[derive(Debug, Default)]
pub(super) struct UnknownFields(BTreeSet<UnknownField>);

impl KnownObject {
    /// Whether the vendor documents a field that is not read.
    fn documents(&self, field: &str) -> bool {
        self.unread.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => field.starts_with(start),
            None => field == *known,
        })
    }

    /// The object at a path from this one, where one is read there.
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
    /// The value as it stands, counting it where the vendor does not list it.
    pub(super) fn take<'a>(&self, field: Field<Cow<'a, str>>, anomalies: &mut Anomalies) -> Option<Cow<'a, str>> {
        let value = field.take(anomalies);
        self.look_at(value.as_slice(), anomalies);
        value
    }

    /// The values as they stand, counting those that the vendor does not list.
    pub(super) fn take_list<'a>(&self, list: TextList<'a>, anomalies: &mut Anomalies) -> Vec<Cow<'a, str>> {
        let values = list.take(anomalies);
        self.look_at(&values, anomalies);
        values
    }

    fn look_at(&self, values: &[Cow<'_, str>], anomalies: &mut Anomalies) {
        for value in values {
            if !self.values.contains(&&**value) {
                anomalies.count_unknown_value(self.name);
            }
        }
    }
}

impl UnknownFields {
    /// Reads JSON as a type, if it can be, and notes what of it neither the
    /// type nor the vendor names.
    pub(super) fn reading<'a, T: Deserialize<'a>>(
        &mut self,
        json: &'a [u8],
        object: &'static KnownObject,
    ) -> Option<T> {
        serde_ignored::deserialize(&mut serde_json::Deserializer::from_slice(json), |path| self.note(object, &path))
            .ok()
    }

    /// What was noted.
    pub(super) fn into_set(self) -> BTreeSet<UnknownField> {
        self.0
    }

    fn note(&mut self, root: &'static KnownObject, ignored: &Path<'_>) {
        let Path::Map { parent, key } = ignored else { return };
        let Some(object) = root.at(parent) else { return };
        if self.0.len() < MOST_FIELDS && !object.documents(key) {
            self.0.insert(UnknownField { object: object.name, name: is_name(key).then(|| key.clone()) });
        }
    }
}

/// Whether a key reads like a field's name, and may be shown.
fn is_name(key: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    key.len() <= LONGEST_NAME && key.bytes().all(is_part) && key.starts_with(|first: char| !first.is_ascii_digit())
}
