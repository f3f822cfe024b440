//! From Tolt's fields to ours.
//!
//! | Tolt | customer | | Tolt | transaction |
//! |---|---|---|---|---|
//! | `customer_id` | `external_id` | | `customer_id` | `customer_id`, a gateway id |
//! | `partner_id`, `program_id`, `organization_id` | `referral.*` | | the same | `referral.*` |
//! | `partner`, `program` | `referral.*` | | the same | `referral.*` |
//! | `stats` | `referral.stats` | | `source` | `platform` |
//! | `program.currency_code` | `referral.program.currency` | | `product_id`, `product_name` | `product.id`, `product.name` |
//!
//! The trap: `customer_id` is *your* id on a customer, and *Tolt's* on a
//! transaction (FACTS.md).

use std::borrow::Cow;

use crate::{
    domain::{
        customer::{Customer, Partner, Program, Referral, Stats, Text},
        page::Anomalies,
        query::{Expansion, Shape},
        transaction::{CustomerSummary, Product, Transaction},
    },
    vendors::{
        VendorError,
        records::Records,
        wire::{Field, Nested, Row},
    },
};

use super::{
    documented::{BILLING_TYPE, CUSTOMER_STATUS, INTERVAL, PARTNER_STATUS, TRANSACTION_STATUS},
    wire::{self, HasId},
};

/// Appends a customer, unless it is another program's.
pub(super) fn customer(records: &mut Records<'_>, row: Row<'_, wire::Customer<'_>>) -> Result<(), VendorError> {
    let Row { wire, raw } = row;
    if records.is_foreign(&wire.program_id) {
        return Ok(());
    }
    let id = wire.id()?.to_owned();
    let shape = records.shape;
    let o = &mut records.anomalies;
    let stats = shape.expands(Expansion::Stats).then(|| wire.stats.take(o)).flatten().map(|it| stats(it, o));
    let referrer = Referrer { partner: wire.partner, program: wire.program };
    let ids = (wire.partner_id.take(o), wire.program_id.take(o), wire.organization_id.take(o));
    let referral = Referral { stats, ..referral(shape, ids, referrer, o) };
    let created_at = wire.created_at.take(o);
    let customer = Customer {
        external_id: wire.customer_id.take(o),
        name: wire.name.take(o),
        email: wire.email.take(o),
        status: CUSTOMER_STATUS.take(wire.status, o),
        created_at,
        updated_at: wire.updated_at.take(o),
        id: records.gateway_id(&id),
        source: records.source(&id),
        referral: Some(referral),
        tax: None,
        shipping_address: None,
        raw,
    };
    records.push(&id, created_at, &customer)
}

/// Appends a transaction, unless it is another program's.
pub(super) fn transaction(records: &mut Records<'_>, row: Row<'_, wire::Transaction<'_>>) -> Result<(), VendorError> {
    let Row { wire, raw } = row;
    if records.is_foreign(&wire.program_id) {
        return Ok(());
    }
    let id = wire.id()?.to_owned();
    let shape = records.shape;
    let o = &mut records.anomalies;
    let customer_id = wire.customer_id.take(o);
    let customer = shape.expands(Expansion::Customer).then(|| wire.customer.take(o)).flatten();
    let customer = agreeing(customer, |it| &it.id, customer_id.as_ref(), o);
    let summary_id = customer.as_ref().and_then(|it| it.id.value().cloned());
    let referrer = Referrer { partner: wire.partner, program: wire.program };
    let ids = (wire.partner_id.take(o), wire.program_id.take(o), wire.organization_id.take(o));
    let referral = referral(shape, ids, referrer, o);
    let product = Product { id: wire.product_id.take(o), name: wire.product_name.take(o) };
    let created_at = wire.created_at.take(o);
    let customer = customer.map(|it| CustomerSummary {
        id: None,
        name: it.name.take(o),
        email: it.email.take(o),
        status: CUSTOMER_STATUS.take(it.status, o),
        created_at: it.created_at.take(o),
    });
    let transaction = Transaction {
        amount: wire.amount.take(o),
        currency: wire.currency.take(o),
        status: TRANSACTION_STATUS.take(wire.status, o),
        billing_type: BILLING_TYPE.take(wire.billing_type, o),
        interval: INTERVAL.take(wire.interval, o),
        platform: wire.source.take(o),
        charge_id: wire.charge_id.take(o),
        click_id: wire.click_id.take(o),
        product: (product.id.is_some() || product.name.is_some()).then_some(product),
        created_at,
        updated_at: wire.updated_at.take(o),
        referral: Some(referral),
        id: records.gateway_id(&id),
        source: records.source(&id),
        customer_id: customer_id.as_deref().map(|id| records.gateway_id(id)),
        customer: customer
            .map(|it| CustomerSummary { id: summary_id.as_deref().map(|id| records.gateway_id(id)), ..it }),
        raw,
    };
    records.push(&id, created_at, &transaction)
}

/// The expanded objects of a row.
struct Referrer<'a> {
    partner: Nested<wire::Partner<'a>>,
    program: Nested<wire::Program<'a>>,
}

fn referral<'a>(
    shape: &Shape,
    (partner_id, program_id, organization_id): (Text<'a>, Text<'a>, Text<'a>),
    expanded: Referrer<'a>,
    o: &mut Anomalies,
) -> Referral<'a> {
    let partner = shape.expands(Expansion::Partner).then(|| expanded.partner.take(o)).flatten();
    let partner = agreeing(partner, |it| &it.id, partner_id.as_ref(), o);
    let program = shape.expands(Expansion::Program).then(|| expanded.program.take(o)).flatten();
    let program = agreeing(program, |it| &it.id, program_id.as_ref(), o);
    Referral {
        partner_id,
        program_id,
        organization_id,
        partner: partner.map(|it| Partner {
            id: it.id.take(o),
            first_name: it.first_name.take(o),
            last_name: it.last_name.take(o),
            email: it.email.take(o),
            company_name: it.company_name.take(o),
            status: PARTNER_STATUS.take(it.status, o),
            created_at: it.created_at.take(o),
        }),
        program: program.map(|it| Program {
            id: it.id.take(o),
            status: it.status.take(o),
            name: it.name.take(o),
            product_name: it.product_name.take(o),
            subdomain: it.subdomain.take(o),
            kind: it.r#type.take(o),
            currency: it.currency_code.take(o),
            created_at: it.created_at.take(o),
        }),
        stats: None,
    }
}

fn stats(wire: wire::Stats, o: &mut Anomalies) -> Stats {
    Stats {
        total_revenue: wire.total_revenue.take(o),
        total_commission: wire.total_commission.take(o),
        total_orders: wire.total_orders.take(o),
        last_order_at: wire.last_order_at.take(o),
    }
}

/// An expanded object, unless its id is not the one that the row refers to:
/// then it is somebody else, and is left out (FACTS.md, case 13).
fn agreeing<'a, T>(
    object: Option<T>,
    id: impl Fn(&T) -> &Field<Cow<'a, str>>,
    referred: Option<&Cow<'a, str>>,
    o: &mut Anomalies,
) -> Option<T> {
    let disagrees =
        object.as_ref().is_some_and(|object| matches!((id(object).value(), referred), (Some(a), Some(b)) if a != b));
    if disagrees {
        o.unreadable_values = o.unreadable_values.saturating_add(1);
        return None;
    }
    object
}
