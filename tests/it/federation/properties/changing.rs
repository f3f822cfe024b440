//! Walks while vendors fail and rows come and go: every row that is present
//! throughout is listed exactly once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use customer_gateway::sandbox::Fault;
use proptest::{option, prelude::*, sample::select};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    super::{cursor, oracle},
    Bits, ListQuery, Stage, VendorKind, corporation_row, kind, question, rows, stage, tolt_row,
};
use crate::support::ids;

/// Number of a walk's pages that are followed by events.
const PAGES_WITH_EVENTS: usize = 30;

/// An event between two pages.
#[derive(Debug, Clone)]
enum Event {
    /// The vendor of connection `.0` fails for `.1` calls.
    Fail(usize, usize, Fault),
    /// A row is inserted.
    Insert(usize, Bits),
    /// The row at this index of a connection's list is deleted.
    Delete(usize, prop::sample::Index),
    /// The last shown row is deleted, which the walk's position refers to.
    DeleteLastSeen,
    /// Every cached page becomes stale, and is refreshed in the background.
    Stale,
    /// Every cached page expires.
    Forget,
}

/// One page of a walk, and the events after it.
#[derive(Debug, Clone)]
struct Step {
    limit: usize,
    max_calls: Option<u32>,
    allows_partial: bool,
    turns_back: bool,
    events: Vec<Event>,
}

/// Generates a vendor failure that is not retried and not counted by the
/// breaker, so each fault is one call.
fn fault() -> impl Strategy<Value = Event> {
    let faults = [Fault::Empty, Fault::Truncated, Fault::Status(401), Fault::Status(403)];
    (0..4_usize, 1..4_usize, select(faults.to_vec())).prop_map(|(at, calls, fault)| Event::Fail(at, calls, fault))
}

fn change() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..4_usize, any::<Bits>()).prop_map(|(at, bits)| Event::Insert(at, bits)),
        3 => (0..4_usize, any::<prop::sample::Index>()).prop_map(|(at, index)| Event::Delete(at, index)),
        2 => Just(Event::DeleteLastSeen),
        1 => Just(Event::Stale),
        2 => Just(Event::Forget),
    ]
}

fn step(
    event: impl Strategy<Value = Event>,
    max_calls: impl Strategy<Value = Option<u32>>,
) -> impl Strategy<Value = Step> {
    let limit = prop_oneof![1 => 1..=9_usize, 2 => 10..=100_usize];
    let events = prop::collection::vec(event, 0..4);
    (limit, max_calls, prop::bool::weighted(0.7), prop::bool::weighted(0.2), events).prop_map(
        |(limit, max_calls, allows_partial, turns_back, events)| Step {
            limit,
            max_calls,
            allows_partial,
            turns_back,
            events,
        },
    )
}

/// State of a walk.
struct Walker<'s> {
    stage: &'s Stage,
    question: &'s ListQuery,
    /// A source was omitted from a page, so its rows may follow out of order.
    omitted: bool,
    /// Upper bound of the vendor calls that will still fail.
    failing_calls: usize,
}

impl Walker<'_> {
    /// Fetches a page, and repeats the request while it fails. Each failure
    /// consumes at least one of the calls that were set to fail.
    async fn page(&mut self, step: &Step, cursor: Option<&str>) -> Value {
        let partial = if step.allows_partial { "&partial=allow" } else { "" };
        let mut max_calls = step.max_calls.map(|calls| format!("&max_calls={calls}")).unwrap_or_default();
        loop {
            let rest = format!("limit={}{partial}{max_calls}", step.limit);
            let answer = self.stage.get_page(self.question, &rest, cursor).await;
            match answer.status {
                200 => {
                    let page = answer.json();
                    self.check(&page, step);
                    return page;
                }
                422 => {
                    assert_ne!(max_calls, "", "{}", answer.text);
                    max_calls.clear();
                }
                status => {
                    assert_eq!(status, 502, "{}", answer.text);
                    assert_ne!(self.failing_calls, 0, "a vendor failed more often than it was set to: {}", answer.text);
                    self.failing_calls -= 1;
                    let problem = answer.problem();
                    if step.allows_partial {
                        // No source contributed, so the client waits.
                        assert_ne!(answer.header("retry-after"), "", "{}", answer.text);
                        self.omitted = true;
                    }
                    assert!(problem["connection"].is_string(), "{}", answer.text);
                }
            }
        }
    }

    fn check(&mut self, page: &Value, step: &Step) {
        let failed: Vec<_> =
            page["sources"].as_array().unwrap().iter().filter(|source| source["status"] == "failed").collect();
        assert!(failed.is_empty() || step.allows_partial);
        if !failed.is_empty() {
            self.omitted = true;
            assert!(page["page"]["total"].is_null(), "the total of a failed source is unknown");
            assert!(page["page"]["next_cursor"].is_string(), "the failed source's position is kept");
            assert!(failed.iter().all(|source| source["problem"]["status"] == 502), "{failed:?}");
        }
    }
}

async fn check(rows: [Vec<Bits>; 4], question: ListQuery, steps: Vec<Step>) {
    let stage = stage(&rows).start().await;
    let question = ListQuery { is_lenient: true, ..question };
    let honoured = question.supported_by();
    if honoured.is_empty() {
        return;
    }
    let sources = || honoured.iter().map(|&at| stage.source(at)).collect::<Vec<_>>();
    let parts = |sources: &[oracle::Source]| -> Vec<Vec<String>> {
        sources.iter().map(|source| source.part(&question.filter, question.order)).collect()
    };
    let before = sources();
    let mut gone = BTreeSet::new();
    let mut arrivals = BTreeMap::from([(0, 5_000), (1, 5_000), (2, 5_000), (3, 5_000)]);
    let mut seen: Vec<String> = Vec::new();

    let mut walker = Walker { stage: &stage, question: &question, omitted: false, failing_calls: 0 };
    let mut at: Option<String> = None;
    let mut steps = steps.iter().cycle();
    for number in 0.. {
        assert!(number < 3_000, "the walk does not end");
        let step = steps.next().unwrap();
        let mut page = walker.page(step, at.as_deref()).await;
        if step.turns_back
            && let Some(prev) = cursor(&page, "prev_cursor")
        {
            let back = walker.page(step, Some(&prev)).await;
            assert!(ids(&back).iter().all(|id| !ids(&page).contains(id)), "a page and the previous page share rows");
            if let Some(next) = cursor(&back, "next_cursor") {
                page = walker.page(step, Some(&next)).await;
            }
        }
        let shown = ids(&page);
        seen.extend(shown.iter().cloned());
        at = cursor(&page, "next_cursor");
        if at.is_none() {
            break;
        }
        // All failures end: a source that fails at every page is never walked
        // to its end.
        for event in step.events.iter().filter(|_| number < PAGES_WITH_EVENTS) {
            if let Event::Fail(_, calls, _) = event {
                walker.failing_calls += calls;
            }
            apply(&stage, &question, event, &shown, &mut arrivals, &mut gone);
        }
    }

    let unique: BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "a row was shown twice");
    let stood = |ids: Vec<String>| ids.into_iter().filter(|id| !gone.contains(id)).collect::<Vec<_>>();
    for (source, part) in before.iter().zip(parts(&before)) {
        let part = stood(part);
        let shown: Vec<_> = seen.iter().filter(|id| part.contains(id)).cloned().collect();
        assert_eq!(shown, part, "each row of {} once, in order", source.connection);
    }
    if !walker.omitted && !question.is_concurrent() {
        let list = stood(oracle::list(&before, &question.filter, question.order));
        let shown: Vec<_> = seen.into_iter().filter(|id| list.contains(id)).collect();
        assert_eq!(shown, list, "all rows, in the order of the whole list");
    }
}

fn apply(
    stage: &Stage,
    question: &ListQuery,
    event: &Event,
    shown: &[String],
    arrivals: &mut BTreeMap<usize, usize>,
    gone: &mut BTreeSet<String>,
) {
    // While rows change, a walk over an unordered vendor is exact only in the
    // gateway's order.
    let may_change = |at: usize| kind(at) == VendorKind::Tolt || question.order.is_some();
    let delete = |gone: &mut BTreeSet<String>, at: usize, gateway_id: &str| {
        if may_change(at) {
            let vendor_id = gateway_id.split_once('.').unwrap().1;
            let sandbox = stage.vendors.sandbox(at);
            let deleted = match kind(at) {
                VendorKind::Tolt => sandbox.tolt().delete(vendor_id),
                VendorKind::Corporation => sandbox.corporation().delete(vendor_id),
            };
            if deleted {
                gone.insert(gateway_id.to_owned());
            }
        }
    };
    match event {
        Event::Fail(at, calls, fault) => match kind(*at) {
            VendorKind::Tolt => stage.vendors.sandbox(*at).tolt().fail_next(*calls, fault.clone()),
            VendorKind::Corporation => stage.vendors.sandbox(*at).corporation().fail_next(*calls, fault.clone()),
        },
        Event::Insert(at, bits) if may_change(*at) => {
            let number = arrivals.get_mut(at).unwrap();
            *number += 1;
            match kind(*at) {
                VendorKind::Tolt => stage.vendors.sandbox(*at).tolt().insert(tolt_row(*number, *bits)),
                VendorKind::Corporation => {
                    stage.vendors.sandbox(*at).corporation().insert(corporation_row(*number, *bits));
                }
            }
        }
        Event::Insert(..) => {}
        Event::Delete(at, index) => {
            let rows = stage.source(*at).rows;
            if !rows.is_empty() {
                delete(gone, *at, &rows[index.index(rows.len())].id);
            }
        }
        Event::DeleteLastSeen => {
            if let Some(last) = shown.last() {
                let connection = last.split_once('.').unwrap().0;
                let at = super::CONNECTIONS.iter().position(|name| *name == connection).unwrap();
                delete(gone, at, last);
            }
        }
        Event::Stale => stage.gateway.clock.advance(Duration::from_mins(1)),
        Event::Forget => stage.expire_cache(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_listed_once_despite_failures(
        rows in rows(),
        question in question(),
        steps in prop::collection::vec(
            step(prop_oneof![3 => fault(), 1 => Just(Event::Forget)], option::weighted(0.3, 1..=5_u32)),
            1..8,
        ),
    ) {
        Runtime::new().unwrap().block_on(check(rows, question, steps));
    }

    #[test]
    fn every_lasting_row_is_listed_once_amid_changes(
        rows in rows(),
        question in question(),
        steps in prop::collection::vec(
            step(prop_oneof![1 => fault(), 5 => change()], option::weighted(0.1, 2..=5_u32)),
            1..8,
        ),
    ) {
        Runtime::new().unwrap().block_on(check(rows, question, steps));
    }
}
