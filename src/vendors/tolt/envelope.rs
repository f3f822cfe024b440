//! Tolt's envelopes: `data.data[]` or `data[]` for lists, and `data` for single
//! rows.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use serde_json::value::RawValue;

use crate::vendors::{
    VendorError,
    documented::UnknownFields,
    json,
    wire::{Element, Elements, Field, HasId, Nested, Row, Rows, missing, object, unreadable},
};

use super::{
    documented::{CUSTOMER, ENVELOPE},
    wire::Customer,
};

/// A list response.
pub(super) struct Listing<'a, T> {
    /// True if the response has `success: false`.
    pub(super) is_refusal: bool,
    pub(super) has_more: Option<bool>,
    pub(super) total: Option<u64>,
    pub(super) rows: Rows<'a, T>,
}

/// The response to a retrieval.
pub(super) struct Single<'a> {
    /// True if the response has `success: false`.
    pub(super) is_refusal: bool,
    pub(super) row: Option<Row<'a, Customer<'a>>>,
}

/// Reads a list. Customers are in `data.data[]`, transactions and older customer
/// lists in `data[]` (FACTS.md, case 1).
pub(super) fn listing<'a, T: HasId + Deserialize<'a>>(body: &'a str, raw: bool) -> Result<Listing<'a, T>, VendorError> {
    if raw { read_list::<&'a RawValue, T>(body) } else { read_list::<Nested<T>, T>(body) }
}

/// Reads a single customer: an object, or an array of one object (FACTS.md,
/// case 3).
pub(super) fn single(body: &str) -> Result<Single<'_>, VendorError> {
    let envelope: SingleEnvelope<'_> = object(body)?;
    if envelope.success.value() == Some(&false) {
        return Ok(Single { is_refusal: true, row: None });
    }
    let row = match sole_row(envelope.data.ok_or_else(|| missing("data"))?)?.map(Element::read).transpose()? {
        Some(Field::Value(row)) => Some(row),
        Some(Field::Missing | Field::Unreadable) => return Err(missing("data")),
        None => None,
    };
    Ok(Single { is_refusal: false, row })
}

/// Returns the unknown fields of a list of objects.
pub(super) fn scan_list(body: &[u8], scan_row: impl Fn(&str, &mut UnknownFields)) -> UnknownFields {
    json::scan(body, |body, unknown| {
        let rows = unknown.parse::<ListEnvelope<&RawValue>>(body, &ENVELOPE).and_then(|list| list.data.rows);
        for row in rows.into_iter().flat_map(Elements::into_first) {
            scan_row(row.get(), unknown);
        }
    })
}

/// Returns the unknown fields of a single customer.
pub(super) fn scan_single(body: &[u8]) -> UnknownFields {
    json::scan(body, |body, unknown| {
        let data = unknown.parse::<SingleEnvelope<'_>>(body, &ENVELOPE).and_then(|single| single.data);
        if let Some(row) = data.and_then(|data| sole_row(data).ok().flatten()) {
            unknown.parse::<Nested<Customer<'_>>>(row.get(), &CUSTOMER);
        }
    })
}

/// The envelope of a list.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct ListEnvelope<T> {
    #[serde(default)]
    success: Field<bool>,
    #[serde(default)]
    has_more: Field<bool>,
    #[serde(default)]
    total_count: Field<i64>,
    #[serde(default = "Data::none")]
    data: Data<T>,
}

/// The envelope of a single customer.
#[derive(Deserialize)]
struct SingleEnvelope<'a> {
    #[serde(default)]
    success: Field<bool>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Returns the row in the `data` of a single customer, if there is one. Null
/// elements have no content.
fn sole_row(data: &RawValue) -> Result<Option<&RawValue>, VendorError> {
    match data.get().as_bytes().first() {
        _ if data.get() == json::LOST => Err(missing("data")),
        Some(b'{') => Ok(Some(data)),
        Some(b'[') => {
            let list: Elements<&RawValue> = serde_json::from_str(data.get()).map_err(|error| unreadable(&error))?;
            let mut list = list.into_all()?;
            list.retain(|row| row.get() != "null");
            match list[..] {
                [] => Ok(None),
                [row] => Ok(Some(row)),
                _ => Err(VendorError::Unreadable("the response has several rows for one id".to_owned())),
            }
        }
        _ => Err(missing("data")),
    }
}

fn read_list<'a, E: Element<'a, T>, T: HasId>(body: &'a str) -> Result<Listing<'a, T>, VendorError> {
    let envelope: ListEnvelope<E> = object(body)?;
    let is_refusal = envelope.success.value() == Some(&false);
    let rows = match envelope.data.rows {
        Some(rows) => rows,
        None if is_refusal => Elements::none(),
        None => return Err(missing("data.data")),
    };
    let total = envelope.total_count.agreeing_with(envelope.data.total_count);
    Ok(Listing {
        is_refusal,
        has_more: envelope.has_more.agreeing_with(envelope.data.has_more).value().copied(),
        total: total.value().and_then(|&total| total.try_into().ok()),
        rows: Rows::read(rows)?,
    })
}

/// The `data` of a list: `[…]`, or `{"data": […]}` with the paging members
/// inside.
struct Data<T> {
    /// The rows. `None` means that there is no list, which is not an empty list
    /// (FACTS.md, case 2).
    rows: Option<Elements<T>>,
    has_more: Field<bool>,
    total_count: Field<i64>,
}

impl<T> Data<T> {
    fn rows(rows: Option<Elements<T>>) -> Self {
        Self { rows, has_more: Field::Missing, total_count: Field::Missing }
    }

    fn none() -> Self {
        Self::rows(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Data<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor(PhantomData))
    }
}

struct DataVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for DataVisitor<T> {
    type Value = Data<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Data::none())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Elements::deserialize(SeqAccessDeserializer::new(list)).map(|rows| Data::rows(Some(rows)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut data = Data::none();
        while let Some(key) = object.next_key::<Cow<'_, str>>()? {
            match &*key {
                "data" if data.rows.is_some() => return Err(A::Error::duplicate_field("data")),
                "data" => data.rows = object.next_value()?,
                "has_more" => data.has_more = object.next_value()?,
                "total_count" => data.total_count = object.next_value()?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(data)
    }
}
