//! Walks over Tolt's lists while rows come and go, against an oracle that
//! knows nothing of paging.

use std::{collections::BTreeSet, time::Duration};

use customer_gateway::sandbox::{Data, tolt};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::page;
use crate::support::{Gateway, config, connections_to, ids, sandbox_with};

/// What happens between two pages of a walk.
#[derive(Debug, Clone)]
enum Event {
    /// A row comes, at one of the instants.
    Insert(u32),
    /// The row at this share of the list goes.
    Delete(prop::sample::Index),
    /// The last row that was shown goes, which the walk leans on.
    DeleteLastSeen,
    /// The first row of the page that was shown goes.
    DeleteFirstSeen,
    /// Everything kept is stale, and fetched anew behind the walk's back.
    Stale,
    /// Everything kept is too stale to be used.
    Expire,
}

#[derive(Debug, Clone)]
struct Scenario {
    ascending: bool,
    /// The instants of the rows at the beginning: few, so that many are equal.
    rows: Vec<u32>,
    /// A limit, and what happens after that page; repeated to the end.
    pages: Vec<(usize, Vec<Event>)>,
    /// Now and then the walk takes a page back and comes again.
    turns_back: Vec<bool>,
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let event = prop_oneof![
        3 => (0..60_u32).prop_map(Event::Insert),
        3 => any::<prop::sample::Index>().prop_map(Event::Delete),
        2 => Just(Event::DeleteLastSeen),
        1 => Just(Event::DeleteFirstSeen),
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

/// The instant of a number, in one of Tolt's spellings.
fn instant(number: u32) -> String {
    let start: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let instant = start.checked_add(SignedDuration::from_micros(i64::from(number) * 700)).unwrap();
    if number.is_multiple_of(2) { format!("{instant:.6}").replace('Z', "+00:00") } else { format!("{instant:.6}") }
}

fn row(id: usize, number: u32) -> tolt::Customer {
    // Ids in an order of their own, so that ties are not in order of arrival.
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
    // Whether what is kept may change between two requests: a refresh lands.
    let mut refreshing = false;
    for step in 0.. {
        assert!(step < 2_000, "the walk does not end");
        let (limit, events) = pages.next().unwrap();
        let mut shown = page(&gateway, &question, *limit, cursor.as_deref()).await;
        if *turns.next().unwrap()
            && let Some(prev) = shown["page"]["prev_cursor"].as_str()
        {
            let back = page(&gateway, &question, *limit, Some(prev)).await;
            assert!(ids(&back).iter().all(|id| !ids(&shown).contains(id)), "a page and the one before share rows");
            if let Some(next) = back["page"]["next_cursor"].as_str() {
                let again = page(&gateway, &question, *limit, Some(next)).await;
                if !refreshing {
                    assert_eq!(ids(&again), ids(&shown), "nothing changed on the way back and forth");
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
    assert_eq!(unique.len(), seen.len(), "a row was shown twice");
    let mut stood: Vec<_> = before.iter().map(|row| row.id.clone()).filter(|id| !gone.contains(id)).collect();
    if !scenario.ascending {
        stood.reverse();
    }
    let shown: Vec<_> = seen.into_iter().filter(|id| stood.contains(id)).collect();
    assert_eq!(shown, stood, "the rows that stood throughout, once each and in order");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_that_stood_throughout_is_shown_exactly_once_and_in_order(scenario in scenario()) {
        Runtime::new().unwrap().block_on(check(scenario));
    }
}
