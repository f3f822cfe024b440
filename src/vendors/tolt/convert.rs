//! Conversion of Tolt's fields to the gateway's fields.
//!
//! | Tolt | customer | | Tolt | transaction |
//! |---|---|---|---|---|
//! | `customer_id` | `external_id` | | `customer_id` | `customer_id`, a gateway id |
//! | `partner_id`, `program_id`, `organization_id` | `referral.*` | | the same | `referral.*` |
//! | `partner`, `program` | `referral.*` | | the same | `referral.*` |
//! | `stats` | `referral.stats` | | `source` | `platform` |
//! | `program.currency_code` | `referral.program.currency` | | `product_id`, `product_name` | `product.id`, `product.name` |
//!
//! Pitfall: `customer_id` is *your* id on a customer and *Tolt's* id on a
//! transaction (FACTS.md, "Tolt v1").

use std::borrow::Cow;

use crate::{
    domain::{
        customer::Customer,
        page::{Anomalies, UnreadField},
        query::{Expansion, Shape},
        referral::{Partner, Program, Referral, Stats},
        transaction::{CustomerSummary, Product, Transaction},
    },
    vendors::{
        VendorError,
        records::Records,
        wire::{Nested, Row, Text},
    },
};

use super::{
    documented::{BILLING_TYPE, CUSTOMER_STATUS, INTERVAL, PARTNER_STATUS, TRANSACTION_STATUS},
    wire,
};

/// Appends a customer. Skips a customer of another program.
pub(super) fn customer(records: &mut Records<'_>, row: Row<'_, wire::Customer<'_>>) -> Result<(), VendorError> {
    let Row { wire, raw } = row;
    let Some(id) = records.own_id(&wire.id, &wire.program_id)? else { return Ok(()) };
    records.mark_unread(UnreadField::CreatedAt, wire.created_at.is_unreadable());
    records.mark_unread(UnreadField::UpdatedAt, wire.updated_at.is_unreadable());
    records.mark_unread(UnreadField::Name, wire.name.is_unreadable());
    records.mark_unread(UnreadField::Email, wire.email.is_unreadable());
    records.mark_unread(UnreadField::ExternalId, wire.customer_id.is_unreadable());
    let shape = records.shape;
    let anomalies = &mut records.anomalies;
    let stats =
        shape.expands(Expansion::Stats).then(|| wire.stats.take(anomalies)).flatten().map(|it| stats(*it, anomalies));
    let fields = ReferralFields {
        partner_id: wire.partner_id,
        program_id: wire.program_id,
        organization_id: wire.organization_id,
        partner: wire.partner,
        program: wire.program,
    };
    let referral = Referral { stats, ..referral(shape, fields, anomalies) };
    let customer = Customer {
        external_id: wire.customer_id.take(anomalies),
        name: wire.name.take(anomalies),
        email: wire.email.take(anomalies),
        status: CUSTOMER_STATUS.take(wire.status, anomalies),
        created_at: wire.created_at.take(anomalies),
        updated_at: wire.updated_at.take(anomalies),
        id: records.gateway_id(&id),
        source: records.source(&id),
        referral: Some(referral),
        tax: None,
        shipping_address: None,
        raw,
    };
    records.push_customer(&id, &customer)
}

/// Appends a transaction. Skips a transaction of another program.
pub(super) fn transaction(records: &mut Records<'_>, row: Row<'_, wire::Transaction<'_>>) -> Result<(), VendorError> {
    let Row { wire, raw } = row;
    let Some(id) = records.own_id(&wire.id, &wire.program_id)? else { return Ok(()) };
    records.mark_unread(UnreadField::CreatedAt, wire.created_at.is_unreadable());
    records.mark_unread(UnreadField::UpdatedAt, wire.updated_at.is_unreadable());
    let shape = records.shape;
    let anomalies = &mut records.anomalies;
    let customer_id = wire.customer_id.take(anomalies);
    let customer = shape.expands(Expansion::Customer).then(|| wire.customer.take(anomalies)).flatten();
    let customer = consistent(customer, |it| &it.id, customer_id.as_ref(), anomalies);
    let summary_id = customer.as_ref().and_then(|it| it.id.value().cloned());
    let fields = ReferralFields {
        partner_id: wire.partner_id,
        program_id: wire.program_id,
        organization_id: wire.organization_id,
        partner: wire.partner,
        program: wire.program,
    };
    let referral = referral(shape, fields, anomalies);
    let product = Product { id: wire.product_id.take(anomalies), name: wire.product_name.take(anomalies) };
    let customer = customer.map(|it| CustomerSummary {
        id: None,
        name: it.name.take(anomalies),
        email: it.email.take(anomalies),
        status: CUSTOMER_STATUS.take(it.status, anomalies),
        created_at: it.created_at.take(anomalies),
    });
    let transaction = Transaction {
        amount: wire.amount.take(anomalies),
        currency: wire.currency.take(anomalies),
        status: TRANSACTION_STATUS.take(wire.status, anomalies),
        billing_type: BILLING_TYPE.take(wire.billing_type, anomalies),
        interval: INTERVAL.take(wire.interval, anomalies),
        platform: wire.source.take(anomalies),
        charge_id: wire.charge_id.take(anomalies),
        click_id: wire.click_id.take(anomalies),
        product: (product.id.is_some() || product.name.is_some()).then_some(product),
        created_at: wire.created_at.take(anomalies),
        updated_at: wire.updated_at.take(anomalies),
        referral: Some(referral),
        id: records.gateway_id(&id),
        source: records.source(&id),
        customer_id: customer_id.as_deref().map(|id| records.gateway_id(id)),
        customer: customer
            .map(|it| CustomerSummary { id: summary_id.as_deref().map(|id| records.gateway_id(id)), ..it }),
        raw,
    };
    records.push_transaction(&id, &transaction)
}

/// The fields of a row that concern its referral.
struct ReferralFields<'a> {
    partner_id: Text<'a>,
    program_id: Text<'a>,
    organization_id: Text<'a>,
    partner: Nested<Box<wire::Partner<'a>>>,
    program: Nested<Box<wire::Program<'a>>>,
}

fn referral<'a>(shape: &Shape, fields: ReferralFields<'a>, anomalies: &mut Anomalies) -> Referral<'a> {
    let partner_id = fields.partner_id.take(anomalies);
    let program_id = fields.program_id.take(anomalies);
    let partner = shape.expands(Expansion::Partner).then(|| fields.partner.take(anomalies)).flatten();
    let partner = consistent(partner, |it| &it.id, partner_id.as_ref(), anomalies);
    let program = shape.expands(Expansion::Program).then(|| fields.program.take(anomalies)).flatten();
    let program = consistent(program, |it| &it.id, program_id.as_ref(), anomalies);
    Referral {
        partner_id,
        program_id,
        organization_id: fields.organization_id.take(anomalies),
        partner: partner.map(|it| Partner {
            id: it.id.take(anomalies),
            first_name: it.first_name.take(anomalies),
            last_name: it.last_name.take(anomalies),
            email: it.email.take(anomalies),
            company_name: it.company_name.take(anomalies),
            status: PARTNER_STATUS.take(it.status, anomalies),
            created_at: it.created_at.take(anomalies),
        }),
        program: program.map(|it| Program {
            id: it.id.take(anomalies),
            status: it.status.take(anomalies),
            name: it.name.take(anomalies),
            product_name: it.product_name.take(anomalies),
            subdomain: it.subdomain.take(anomalies),
            kind: it.r#type.take(anomalies),
            currency: it.currency_code.take(anomalies),
            created_at: it.created_at.take(anomalies),
        }),
        stats: None,
    }
}

fn stats(wire: wire::Stats, anomalies: &mut Anomalies) -> Stats {
    Stats {
        total_revenue: wire.total_revenue.take(anomalies),
        total_commission: wire.total_commission.take(anomalies),
        total_orders: wire.total_orders.take(anomalies),
        last_order_at: wire.last_order_at.take(anomalies),
    }
}

/// Returns an expanded object, or `None` if its id contradicts the row's
/// reference (FACTS.md, case 13).
fn consistent<'a, T>(
    object: Option<T>,
    id: impl Fn(&T) -> &Text<'a>,
    reference: Option<&Cow<'a, str>>,
    anomalies: &mut Anomalies,
) -> Option<T> {
    let contradicts =
        object.as_ref().is_some_and(|object| matches!((id(object).value(), reference), (Some(a), Some(b)) if a != b));
    if contradicts {
        anomalies.count_unreadable_value();
        return None;
    }
    object
}
