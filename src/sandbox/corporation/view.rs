//! Response bodies of the vendor.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{super::Field, Address, Certificate, Customer, extend::Extend};

/// List body: the value of `data` in the vendor's schema, the whole body in its examples.
#[derive(Debug, Serialize)]
pub(crate) struct ListBody<'a> {
    pub(crate) customers: Vec<CustomerView<'a>>,
    pub(crate) total_customers: usize,
    pub(crate) cursor: Option<String>,
}

/// Envelope of the vendor's schema.
#[derive(Debug, Serialize)]
pub(crate) struct Wrapped<'a, T> {
    pub(crate) data: &'a T,
    pub(crate) message: &'static str,
}

/// Customer with additional fields.
#[derive(Debug, Serialize)]
pub(crate) struct CustomerView<'a> {
    #[serde(flatten)]
    customer: &'a Customer,
    #[serde(skip_serializing_if = "Field::is_absent")]
    shipping_address: &'a Field<Address>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    exemption_metadata: Field<ExemptionMetadata<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    exemption_certificates: &'a [Certificate],
}

impl<'a> CustomerView<'a> {
    /// Builds a customer of a list.
    pub(crate) fn listed(customer: &'a Customer, extend: Extend) -> Self {
        Self {
            customer,
            shipping_address: if extend.shipping_address { &customer.shipping_address } else { &Field::Absent },
            exemption_metadata: if extend.exemption_metadata {
                ExemptionMetadata::from_certificates(&customer.exemption_certificates).into()
            } else {
                Field::Absent
            },
            exemption_certificates: &[],
        }
    }

    /// Builds a single customer with its certificates. FACTS lists the field and no option for it.
    pub(crate) fn retrieved(customer: &'a Customer, extend: Extend) -> Self {
        Self { exemption_certificates: &customer.exemption_certificates, ..Self::listed(customer, extend) }
    }
}

/// Summary of a customer's certificates (FACTS).
#[derive(Debug, Serialize)]
struct ExemptionMetadata<'a> {
    total_certificates: usize,
    certificate_types: BTreeSet<&'a str>,
    total_exempted_states: usize,
    exempted_states: BTreeSet<&'a str>,
    active_exemptions_count: usize,
    inactive_exemptions_count: usize,
    expired_exemptions_count: usize,
    non_expired_exemptions_count: usize,
}

impl<'a> ExemptionMetadata<'a> {
    /// Summarizes certificates. Without certificates the summary is `None`, which becomes null; this
    /// is our choice.
    fn from_certificates(certificates: &'a [Certificate]) -> Option<Self> {
        if certificates.is_empty() {
            return None;
        }
        let count =
            |matches: fn(&Certificate) -> bool| certificates.iter().filter(|certificate| matches(certificate)).count();
        let exempted_states: BTreeSet<&str> =
            certificates.iter().map(|certificate| certificate.jurisdiction.as_str()).collect();
        Some(Self {
            total_certificates: certificates.len(),
            certificate_types: certificates.iter().map(|certificate| certificate.r#type.as_str()).collect(),
            total_exempted_states: exempted_states.len(),
            exempted_states,
            active_exemptions_count: count(|certificate| certificate.status == "ACTIVE"),
            inactive_exemptions_count: count(|certificate| certificate.status == "INACTIVE"),
            expired_exemptions_count: count(|certificate| certificate.expiration_status() == "EXPIRED"),
            non_expired_exemptions_count: count(|certificate| certificate.expiration_status() == "ACTIVE"),
        })
    }
}
