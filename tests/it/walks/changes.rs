//! Walks over Tolt's lists during inserts and deletes, compared with an oracle
//! without paging.

use std::{collections::BTreeSet, time::Duration};

use customer_gateway::sandbox::{Data, tolt};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::page;
use crate::support::{Gateway, config, connections_to, ids, sandbox_with};

/// Event between two pages of a walk.
#[derive(Debug, Clone)]
enum Event {
    /// Inserts a row at an instant.
    Insert(u32),
    /// Deletes the row at this relative position of the list.
    Delete(prop::sample::Index),
    /// Deletes the last row of the latest page, which anchors the next page.
    DeleteLastSeen,
    /// Deletes the first row of the latest page.
    DeleteFirstSeen,
    /// Fetches the first page again, while the others stay fresh.
    Refetch,
    /// Makes all cached pages stale, so they are refreshed in the background.
    Stale,
    /// Makes all cached pages too old to be served.
    Expire,
}

#[derive(Debug, Clone)]
struct Scenario {
    ascending: bool,
    /// Instants of the initial rows. The range is small, so many are equal.
    rows: Vec<u32>,
    /// Limit of each page and the events after the page. Repeated to the end.
    pages: Vec<(usize, Vec<Event>)>,
    /// For each page, whether the walk goes back one page and returns. Repeated
    /// to the end.
    turns_back: Vec<bool>,
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let event = prop_oneof![
        3 => (0..60_u32).prop_map(Event::Insert),
        3 => any::<prop::sample::Index>().prop_map(Event::Delete),
        2 => Just(Event::DeleteLastSeen),
        1 => Just(Event::DeleteFirstSeen),
        2 => Just(Event::Refetch),
        1 => Just(Event::Stale),
        2 => Just(Event::Expire),
    ];
    let page = (1..=100_usize, prop::collection::vec(event, 0..6));
    (
        any::<bool>(),
        prop::collection::vec(0..60_u32, 0..420),
        prop::collection::vec(page, 1..12),
        prop::collection::vec(prop::bool::weighted(0.2), 1..6),
    )
        .prop_map(|(ascending, rows, pages, turns_back)| Scenario { ascending, rows, pages, turns_back })
}

/// Instant of a number, in one of Tolt's formats.
fn instant(number: u32) -> String {
    let start: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let instant = start.checked_add(SignedDuration::from_micros(i64::from(number) * 700)).unwrap();
    if number.is_multiple_of(2) { format!("{instant:.6}").replace('Z', "+00:00") } else { format!("{instant:.6}") }
}

fn row(id: usize, number: u32) -> tolt::Customer {
    // The order of ids differs from the order of insertion, which matters for
    // equal instants.
    tolt::Customer::new(&format!("cust_{:04}", id * 7_919 % 10_000), &instant(number))
}

async fn check(scenario: Scenario) {
    let customers: Vec<_> = scenario.rows.iter().enumerate().map(|(id, &number)| row(id, number)).collect();
    let mut next_id = customers.len();
    let sandbox =
        sandbox_with(Data { tolt: tolt::Data { customers, ..tolt::Data::default() }, ..Data::default() }).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let vendor = sandbox.tolt();
    let question =
        format!("/customers?connection=affiliates&order={}", if scenario.ascending { "asc" } else { "desc" });

    let before: Vec<_> = vendor.customers();
    let mut gone = BTreeSet::new();
    let mut seen: Vec<String> = Vec::new();
    let mut cursor: Option<String> = None;
    let mut pages = scenario.pages.iter().cycle();
    let mut turns = scenario.turns_back.iter().cycle();
    // A background refresh may change cached pages between two requests.
    let mut refreshing = false;
    for step in 0.. {
        assert!(step < 2_000, "the walk does not end");
        let (limit, events) = pages.next().unwrap();
        let mut shown = page(&gateway, &question, *limit, cursor.as_deref()).await;
        if *turns.next().unwrap()
            && let Some(prev) = shown["page"]["prev_cursor"].as_str()
        {
            let back = page(&gateway, &question, *limit, Some(prev)).await;
            assert!(ids(&back).iter().all(|id| !ids(&shown).contains(id)), "a page and the previous page share rows");
            if let Some(next) = back["page"]["next_cursor"].as_str() {
                let again = page(&gateway, &question, *limit, Some(next)).await;
                if !refreshing {
                    assert_eq!(ids(&again), ids(&shown), "a page changed after going back and returning");
                }
                shown = again;
            }
        }
        let shown_ids: Vec<_> = ids(&shown).iter().map(|id| id.replace("affiliates.", "")).collect();
        seen.extend(shown_ids.iter().cloned());
        cursor = shown["page"]["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
        for event in events {
            let target = match event {
                Event::Insert(number) => {
                    vendor.insert(row(next_id, *number));
                    next_id += 1;
                    None
                }
                Event::Delete(index) => {
                    let rows = vendor.customers();
                    (!rows.is_empty()).then(|| rows[index.index(rows.len())].id.clone())
                }
                Event::DeleteLastSeen => shown_ids.last().cloned(),
                Event::DeleteFirstSeen => shown_ids.first().cloned(),
                Event::Refetch => {
                    let first = |client: &reqwest::Client, url: &str| {
                        client.get(format!("{url}{question}&limit=100")).header("cache-control", "no-cache")
                    };
                    gateway.request(first).await.ok();
                    None
                }
                Event::Stale => {
                    gateway.clock.advance(Duration::from_mins(1));
                    refreshing = true;
                    None
                }
                Event::Expire => {
                    gateway.clock.advance(Duration::from_hours(1));
                    refreshing = false;
                    None
                }
            };
            if let Some(id) = target {
                vendor.delete(&id);
                gone.insert(id);
            }
        }
    }

    let unique: BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "a row was listed twice");
    let mut stood: Vec<_> = before.iter().map(|row| row.id.clone()).filter(|id| !gone.contains(id)).collect();
    if !scenario.ascending {
        stood.reverse();
    }
    let shown: Vec<_> = seen.into_iter().filter(|id| stood.contains(id)).collect();
    assert_eq!(shown, stood, "lasting rows must be listed once each and in order");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lasting_rows_are_listed_once_in_order(scenario in scenario()) {
        Runtime::new().unwrap().block_on(check(scenario));
    }
}
