//! The corporation vendor's objects, field for field as its pages spell them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    domain::timestamp::Timestamp,
    vendors::{
        VendorError,
        documented::UnknownFields,
        wire::{Field, Nested, Object, Row, TextList, missing, unreadable},
    },
};

use super::documented::{CUSTOMER, ENVELOPE};

type Text<'a> = Field<Cow<'a, str>>;

/// A customer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Customer<'a> {
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) email: Text<'a>,
    pub(super) corporation_id: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
    pub(super) external_id: Text<'a>,
    pub(super) business_identification_number: Text<'a>,
    pub(super) source_platform: Text<'a>,
    pub(super) source_platform_id: Text<'a>,
    pub(super) shipping_address: Nested<Address<'a>>,
    pub(super) exemption_metadata: Nested<ExemptionMetadata<'a>>,
}

/// An address, in both of the vendor's spellings (FACTS.md, case 17).
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Address<'a> {
    pub(super) line1: Text<'a>,
    pub(super) line2: Text<'a>,
    pub(super) line3: Text<'a>,
    pub(super) address_line_1: Text<'a>,
    pub(super) address_line_2: Text<'a>,
    pub(super) address_line_3: Text<'a>,
    pub(super) city: Text<'a>,
    pub(super) state: Text<'a>,
    pub(super) postal_code: Text<'a>,
    pub(super) country: Text<'a>,
}

/// A summary of exemption certificates.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ExemptionMetadata<'a> {
    pub(super) total_certificates: Field<i64>,
    pub(super) certificate_types: TextList<'a>,
    pub(super) total_exempted_states: Field<i64>,
    pub(super) exempted_states: TextList<'a>,
    pub(super) active_exemptions_count: Field<i64>,
    pub(super) inactive_exemptions_count: Field<i64>,
    pub(super) expired_exemptions_count: Field<i64>,
    pub(super) non_expired_exemptions_count: Field<i64>,
}

/// A list's members, wherever they stand.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a, T: Deserialize<'de>"))]
struct List<'a, T> {
    #[serde(default = "Option::default")]
    customers: Option<Vec<T>>,
    #[serde(default)]
    total_customers: Field<i64>,
    #[serde(default)]
    cursor: Text<'a>,
}

/// A list, flat or wrapped.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a, T: Deserialize<'de>"))]
struct Envelope<'a, T> {
    #[serde(default = "Option::default")]
    data: Option<List<'a, T>>,
    #[serde(default = "Option::default")]
    customers: Option<Vec<T>>,
    #[serde(default)]
    total_customers: Field<i64>,
    #[serde(default)]
    cursor: Text<'a>,
}

/// A single customer, where it is wrapped.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// A list that was answered.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub(super) rows: Vec<Row<'a, Customer<'a>>>,
    pub(super) total: Option<u64>,
    /// The next page's cursor; null, absent and empty all mean the end.
    pub(super) cursor: Option<Cow<'a, str>>,
}

/// Reads a list, flat or wrapped in `data` (FACTS.md, case 18).
pub(super) fn listing(body: &[u8], raw: bool) -> Result<Listing<'_>, VendorError> {
    if raw {
        envelope::<&RawValue>(body, Row::parse)
    } else {
        envelope(body, |Object(wire)| Ok(Row { wire, raw: None }))
    }
}

/// Reads a single customer, flat or wrapped in `data`.
pub(super) fn single(body: &[u8], raw: bool) -> Result<Row<'_, Customer<'_>>, VendorError> {
    let flat: &RawValue = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let wrapped: Wrapped<'_> = serde_json::from_str(flat.get()).map_err(|error| unreadable(&error))?;
    let row = Row::parse(wrapped.data.unwrap_or(flat))?;
    Ok(Row { raw: row.raw.filter(|_| raw), ..row })
}

/// Notes the unknown fields of a list.
pub(super) fn scan_list(body: &[u8], unknown: &mut UnknownFields) {
    let envelope = unknown.reading::<Envelope<'_, &RawValue>>(body, &ENVELOPE);
    for row in envelope.and_then(|envelope| envelope.into_list().customers).into_iter().flatten() {
        look_through_row(row.get().as_bytes(), unknown);
    }
}

/// Notes the unknown fields of a single customer.
pub(super) fn scan_single(body: &[u8], unknown: &mut UnknownFields) {
    match serde_json::from_slice(body) {
        Ok(Wrapped { data: Some(row) }) => {
            unknown.reading::<Wrapped<'_>>(body, &ENVELOPE);
            look_through_row(row.get().as_bytes(), unknown);
        }
        _ => look_through_row(body, unknown),
    }
}

fn look_through_row(row: &[u8], unknown: &mut UnknownFields) {
    unknown.reading::<Object<Customer<'_>>>(row, &CUSTOMER);
}

impl<'a, T> Envelope<'a, T> {
    fn into_list(self) -> List<'a, T> {
        let Self { data, customers, total_customers, cursor } = self;
        data.unwrap_or(List { customers, total_customers, cursor })
    }
}

fn envelope<'a, R: Deserialize<'a>>(
    body: &'a [u8],
    row: impl Fn(R) -> Result<Row<'a, Customer<'a>>, VendorError>,
) -> Result<Listing<'a>, VendorError> {
    let envelope: Envelope<'a, R> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let list = envelope.into_list();
    let rows = list.customers.ok_or_else(|| missing("customers"))?;
    Ok(Listing {
        rows: rows.into_iter().map(row).collect::<Result<_, _>>()?,
        total: list.total_customers.value().and_then(|&total| total.try_into().ok()),
        cursor: match list.cursor {
            Field::Value(cursor) => Some(cursor),
            Field::Missing => None,
            Field::Unreadable => return Err(VendorError::Unreadable("`cursor` is not text".to_owned())),
        },
    })
}
