//! Conversion of the corporation vendor's fields to the gateway's fields.
//!
//! | vendor | customer |
//! |---|---|
//! | `corporation_id`, `business_identification_number`, `source_platform`, `source_platform_id` | `tax.*` |
//! | `exemption_metadata` | `tax.exemption` |
//! | `shipping_address.line1`, or `.address_line_1` | `shipping_address.line1` |
//!
//! The vendor has no status and no update time: both fields are null.

use crate::{
    domain::{
        customer::{Address, Customer, Exemption, Tax},
        page::{Anomalies, UnreadField},
        query::Expansion,
    },
    vendors::{VendorError, records::Records, wire::Row},
};

use super::{documented::CERTIFICATE_TYPES, wire};

/// Appends a customer. Skips a customer of another corporation.
pub(super) fn customer(records: &mut Records<'_>, row: Row<'_, wire::Customer<'_>>) -> Result<(), VendorError> {
    let Row { wire, raw } = row;
    let Some(id) = records.own_id(&wire.id, &wire.corporation_id)? else { return Ok(()) };
    records.mark_unread(UnreadField::CreatedAt, wire.created_at.is_unreadable());
    records.mark_unread(UnreadField::Name, wire.name.is_unreadable());
    records.mark_unread(UnreadField::Email, wire.email.is_unreadable());
    records.mark_unread(UnreadField::ExternalId, wire.external_id.is_unreadable());
    let shape = records.shape;
    let anomalies = &mut records.anomalies;
    let address = shape.expands(Expansion::ShippingAddress).then(|| wire.shipping_address.take(anomalies)).flatten();
    let exemption = shape.expands(Expansion::Exemption).then(|| wire.exemption_metadata.take(anomalies)).flatten();
    let tax = Tax {
        corporation_id: wire.corporation_id.take(anomalies),
        business_identification_number: wire.business_identification_number.take(anomalies),
        source_platform: wire.source_platform.take(anomalies),
        source_platform_id: wire.source_platform_id.take(anomalies),
        exemption: exemption.map(|it| self::exemption(*it, anomalies)),
    };
    let customer = Customer {
        external_id: wire.external_id.take(anomalies),
        name: wire.name.take(anomalies),
        email: wire.email.take(anomalies),
        status: None,
        created_at: wire.created_at.take(anomalies),
        updated_at: None,
        shipping_address: address.map(|it| self::address(*it, anomalies)),
        id: records.gateway_id(&id),
        source: records.source(&id),
        referral: None,
        tax: Some(tax),
        raw,
    };
    records.push_customer(&id, &customer)
}

fn exemption<'a>(wire: wire::ExemptionMetadata<'a>, anomalies: &mut Anomalies) -> Exemption<'a> {
    Exemption {
        total_certificates: wire.total_certificates.take(anomalies),
        certificate_types: CERTIFICATE_TYPES.take_list(wire.certificate_types, anomalies),
        total_exempted_states: wire.total_exempted_states.take(anomalies),
        exempted_states: wire.exempted_states.take(anomalies),
        active_exemptions_count: wire.active_exemptions_count.take(anomalies),
        inactive_exemptions_count: wire.inactive_exemptions_count.take(anomalies),
        expired_exemptions_count: wire.expired_exemptions_count.take(anomalies),
        non_expired_exemptions_count: wire.non_expired_exemptions_count.take(anomalies),
    }
}

fn address<'a>(wire: wire::Address<'a>, anomalies: &mut Anomalies) -> Address<'a> {
    Address {
        line1: wire.line1.take(anomalies).or(wire.address_line_1.take(anomalies)),
        line2: wire.line2.take(anomalies).or(wire.address_line_2.take(anomalies)),
        line3: wire.line3.take(anomalies).or(wire.address_line_3.take(anomalies)),
        city: wire.city.take(anomalies),
        state: wire.state.take(anomalies),
        postal_code: wire.postal_code.take(anomalies),
        country: wire.country.take(anomalies),
    }
}
