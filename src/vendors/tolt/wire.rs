//! Tolt's objects, field for field as its pages spell them.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    domain::timestamp::Timestamp,
    vendors::{
        VendorError,
        documented::{KnownObject, UnknownFields},
        wire::{Field, Nested, Object, Row, missing, unreadable},
    },
};

use super::documented::{CUSTOMER, ENVELOPE};

type Text<'a> = Field<Cow<'a, str>>;

/// A customer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Customer<'a> {
    pub(super) id: Text<'a>,
    pub(super) email: Text<'a>,
    pub(super) partner_id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) customer_id: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
    pub(super) updated_at: Field<Timestamp>,
    pub(super) status: Text<'a>,
    pub(super) program_id: Text<'a>,
    pub(super) organization_id: Text<'a>,
    pub(super) partner: Nested<Partner<'a>>,
    pub(super) program: Nested<Program<'a>>,
    pub(super) stats: Nested<Stats>,
}

/// A transaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Transaction<'a> {
    pub(super) id: Text<'a>,
    pub(super) amount: Field<i64>,
    pub(super) currency: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) customer_id: Text<'a>,
    pub(super) billing_type: Text<'a>,
    pub(super) charge_id: Text<'a>,
    pub(super) click_id: Text<'a>,
    pub(super) product_id: Text<'a>,
    pub(super) product_name: Text<'a>,
    pub(super) source: Text<'a>,
    pub(super) interval: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
    pub(super) updated_at: Field<Timestamp>,
    pub(super) program_id: Text<'a>,
    pub(super) partner_id: Text<'a>,
    pub(super) organization_id: Text<'a>,
    pub(super) customer: Nested<CustomerSummary<'a>>,
    pub(super) partner: Nested<Partner<'a>>,
    pub(super) program: Nested<Program<'a>>,
}

/// The customer within a transaction: these fields and no more (FACTS.md).
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CustomerSummary<'a> {
    pub(super) id: Text<'a>,
    pub(super) email: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
}

/// An expanded partner.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Partner<'a> {
    pub(super) id: Text<'a>,
    pub(super) first_name: Text<'a>,
    pub(super) last_name: Text<'a>,
    pub(super) email: Text<'a>,
    pub(super) company_name: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
}

/// An expanded program.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Program<'a> {
    pub(super) id: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) product_name: Text<'a>,
    pub(super) subdomain: Text<'a>,
    pub(super) r#type: Text<'a>,
    pub(super) currency_code: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
}

/// A customer's figures.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    pub(super) total_revenue: Field<i64>,
    pub(super) total_commission: Field<i64>,
    pub(super) total_orders: Field<i64>,
    pub(super) last_order_at: Field<Timestamp>,
}

/// A row that can be gone on from.
pub(super) trait HasId {
    fn id(&self) -> Result<&str, VendorError>;
}

impl HasId for Customer<'_> {
    fn id(&self) -> Result<&str, VendorError> {
        id(&self.id)
    }
}

impl HasId for Transaction<'_> {
    fn id(&self) -> Result<&str, VendorError> {
        id(&self.id)
    }
}

/// The envelope of a list.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct List<T> {
    #[serde(default)]
    success: Field<bool>,
    #[serde(default)]
    has_more: Field<bool>,
    #[serde(default)]
    total_count: Field<i64>,
    #[serde(default = "Rows::none")]
    data: Rows<T>,
}

/// The envelope of a single customer.
#[derive(Deserialize)]
struct Single<'a> {
    #[serde(default)]
    success: Field<bool>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// A list that was answered.
pub(super) struct Listing<'a, T> {
    /// The answer says `success: false`.
    pub(super) failed: bool,
    pub(super) has_more: Option<bool>,
    pub(super) total: Option<u64>,
    pub(super) rows: Vec<Row<'a, T>>,
}

/// A single row that was answered.
pub(super) struct Found<'a> {
    /// The answer says `success: false`.
    pub(super) failed: bool,
    pub(super) row: Option<Row<'a, Customer<'a>>>,
}

/// Reads a list, at `data.data[]` as customers are or `data[]` as transactions
/// are, and customers were (FACTS.md, case 1).
pub(super) fn listing<'a, T: Deserialize<'a>>(body: &'a [u8], raw: bool) -> Result<Listing<'a, T>, VendorError> {
    if raw {
        envelope::<&'a RawValue, T>(body, Row::parse)
    } else {
        envelope(body, |Object(wire)| Ok(Row { wire, raw: None }))
    }
}

/// Reads a single customer: an object, or for some weeks in 2025 a list of one
/// (FACTS.md, case 3).
pub(super) fn single(body: &[u8]) -> Result<Found<'_>, VendorError> {
    let envelope: Single<'_> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    if envelope.success.value() == Some(&false) {
        return Ok(Found { failed: true, row: None });
    }
    let raw = sole_row(envelope.data.ok_or_else(|| missing("data"))?)?;
    Ok(Found { failed: false, row: raw.map(Row::parse).transpose()? })
}

/// Notes the unknown fields of a list of objects.
pub(super) fn scan_list<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    object: &'static KnownObject,
    unknown: &mut UnknownFields,
) {
    let rows = unknown.reading::<List<&'a RawValue>>(body, &ENVELOPE).and_then(|list| list.data.0);
    for row in rows.into_iter().flatten() {
        unknown.reading::<Object<T>>(row.get().as_bytes(), object);
    }
}

/// Notes the unknown fields of a single customer.
pub(super) fn scan_single(body: &[u8], unknown: &mut UnknownFields) {
    let data = unknown.reading::<Single<'_>>(body, &ENVELOPE).and_then(|single| single.data);
    if let Some(row) = data.and_then(|data| sole_row(data).ok().flatten()) {
        unknown.reading::<Object<Customer<'_>>>(row.get().as_bytes(), &CUSTOMER);
    }
}

/// The row in the envelope of one, where there is one.
fn sole_row(data: &RawValue) -> Result<Option<&RawValue>, VendorError> {
    match data.get().as_bytes().first() {
        Some(b'{') => Ok(Some(data)),
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(|error| unreadable(&error))?;
            match list[..] {
                [] => Ok(None),
                [row] => Ok(Some(row)),
                _ => Err(VendorError::Unreadable("it sends several rows for one id".to_owned())),
            }
        }
        _ => Err(missing("data")),
    }
}

fn id<'a>(id: &'a Text<'_>) -> Result<&'a str, VendorError> {
    id.value().map(AsRef::as_ref).ok_or_else(|| VendorError::Unreadable("a row has no id".to_owned()))
}

fn envelope<'a, R: Deserialize<'a>, T>(
    body: &'a [u8],
    row: impl Fn(R) -> Result<Row<'a, T>, VendorError>,
) -> Result<Listing<'a, T>, VendorError> {
    let envelope: List<R> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let failed = envelope.success.value() == Some(&false);
    let rows = match envelope.data.0 {
        Some(rows) => rows,
        None if failed => Vec::new(),
        None => return Err(missing("data.data")),
    };
    Ok(Listing {
        failed,
        has_more: envelope.has_more.value().copied(),
        total: envelope.total_count.value().and_then(|&total| total.try_into().ok()),
        rows: rows.into_iter().map(row).collect::<Result<_, _>>()?,
    })
}

/// The rows of a list: `[…]`, or `{"data": […]}`; `None` where there is
/// neither, which is not an empty list (FACTS.md, case 2).
struct Rows<T>(Option<Vec<T>>);

impl<T> Rows<T> {
    fn none() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowsVisitor(PhantomData)).map(Self)
    }
}

struct RowsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowsVisitor<T> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = list.next_element()? {
            rows.push(row);
        }
        Ok(Some(rows))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut rows = None;
        while let Some(key) = object.next_key::<Cow<'_, str>>()? {
            if key == "data" {
                rows = object.next_value::<Option<Vec<T>>>()?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(rows)
    }
}
