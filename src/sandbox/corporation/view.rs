//! The bodies of the vendor's answers.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    super::{
        Field,
        query::{Query, Refusal},
    },
    Address, Certificate, Customer,
    filter::comma_list,
};

/// The fields to show beyond the usual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extend {
    shipping_address: bool,
    exemption_metadata: bool,
}

impl Extend {
    pub(crate) fn parse(query: &Query) -> Result<Self, Refusal> {
        let mut extend = Self { shipping_address: false, exemption_metadata: false };
        for field in comma_list(query, "extend")? {
            match field.as_str() {
                "shipping_address" => extend.shipping_address = true,
                "exemption_metadata" => extend.exemption_metadata = true,
                other => {
                    return Err(Refusal::new("extend", format!("extend does not know {other}")));
                }
            }
        }
        Ok(extend)
    }
}

/// The body under `data` in its schema, and alone in its examples.
#[derive(Debug, Serialize)]
pub(crate) struct ListBody<'a> {
    pub(crate) customers: Vec<CustomerView<'a>>,
    pub(crate) total_customers: usize,
    pub(crate) cursor: Option<String>,
}

/// The schema's envelope.
#[derive(Debug, Serialize)]
pub(crate) struct Wrapped<'a, T> {
    pub(crate) data: &'a T,
    pub(crate) message: &'static str,
}

/// A customer with what was asked for besides.
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
    /// A customer in a list.
    pub(crate) fn listed(customer: &'a Customer, extend: Extend) -> Self {
        Self {
            customer,
            shipping_address: if extend.shipping_address { &customer.shipping_address } else { &Field::Absent },
            exemption_metadata: if extend.exemption_metadata {
                ExemptionMetadata::of(&customer.exemption_certificates).into()
            } else {
                Field::Absent
            },
            exemption_certificates: &[],
        }
    }

    /// A customer alone, with its certificates: FACTS has the field and no option for it.
    pub(crate) fn retrieved(customer: &'a Customer, extend: Extend) -> Self {
        Self { exemption_certificates: &customer.exemption_certificates, ..Self::listed(customer, extend) }
    }
}

/// The summary of a customer's certificates (FACTS).
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
    /// None, which becomes null, for a customer without certificates: our choice.
    fn of(certificates: &'a [Certificate]) -> Option<Self> {
        if certificates.is_empty() {
            return None;
        }
        let count = |of: fn(&Certificate) -> bool| certificates.iter().filter(|certificate| of(certificate)).count();
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
