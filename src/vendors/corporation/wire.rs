//! The corporation vendor's objects, with the field names of its pages. Expanded objects
//! are on the heap: rows rarely have them, and reading moves a row several times.

use serde::Deserialize;

use crate::{
    domain::timestamp::Timestamp,
    vendors::wire::{Field, HasId, Nested, Text, TextList},
};

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
    pub(super) shipping_address: Nested<Box<Address<'a>>>,
    pub(super) exemption_metadata: Nested<Box<ExemptionMetadata<'a>>>,
}

/// An address, with both documented spellings of its lines (FACTS.md, case 17).
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

impl HasId for Customer<'_> {
    fn id(&self) -> Option<&str> {
        self.id.value().map(AsRef::as_ref)
    }
}
