//! The vendor's objects, with the fields and the names of its page and of FACTS.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{super::Field, CORPORATION_ID};

/// A customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Customer {
    /// Prefixed with `cust_`; a uuid in older variants (FACTS).
    pub id: String,
    /// The name, which `name` and `search_term` look at.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub name: Field<String>,
    /// The email address.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub email: Field<String>,
    /// Lists show the customers of the corporation asked for only.
    pub corporation_id: String,
    /// Epoch seconds; absent in older variants (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub created_at: Field<i64>,
    /// Where the customer was imported from, such as `stripe`.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub source_platform: Field<String>,
    /// Its id there.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub source_platform_id: Field<String>,
    /// The id that the vendor's user gave the customer.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub external_id: Field<String>,
    /// Such as a VAT number.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub business_identification_number: Field<String>,
    /// Shown to `extend=shipping_address` only.
    #[serde(skip)]
    pub shipping_address: Field<Address>,
    /// Shown by retrieve only; `exemption_metadata` is their summary.
    #[serde(skip)]
    pub exemption_certificates: Vec<Certificate>,
    /// Any other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Customer {
    /// A customer of the page's corporation, with nothing else known.
    #[must_use]
    pub fn new(id: &str, name: &str, created_at: i64) -> Self {
        Self {
            id: id.to_owned(),
            name: name.into(),
            corporation_id: CORPORATION_ID.to_owned(),
            created_at: created_at.into(),
            ..Self::default()
        }
    }
}

/// An address in either of the two spellings (FACTS). Only `country` is required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Address {
    /// The first line, in one spelling.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub line1: Field<String>,
    /// The second line, in that spelling.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub line2: Field<String>,
    /// The first line, in the other.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub address_line_1: Field<String>,
    /// The second line, in the other.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub address_line_2: Field<String>,
    /// The third line, in the other.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub address_line_3: Field<String>,
    /// The city.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub city: Field<String>,
    /// The state or province.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub state: Field<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub postal_code: Field<String>,
    /// Two letters.
    pub country: String,
}

/// An exemption certificate, with the fields that FACTS lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The certificate's id.
    pub id: String,
    /// Epoch seconds; null where it never expires.
    pub expiring_at: Option<i64>,
    /// Epoch seconds.
    pub issued_at: i64,
    /// Two letters.
    pub country: String,
    /// Such as `US_CA`.
    pub jurisdiction: String,
    /// `ACTIVE` or `INACTIVE`, which `exemption_status` asks for.
    pub status: String,
    /// Such as `VERIFIED`.
    pub verification_status: String,
    /// `SINGLE_STATE`, `MULTI_STATE` or `BLANKET`.
    pub r#type: String,
    /// Whose it is.
    pub customer_id: String,
    /// The scan, if there is one.
    pub file_id: Option<String>,
    /// Epoch seconds.
    pub created_at: i64,
}

impl Certificate {
    /// The sandbox's today, 2025-11-01: certificates expire by this, so that the same seed always
    /// makes the same answers.
    pub const TODAY: i64 = 1_761_955_200;

    /// `ACTIVE` or `EXPIRED`, which `expiration_status` asks for.
    #[must_use]
    pub fn expiration_status(&self) -> &'static str {
        match self.expiring_at {
            Some(at) if at <= Self::TODAY => "EXPIRED",
            _ => "ACTIVE",
        }
    }
}
