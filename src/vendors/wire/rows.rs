//! Rows of a list. A row that cannot be read does not cost its page.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Elements, Field, Nested, read_value};
use crate::vendors::{VendorError, json::LOST};

/// A row, with the vendor's JSON if it was requested.
#[derive(Debug)]
pub(in crate::vendors) struct Row<'a, T> {
    /// The row as its wire type.
    pub(in crate::vendors) wire: T,
    /// The vendor's JSON of the row.
    pub(in crate::vendors) raw: Option<Cow<'a, RawValue>>,
}

/// Rows of a list that can be read, and the number of the others.
#[derive(Debug)]
pub(in crate::vendors) struct Rows<'a, T> {
    /// The rows that have an id.
    pub(in crate::vendors) readable: Vec<Row<'a, T>>,
    /// The number of null rows. They have no content.
    pub(in crate::vendors) null: u32,
    /// The number of rows that are not objects or have no id.
    pub(in crate::vendors) unreadable: u32,
}

/// A row with an id, from which a page can continue.
pub(in crate::vendors) trait HasId {
    /// Returns the id, if it is readable.
    fn id(&self) -> Option<&str>;
}

/// An element of a list, before its content is checked.
pub(in crate::vendors) trait Element<'a, T>: Deserialize<'a> {
    /// Reads the row.
    fn read(self) -> Result<Field<Row<'a, T>>, VendorError>;
}

/// A row without the vendor's JSON.
impl<'a, T: Deserialize<'a>> Element<'a, T> for Nested<T> {
    fn read(self) -> Result<Field<Row<'a, T>>, VendorError> {
        Ok(match self.0 {
            Field::Missing => Field::Missing,
            Field::Value(wire) => Field::Value(Row { wire, raw: None }),
            Field::Unreadable => Field::Unreadable,
        })
    }
}

/// A row with the vendor's JSON.
impl<'a, T: Deserialize<'a>> Element<'a, T> for &'a RawValue {
    fn read(self) -> Result<Field<Row<'a, T>>, VendorError> {
        let Nested(wire) = read_value(self.get())?;
        Ok(match wire {
            Field::Missing => Field::Missing,
            Field::Value(wire) => Field::Value(Row { wire, raw: Some(without_lost(self)) }),
            Field::Unreadable => Field::Unreadable,
        })
    }
}

impl<'a, T: HasId> Rows<'a, T> {
    /// Reads the elements of a list. Fails if the list has too many.
    pub(in crate::vendors) fn read<E: Element<'a, T>>(elements: Elements<E>) -> Result<Self, VendorError> {
        let elements = elements.into_all()?;
        let mut rows = Self { readable: Vec::with_capacity(elements.len()), null: 0, unreadable: 0 };
        for element in elements {
            match element.read()? {
                Field::Missing => rows.null += 1,
                Field::Value(row) if row.wire.id().is_some() => rows.readable.push(row),
                Field::Value(_) | Field::Unreadable => rows.unreadable += 1,
            }
        }
        Ok(rows)
    }

    /// Counts the rows of a list that another list replaces.
    pub(in crate::vendors) fn replace(&mut self, replaced: usize) {
        self.unreadable = self.unreadable.saturating_add(u32::try_from(replaced).unwrap_or(u32::MAX));
    }

    /// Returns the number of rows that the vendor sent.
    pub(in crate::vendors) fn count(&self) -> usize {
        self.readable.len() + self.null as usize + self.unreadable as usize
    }
}

/// Returns the vendor's JSON with null in place of lost values.
fn without_lost(raw: &RawValue) -> Cow<'_, RawValue> {
    if !raw.get().contains(LOST) {
        return Cow::Borrowed(raw);
    }
    let text = raw.get().replace(LOST, "null");
    RawValue::from_string(text).map_or(Cow::Borrowed(raw), Cow::Owned)
}
