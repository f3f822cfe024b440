//! From the corporation vendor's fields to ours.
//!
//! | vendor | customer |
//! |---|---|
//! | `corporation_id`, `business_identification_number`, `source_platform`, `source_platform_id` | `tax.*` |
//! | `exemption_metadata` | `tax.exemption` |
//! | `shipping_address.line1`, or `.address_line_1` | `shipping_address.line1` |
//!
//! It has no status and no time of change: both are null.

use crate::{
    domain::{
        customer::{Address, Customer, Exemption, Tax},
        page::Anomalies,
        query::Expansion,
    },
    vendors::{VendorError, records::Records, wire::Row},
};

use super::{documented::CERTIFICATE_TYPES, wire};

/// Appends a customer, unless it is another corporation's.
pub(super) fn customer(records: &mut Records<'_>, row: Row<'_, wire::Customer<'_>>) -> Result<(), VendorError> {
    let Row { wire, raw } = row;
    if records.is_foreign(&wire.corporation_id) {
        return Ok(());
    }
    let id = wire.id.value().ok_or_else(|| VendorError::Unreadable("a row has no id".to_owned()))?.to_string();
    let shape = records.shape;
    let o = &mut records.anomalies;
    let address = shape.expands(Expansion::ShippingAddress).then(|| wire.shipping_address.take(o)).flatten();
    let exemption = shape.expands(Expansion::Exemption).then(|| wire.exemption_metadata.take(o)).flatten();
    let tax = Tax {
        corporation_id: wire.corporation_id.take(o),
        business_identification_number: wire.business_identification_number.take(o),
        source_platform: wire.source_platform.take(o),
        source_platform_id: wire.source_platform_id.take(o),
        exemption: exemption.map(|it| self::exemption(it, o)),
    };
    let created_at = wire.created_at.take(o);
    let customer = Customer {
        external_id: wire.external_id.take(o),
        name: wire.name.take(o),
        email: wire.email.take(o),
        status: None,
        created_at,
        updated_at: None,
        shipping_address: address.map(|it| self::address(it, o)),
        id: records.gateway_id(&id),
        source: records.source(&id),
        referral: None,
        tax: Some(tax),
        raw,
    };
    records.push(&id, created_at, &customer)
}

fn exemption<'a>(wire: wire::ExemptionMetadata<'a>, o: &mut Anomalies) -> Exemption<'a> {
    Exemption {
        total_certificates: wire.total_certificates.take(o),
        certificate_types: CERTIFICATE_TYPES.take_list(wire.certificate_types, o),
        total_exempted_states: wire.total_exempted_states.take(o),
        exempted_states: wire.exempted_states.take(o),
        active_exemptions_count: wire.active_exemptions_count.take(o),
        inactive_exemptions_count: wire.inactive_exemptions_count.take(o),
        expired_exemptions_count: wire.expired_exemptions_count.take(o),
        non_expired_exemptions_count: wire.non_expired_exemptions_count.take(o),
    }
}

fn address<'a>(wire: wire::Address<'a>, o: &mut Anomalies) -> Address<'a> {
    Address {
        line1: wire.line1.take(o).or(wire.address_line_1.take(o)),
        line2: wire.line2.take(o).or(wire.address_line_2.take(o)),
        line3: wire.line3.take(o).or(wire.address_line_3.take(o)),
        city: wire.city.take(o),
        state: wire.state.take(o),
        postal_code: wire.postal_code.take(o),
        country: wire.country.take(o),
    }
}
