//! Generated rows of Tolt, including the anomalies that FACTS lists.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    super::{
        Data as AllData, Field,
        changes::Change,
        names::{COMPANY, FAMILY, FORM, GIVEN, TRADE},
        random::{id, one_in, pick, sometimes_missing, uuid},
    },
    Customer, Data, ORGANIZATION_ID, PROGRAM_ID, Partner, Program, Transaction,
    timestamp::format_millis,
};

/// 2024-03-06, the day after the program was created.
pub(super) const FIRST_DAY: i64 = 1_709_683_200;
/// Upper bound of all timestamps.
const LAST_DAY: i64 = Change::TODAY;

/// Generates rows. There are no transactions without customers.
pub(crate) fn generate(seed: u64, customers: usize, transactions: usize) -> Data {
    let mut rng = Rng::with_seed(seed);
    let partners: Vec<Partner> = (0..40).map(|_| partner(&mut rng)).collect();

    let referrers: Vec<&Partner> = partners.iter().collect();
    let mut rows: Vec<(Timestamp, Customer)> = Vec::with_capacity(customers);
    for n in 0..customers {
        let at = match rows.last() {
            // Equal timestamps, to produce ties at page boundaries.
            Some((at, _)) if one_in(&mut rng, 12) => *at,
            _ => random_timestamp(&mut rng, FIRST_DAY),
        };
        let mut row = customer(&mut rng, n, at, &referrers);
        if n == 0 {
            AllData::SHARED_ID.clone_into(&mut row.id);
        }
        rows.push((at, row));
    }

    let transactions = if rows.is_empty() { 0 } else { transactions };
    let transactions = (0..transactions)
        .map(|_| {
            let (since, payer) = &rows[rng.usize(..rows.len())];
            transaction(&mut rng, *since, payer)
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
        created_at: format_millis(random_timestamp(rng, FIRST_DAY)),
    }
}

/// Generates the customer with this number, referred by one of the partners.
pub(super) fn customer(rng: &mut Rng, n: usize, at: Timestamp, partners: &[&Partner]) -> Customer {
    let ((given, given_ascii), (family, family_ascii)) = (pick(rng, GIVEN), pick(rng, FAMILY));
    let email = if one_in(rng, 80) {
        // An email may be any unique string (FACTS).
        format!("user-{n}")
    } else {
        format!("{given_ascii}.{family_ascii}{n}@example.com")
    };
    let name = if one_in(rng, 80) { id(rng, "cus_") } else { format!("{given} {family}") };
    let customer_id = match rng.u8(..3) {
        0 => format!("{given_ascii}_{family_ascii}_{n}"),
        1 => uuid(rng),
        // Characters that must be escaped in a query or a path.
        _ => format!("crm/{n}+{family_ascii}=a%20b"),
    };
    // The minimum of two choices gives some partners more customers than others.
    let index = rng.usize(..partners.len().max(1)).min(rng.usize(..partners.len().max(1)));
    let partner = partners.get(index).map(|partner| partner.id.clone());
    let status = match rng.u8(..100) {
        0..25 => "lead",
        25..37 => "trialing",
        37..80 => "active",
        80..98 => "canceled",
        _ => "suspended",
    };
    let updated_at = Timestamp::from_second(LAST_DAY)
        .map_or(at, |end| end.min(at + SignedDuration::from_secs(rng.i64(0..90 * 86_400))));
    Customer {
        id: id(rng, "cust_"),
        email: sometimes_missing(rng, 30, email),
        partner_id: partner.map_or(Field::Null, |id| sometimes_missing(rng, 15, id)),
        name: sometimes_missing(rng, 30, name),
        customer_id: sometimes_missing(rng, 15, customer_id),
        created_at: random_format(rng, at),
        updated_at: random_format(rng, updated_at),
        status: sometimes_missing(rng, 100, status.to_owned()),
        program_id: PROGRAM_ID.to_owned(),
        organization_id: ORGANIZATION_ID.to_owned(),
        extra: customer_extra(rng, at),
    }
}

/// Generates the fields that only write responses document. Some rows have the fields, mostly null
/// (FACTS).
fn customer_extra(rng: &mut Rng, at: Timestamp) -> Map<String, Value> {
    if !one_in(rng, 8) {
        return Map::new();
    }
    let plan = one_in(rng, 3).then(|| pick(rng, &["Starter", "Pro", "Enterprise"]));
    object([
        ("identifier", Value::Null),
        ("plan", plan.into()),
        ("subscription_id", Value::Null),
        ("lead_at", format_millis(at).into()),
        ("active_at", Value::Null),
        ("click_id", Value::Null),
        ("promotion_code_id", Value::Null),
    ])
}

/// Generates a transaction that is not older than `since`.
pub(super) fn transaction(rng: &mut Rng, since: Timestamp, payer: &Customer) -> Transaction {
    let at = random_timestamp(rng, since.as_second());
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
    let created_at = random_format(rng, at);
    Transaction {
        id: id(rng, "txn_"),
        amount: if one_in(rng, 40) { cents.to_string().into() } else { cents.into() },
        customer_id: payer.id.clone(),
        billing_type,
        charge_id: id(rng, "ch_").into(),
        click_id: if one_in(rng, 3) { id(rng, "clk_").into() } else { Field::Null },
        product_id: product.map(|(id, _)| id.to_owned()).into(),
        product_name: product.map(|(_, name)| name.to_owned()).into(),
        source: pick(rng, &["stripe", "stripe", "paddle", "chargebee", "api"]).into(),
        interval,
        updated_at: created_at.clone(),
        created_at,
        program_id: payer.program_id.clone(),
        partner_id: payer.partner_id.clone(),
        extra: transaction_extra(rng, refund),
    }
}

/// Generates the fields that only write responses document. Some rows have the fields, mostly null
/// (FACTS).
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

/// Generates a timestamp of whole milliseconds, at the earliest `since` in epoch seconds.
fn random_timestamp(rng: &mut Rng, since: i64) -> Timestamp {
    let milliseconds = rng.i64(since * 1_000..LAST_DAY * 1_000);
    // The bounds keep the timestamp in range.
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Formats a timestamp in one of the three formats that Tolt's pages show (FACTS).
fn random_format(rng: &mut Rng, at: Timestamp) -> String {
    match rng.u8(..10) {
        0 => format_millis(at).replace('Z', "+00:00"),
        1 => {
            let at = at + SignedDuration::from_micros(rng.i64(1..1_000));
            format!("{at:.6}").replace('Z', "+00:00")
        }
        _ => format_millis(at),
    }
}
