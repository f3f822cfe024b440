//! Made-up rows for Tolt, with the oddities that FACTS lists sprinkled in.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    super::{
        Data as AllData, Field,
        names::{COMPANY, FAMILY, FORM, GIVEN, TRADE},
        random::{id, mostly, one_in, pick, uuid},
    },
    Customer, Data, ORGANIZATION_ID, PROGRAM_ID, Partner, Program, Transaction,
    view::millis,
};

/// 2024-03-06, the day after the program was created.
const FIRST_DAY: i64 = 1_709_683_200;
/// 2025-11-01, after which nothing happens.
const LAST_DAY: i64 = 1_761_955_200;

pub(crate) fn data(seed: u64, customers: usize, transactions: usize) -> Data {
    let mut rng = Rng::with_seed(seed);
    let partners: Vec<Partner> = (0..40).map(|_| partner(&mut rng)).collect();

    let mut rows: Vec<(Timestamp, Customer)> = Vec::with_capacity(customers);
    for n in 0..customers {
        let at = match rows.last() {
            // Equal times, so that ties fall on the edges of pages.
            Some((at, _)) if one_in(&mut rng, 12) => *at,
            _ => moment(&mut rng, FIRST_DAY),
        };
        let mut row = customer(&mut rng, n, at, &partners);
        if n == 0 {
            AllData::SHARED_ID.clone_into(&mut row.id);
        }
        rows.push((at, row));
    }

    // Without customers there is nobody to pay.
    let transactions = if rows.is_empty() { 0 } else { transactions };
    let transactions = (0..transactions)
        .map(|_| {
            let (since, caller_share) = &rows[rng.usize(..rows.len())];
            transaction(&mut rng, *since, caller_share)
        })
        .collect();

    Data {
        program: Program::default(),
        partners,
        customers: rows.into_iter().map(|(_, row)| row).collect(),
        transactions,
    }
}

fn partner(rng: &mut Rng) -> Partner {
    let ((first, first_ascii), (last, last_ascii)) = (pick(rng, GIVEN), pick(rng, FAMILY));
    Partner {
        id: id(rng, "part_"),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        email: format!("{first_ascii}.{last_ascii}@partners.example"),
        company_name: (!one_in(rng, 3))
            .then(|| format!("{} {} {}", pick(rng, COMPANY), pick(rng, TRADE), pick(rng, FORM))),
        status: pick(rng, &["active", "active", "active", "pending", "suspended", "rejected"]).to_owned(),
        created_at: millis(moment(rng, FIRST_DAY)),
    }
}

fn customer(rng: &mut Rng, n: usize, at: Timestamp, partners: &[Partner]) -> Customer {
    let ((given, given_ascii), (family, family_ascii)) = (pick(rng, GIVEN), pick(rng, FAMILY));
    let email = if one_in(rng, 80) {
        // Any unique string will do (FACTS).
        format!("user-{n}")
    } else {
        format!("{given_ascii}.{family_ascii}{n}@example.com")
    };
    let name = if one_in(rng, 80) { id(rng, "cus_") } else { format!("{given} {family}") };
    let customer_id = match rng.u8(..3) {
        0 => format!("{given_ascii}_{family_ascii}_{n}"),
        1 => uuid(rng),
        // Characters that a query or a path must escape.
        _ => format!("crm/{n}+{family_ascii}=a%20b"),
    };
    // Some partners bring more customers than others.
    let partner = &partners[rng.usize(..partners.len()).min(rng.usize(..partners.len()))];
    let status = match rng.u8(..100) {
        0..25 => "lead",
        25..37 => "trialing",
        37..80 => "active",
        80..98 => "canceled",
        _ => "suspended",
    };
    let later = Timestamp::from_second(LAST_DAY)
        .map_or(at, |end| end.min(at + SignedDuration::from_secs(rng.i64(0..90 * 86_400))));
    Customer {
        id: id(rng, "cust_"),
        email: mostly(rng, 30, email),
        partner_id: mostly(rng, 15, partner.id.clone()),
        name: mostly(rng, 30, name),
        customer_id: mostly(rng, 15, customer_id),
        created_at: written(rng, at),
        updated_at: written(rng, later),
        status: mostly(rng, 100, status.to_owned()),
        program_id: PROGRAM_ID.to_owned(),
        organization_id: ORGANIZATION_ID.to_owned(),
        extra: customer_extra(rng, at),
    }
}

/// The fields that only write responses document, on some rows and mostly null (FACTS).
fn customer_extra(rng: &mut Rng, at: Timestamp) -> Map<String, Value> {
    if !one_in(rng, 8) {
        return Map::new();
    }
    let plan = one_in(rng, 3).then(|| pick(rng, &["Starter", "Pro", "Enterprise"]));
    object([
        ("identifier", Value::Null),
        ("plan", plan.into()),
        ("subscription_id", Value::Null),
        ("lead_at", millis(at).into()),
        ("active_at", Value::Null),
        ("click_id", Value::Null),
        ("promotion_code_id", Value::Null),
    ])
}

fn transaction(rng: &mut Rng, since: Timestamp, caller_share: &Customer) -> Transaction {
    let at = moment(rng, since.as_second());
    let refund = one_in(rng, 30);
    let cents = if refund { -rng.i64(500..20_000) } else { rng.i64(500..60_000) };
    let (billing_type, interval) = match rng.u8(..10) {
        0..6 => ("subscription".into(), "month".into()),
        6..8 => ("subscription".into(), "year".into()),
        8 => ("one_time".into(), Field::Null),
        _ => (Field::Null, Field::Null),
    };
    let product = pick(
        rng,
        &[
            Some(("prod_123", "Premium Plan")),
            Some(("prod_124", "Starter Plan")),
            Some(("prod_125", "Plan “Équipe” – 10 Plätze")),
            None,
        ],
    );
    let written_at = written(rng, at);
    Transaction {
        id: id(rng, "txn_"),
        amount: if one_in(rng, 40) { cents.to_string().into() } else { cents.into() },
        customer_id: caller_share.id.clone(),
        billing_type,
        charge_id: id(rng, "ch_").into(),
        click_id: if one_in(rng, 3) { id(rng, "clk_").into() } else { Field::Null },
        product_id: product.map(|(id, _)| id.to_owned()).into(),
        product_name: product.map(|(_, name)| name.to_owned()).into(),
        source: pick(rng, &["stripe", "stripe", "paddle", "chargebee", "api"]).into(),
        interval,
        updated_at: written_at.clone(),
        created_at: written_at,
        program_id: caller_share.program_id.clone(),
        partner_id: caller_share.partner_id.clone(),
        extra: transaction_extra(rng, refund),
    }
}

/// The fields that only write responses document, on some rows and mostly null (FACTS).
fn transaction_extra(rng: &mut Rng, refund: bool) -> Map<String, Value> {
    if !one_in(rng, 5) {
        return Map::new();
    }
    let known = one_in(rng, 2);
    let status = known.then_some(if refund { "refunded" } else { "paid" });
    let currency = known.then(|| pick(rng, &["USD", "EUR", "JPY"]));
    object([
        ("status", status.into()),
        ("currency", currency.into()),
        ("tax", Value::Null),
        ("amount_excluding_tax", Value::Null),
        ("amount_including_tax", Value::Null),
        ("metadata", Value::Null),
        ("product_ids", json!([])),
        ("product_names", json!([])),
        ("conversion_rate", Value::Null),
        ("organization_id", ORGANIZATION_ID.into()),
    ])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A time of whole milliseconds since then.
fn moment(rng: &mut Rng, since: i64) -> Timestamp {
    let milliseconds = rng.i64(since * 1_000..LAST_DAY * 1_000);
    // In range by its bounds.
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The time in one of the three formats that Tolt's pages show (FACTS).
fn written(rng: &mut Rng, at: Timestamp) -> String {
    match rng.u8(..10) {
        0 => millis(at).replace('Z', "+00:00"),
        1 => {
            let at = at + SignedDuration::from_micros(rng.i64(1..1_000));
            format!("{at:.6}").replace('Z', "+00:00")
        }
        _ => millis(at),
    }
}
