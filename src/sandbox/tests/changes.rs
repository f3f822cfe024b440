//! Rows that change while the vendors run (FACTS, cases 250 and 251).

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;

use super::super::{Handle, Options, Sandbox, changes::Change, corporation, tolt, vendor::Vendor};
use super::{ids, small};

/// Makes the changes with these numbers, at four a minute.
fn make_changes<S: Vendor>(vendor: &Handle<S>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        vendor.shared_service().change(&mut Rng::with_seed(number), Change::new(number, 4));
    }
}

/// Returns the ids that only the second list has, that only the first list has, and that both have
/// with different rows.
fn differences<T: Clone + PartialEq>(before: &[T], after: &[T], id: fn(&T) -> &str) -> [Vec<String>; 3] {
    let index = |rows: &[T]| rows.iter().map(|row| (id(row).to_owned(), row.clone())).collect::<BTreeMap<_, _>>();
    let (before, after) = (index(before), index(after));
    let only = |one: &BTreeMap<String, T>, other: &BTreeMap<String, T>| {
        one.keys().filter(|id| !other.contains_key(*id)).cloned().collect()
    };
    let changed = before.iter().filter(|(id, row)| after.get(*id).is_some_and(|other| other != *row));
    [only(&after, &before), only(&before, &after), changed.map(|(id, _)| id.clone()).collect()]
}

#[tokio::test]
async fn changes_insert_update_and_delete_in_turn() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    let customers = tolt.customers();
    let transactions = tolt.transactions();
    let companies = corporation.customers();
    for number in 0..30 {
        let [before, payments, firms] =
            [tolt.customers().len(), tolt.transactions().len(), corporation.customers().len()];
        make_changes(tolt, number..number + 1);
        make_changes(corporation, number..number + 1);
        let grown = [1, 0, -1][usize::try_from(number % 3).unwrap()];
        assert_eq!(tolt.customers().len(), before.strict_add_signed(grown));
        assert_eq!(tolt.transactions().len(), payments.strict_add_signed(grown));
        assert_eq!(corporation.customers().len(), firms.strict_add_signed(grown));
    }
    for [created, deleted, changed] in [
        differences(&customers, &tolt.customers(), |row| &row.id),
        differences(&transactions, &tolt.transactions(), |row| &row.id),
        differences(&companies, &corporation.customers(), |row| &row.id),
    ] {
        assert_eq!(created.len(), deleted.len());
        assert!(created.len() > 5 && !changed.is_empty(), "{created:?} {changed:?}");
    }
}

#[tokio::test]
async fn seed_determines_the_changes() {
    let rows = async || {
        let sandbox = Sandbox::start(small()).await.unwrap();
        make_changes(sandbox.tolt(), 0..60);
        make_changes(sandbox.corporation(), 0..60);
        (sandbox.tolt().customers(), sandbox.tolt().transactions(), sandbox.corporation().customers())
    };
    assert_eq!(rows().await, rows().await);
}

#[tokio::test]
async fn new_tolt_rows_are_newest_and_dated() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let tolt = sandbox.tolt();
    make_changes(tolt, 0..1);
    let newest = tolt.customers().pop().unwrap();
    assert_eq!(newest.created_at, "2025-11-01T00:00:15.000Z");
    assert_eq!(newest.updated_at, newest.created_at);
    assert_eq!(ids(&tolt.list("customers", "&limit=1").await["data"]["data"]), [newest.id.as_str()]);
    let payment = tolt.transactions().pop().unwrap();
    assert_eq!(ids(&tolt.list("transactions", "&limit=1").await["data"]), [payment.id.as_str()]);

    make_changes(tolt, 1..2);
    let changed: Vec<_> =
        tolt.customers().into_iter().filter(|row| row.updated_at == "2025-11-01T00:00:30.000Z").collect();
    assert_eq!(changed.len(), 1);
}

#[tokio::test]
async fn new_companies_appear_anywhere_in_the_list() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let corporation = sandbox.corporation();
    let before = corporation.customers();
    make_changes(corporation, 0..30);
    let after = corporation.customers();
    let [created, ..] = differences(&before, &after, |row| &row.id);
    let places: Vec<_> =
        created.iter().map(|id| after.iter().position(|row| row.id == *id).unwrap() * 10 / after.len()).collect();
    assert!(places.iter().any(|place| *place < 5) && places.iter().any(|place| *place >= 5), "{places:?}");
}

#[tokio::test]
async fn updates_by_tests_move_the_change_time() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    tolt.insert(tolt::Customer::new("a", "2025-01-15T12:00:00.000Z"));
    assert!(tolt.update("a", |row| row.name = "Jim".into()));
    let (_, row) = tolt.get("/v1/customers/a").await;
    assert_eq!((&row["data"]["name"], &row["data"]["updated_at"]), (&"Jim".into(), &"2025-01-15T12:00:01.000Z".into()));
    tolt.update("a", |row| "2025-02-01T00:00:00.000Z".clone_into(&mut row.updated_at));
    assert_eq!(tolt.get("/v1/customers/a").await.1["data"]["updated_at"], "2025-02-01T00:00:00.000Z");
    // Another creation time is another place in the list.
    tolt.update("a", |row| "2026-01-01T00:00:00.000Z".clone_into(&mut row.created_at));
    assert_eq!(ids(&tolt.list("customers", "&limit=1").await["data"]["data"]), ["a"]);

    tolt.insert_transaction(tolt::Transaction::new("t", "a", 5, "2026-01-01T00:00:00.000Z"));
    assert!(tolt.update_transaction("t", |row| row.amount = 7.into()));
    assert_eq!(tolt.list("transactions", "&limit=1").await["data"][0]["amount"], 7);
    assert!(tolt.delete_transaction("t") && !tolt.delete_transaction("t"));
    assert_eq!(tolt.list("transactions", "&limit=1").await["total_count"], 300);

    corporation.insert(corporation::Customer::new("b", "Acme", 0));
    let place = |rows: Vec<corporation::Customer>| rows.iter().position(|row| row.id == "b");
    let before = place(corporation.customers());
    assert!(corporation.update("b", |row| row.name = "Acme Ltd".into()));
    assert_eq!(place(corporation.customers()), before);
    assert_eq!(corporation.get("/customers/b").await.1["data"]["name"], "Acme Ltd");
    assert!(!tolt.update("none", |_| {}) && !corporation.update("none", |_| {}));
}

#[tokio::test]
async fn changes_run_while_the_sandbox_lives() {
    let sandbox = Sandbox::start(Options { changes_per_minute: 30_000, ..small() }).await.unwrap();
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    let before = (tolt.customers(), tolt.transactions(), corporation.customers());
    while tolt.customers() == before.0 || tolt.transactions() == before.1 || corporation.customers() == before.2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn changes_of_empty_lists_insert_rows() {
    let sandbox = Sandbox::start_with(small(), super::Data::default()).await.unwrap();
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    make_changes(tolt, 1..4);
    make_changes(corporation, 1..4);
    assert_eq!(tolt.list("customers", "").await["total_count"], 1);
    assert_eq!(corporation.list("").await["total_customers"], 1);
}

#[tokio::test]
async fn totals_follow_changes_of_the_tenant() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    let (customer, company) = (&tolt.customers()[0].id, &corporation.customers()[0].id);
    tolt.update(customer, |row| "prg_other".clone_into(&mut row.program_id));
    corporation.update(company, |row| "corp_other".clone_into(&mut row.corporation_id));
    assert_eq!(tolt.list("customers", "").await["total_count"], 229);
    assert_eq!(corporation.list("").await["total_customers"], 229);
    assert!(tolt.delete(customer) && corporation.delete(company));
    assert_eq!(tolt.list("customers", "").await["total_count"], 229);
    assert_eq!(corporation.list("").await["total_customers"], 229);
}
