//! Objects of the vendor, with the field names of its page and of FACTS.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    super::{Field, changes::Change},
    CORPORATION_ID,
};

/// Customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Customer {
    /// Id with the prefix `cust_`; a uuid in older variants (FACTS).
    pub id: String,
    /// Name, the field that `name` and `search_term` match.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub name: Field<String>,
    /// Email address.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub email: Field<String>,
    /// Corporation id. A list shows only the customers of the requested corporation.
    pub corporation_id: String,
    /// Creation time in epoch seconds; absent in older variants (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub created_at: Field<i64>,
    /// Platform from which the customer was imported, such as `stripe`.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub source_platform: Field<String>,
    /// Customer's id on the source platform.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub source_platform_id: Field<String>,
    /// Id that the vendor's user gave to the customer.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub external_id: Field<String>,
    /// Tax number, such as a VAT number.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub business_identification_number: Field<String>,
    /// Shipping address, returned with `extend=shipping_address` only.
    #[serde(skip)]
    pub shipping_address: Field<Address>,
    /// Certificates, returned by retrieve only. `exemption_metadata` is their summary.
    #[serde(skip)]
    pub exemption_certificates: Vec<Certificate>,
    /// All other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Customer {
    /// Creates a customer of the page's corporation. All other fields are absent.
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

/// Address in either of two spellings (FACTS). Only `country` is required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Address {
    /// First line, first spelling.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub line1: Field<String>,
    /// Second line, first spelling.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub line2: Field<String>,
    /// First line, second spelling.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub address_line_1: Field<String>,
    /// Second line, second spelling.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub address_line_2: Field<String>,
    /// Third line, second spelling.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub address_line_3: Field<String>,
    /// City.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub city: Field<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub state: Field<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub postal_code: Field<String>,
    /// Country code of two letters.
    pub country: String,
}

/// Exemption certificate, with the fields that FACTS lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Id of the certificate.
    pub id: String,
    /// Expiry in epoch seconds; null if the certificate never expires.
    pub expiring_at: Option<i64>,
    /// Date of issue in epoch seconds.
    pub issued_at: i64,
    /// Country code of two letters.
    pub country: String,
    /// Jurisdiction, such as `US_CA`.
    pub jurisdiction: String,
    /// Status: `ACTIVE` or `INACTIVE`, the field that `exemption_status` matches.
    pub status: String,
    /// Verification status, such as `VERIFIED`.
    pub verification_status: String,
    /// Type, such as `SINGLE_STATE`, `MULTI_STATE` or `BLANKET`.
    pub r#type: String,
    /// Id of the customer.
    pub customer_id: String,
    /// File id of the scan; null without a scan.
    pub file_id: Option<String>,
    /// Creation time in epoch seconds.
    pub created_at: i64,
}

impl Certificate {
    /// Current day of the sandbox, 2025-11-01. Certificates expire by this fixed day, so the same
    /// seed always generates the same responses.
    pub const TODAY: i64 = Change::TODAY;

    /// Returns `ACTIVE` or `EXPIRED`, the value that `expiration_status` matches.
    #[must_use]
    pub fn expiration_status(&self) -> &'static str {
        match self.expiring_at {
            Some(at) if at <= Self::TODAY => "EXPIRED",
            _ => "ACTIVE",
        }
    }
}
