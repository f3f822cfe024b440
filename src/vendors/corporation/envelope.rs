//! The corporation vendor's envelopes, flat or wrapped in `data` (FACTS.md,
//! case 18).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::vendors::{
    VendorError,
    documented::UnknownFields,
    json,
    wire::{Element, Elements, Field, Nested, Row, Rows, Text, missing, object, unreadable},
};

use super::{
    documented::{CUSTOMER, ENVELOPE},
    wire::Customer,
};

/// A list response.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub(super) rows: Rows<'a, Customer<'a>>,
    pub(super) total: Option<u64>,
    /// The cursor of the next page. Null, absent and empty mark the end.
    pub(super) cursor: Option<Cow<'a, str>>,
}

/// Reads a list.
pub(super) fn listing(body: &str, raw: bool) -> Result<Listing<'_>, VendorError> {
    if raw { read_list::<&RawValue>(body) } else { read_list::<Nested<Customer<'_>>>(body) }
}

/// Reads a single customer.
pub(super) fn single(body: &str) -> Result<Row<'_, Customer<'_>>, VendorError> {
    let flat: &RawValue = serde_json::from_str(body).map_err(|error| unreadable(&error))?;
    let wrapped: Wrapped<'_> = object(flat.get())?;
    match wrapped.data.unwrap_or(flat).read()? {
        Field::Value(row) => Ok(row),
        Field::Missing | Field::Unreadable => Err(missing("data")),
    }
}

/// Returns the unknown fields of a list.
pub(super) fn scan_list(body: &[u8]) -> UnknownFields {
    json::scan(body, |body, unknown| {
        let envelope = unknown.parse::<Envelope<'_, &RawValue>>(body, &ENVELOPE);
        let list = envelope.and_then(Envelope::into_list);
        for row in list.and_then(|list| list.customers).into_iter().flat_map(Elements::into_first) {
            scan_row(row.get(), unknown);
        }
    })
}

/// Returns the unknown fields of a single customer.
pub(super) fn scan_single(body: &[u8]) -> UnknownFields {
    json::scan(body, |body, unknown| match serde_json::from_str(body) {
        Ok(Wrapped { data: Some(row) }) => {
            unknown.parse::<Wrapped<'_>>(body, &ENVELOPE);
            scan_row(row.get(), unknown);
        }
        _ => scan_row(body, unknown),
    })
}

fn scan_row(row: &str, unknown: &mut UnknownFields) {
    unknown.parse::<Nested<Customer<'_>>>(row, &CUSTOMER);
}

/// The members of a list.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a, T: Deserialize<'de>"))]
struct List<'a, T> {
    #[serde(default = "Option::default")]
    customers: Option<Elements<T>>,
    #[serde(default)]
    total_customers: Field<i64>,
    #[serde(default)]
    cursor: Text<'a>,
    /// Number of rows in a second list.
    #[serde(skip)]
    replaced: usize,
}

/// A list, flat or wrapped.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a, T: Deserialize<'de>"))]
struct Envelope<'a, T> {
    #[serde(default)]
    data: Nested<List<'a, T>>,
    #[serde(default = "Option::default")]
    customers: Option<Elements<T>>,
    #[serde(default)]
    total_customers: Field<i64>,
    #[serde(default)]
    cursor: Text<'a>,
}

/// A single customer that may be wrapped.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl<'a, T> Envelope<'a, T> {
    /// Returns the members of the list, each from `data` or from beside it;
    /// `None` if `data` is not an object.
    fn into_list(self) -> Option<List<'a, T>> {
        let Self { data, customers, total_customers, cursor } = self;
        match data.into_field() {
            Field::Value(list) => {
                // Of two lists with rows, the list in `data` counts.
                let is_inner = list.customers.as_ref().is_some_and(|rows| rows.count() > 0) || customers.is_none();
                let (customers, replaced) =
                    if is_inner { (list.customers, customers) } else { (customers, list.customers) };
                Some(List {
                    customers,
                    total_customers: largest(list.total_customers, total_customers),
                    cursor: list.cursor.agreeing_with(cursor),
                    replaced: replaced.map_or(0, |rows| rows.count()),
                })
            }
            Field::Missing => Some(List { customers, total_customers, cursor, replaced: 0 }),
            Field::Unreadable => None,
        }
    }
}

/// Returns the larger of two totals. A list that is shorter than either is not
/// complete.
fn largest(total: Field<i64>, other: Field<i64>) -> Field<i64> {
    match (&total, &other) {
        (Field::Value(known), Field::Value(larger)) if larger > known => other,
        _ => total.or(other),
    }
}

fn read_list<'a, E: Element<'a, Customer<'a>>>(body: &'a str) -> Result<Listing<'a>, VendorError> {
    let list = object::<Envelope<'a, E>>(body)?.into_list().ok_or_else(|| missing("customers"))?;
    let elements = list.customers.ok_or_else(|| missing("customers"))?;
    let mut rows = Rows::read(elements)?;
    rows.replace(list.replaced);
    Ok(Listing {
        rows,
        total: list.total_customers.value().and_then(|&total| total.try_into().ok()),
        cursor: match list.cursor {
            Field::Value(cursor) => Some(cursor),
            Field::Missing => None,
            Field::Unreadable => return Err(VendorError::Unreadable("`cursor` is not one text".to_owned())),
        },
    })
}
