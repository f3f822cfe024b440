//! Selective questions, which search all connections at once: each page
//! continues every source exactly where the page before stopped, both ways.

use std::cell::Cell;

use proptest::{prelude::*, sample::select};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    super::{cursor, oracle::Filter},
    Bits, CONNECTIONS, EXTERNAL_IDS, ListQuery, NAMES, Stage, Step, question, rows, stage, step,
};
use crate::support::ids;

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![2 => 1..=4_usize, 1 => 5..=100_usize]
}

/// Generates a query with one of the selective filters, and rarely another.
fn selective() -> impl Strategy<Value = ListQuery> {
    let filters = prop_oneof![
        select(&["JIM@example.com", "pam@acme.test"][..])
            .prop_map(|email| Filter { email: Some(email), ..Filter::default() }),
        select(&EXTERNAL_IDS[..]).prop_map(|id| Filter { external_id: Some(id), ..Filter::default() }),
        select(&NAMES[..]).prop_map(|name| Filter { name: Some(name), ..Filter::default() }),
    ];
    (question(), filters).prop_map(|(question, filter)| ListQuery {
        named: Vec::new(),
        filter: Filter { gte: question.filter.gte, status: question.filter.status, ..filter },
        order: None,
        is_lenient: true,
    })
}

/// Number of rows of each source before a gap.
type Place = Vec<usize>;

struct Walker<'s> {
    stage: &'s Stage,
    question: &'s ListQuery,
    /// Matching rows of each source, in its own order.
    parts: Vec<Vec<String>>,
    /// Maximum number of calls of earlier pages that have not arrived at a vendor. A full
    /// page does not wait for calls that it does not require.
    max_late_calls: Cell<u64>,
}

impl Walker<'_> {
    /// Fetches the rows next to a gap, and checks them. Returns the gap after
    /// them.
    async fn page(&self, step: &Step, at: &Place, cursor: Option<&str>, is_back: bool) -> (Value, Place) {
        let calls = step.max_calls.map(|calls| format!("&max_calls={calls}")).unwrap_or_default();
        let rest = format!("limit={}{calls}", step.limit);
        let before = self.stage.calls();
        let page = self.stage.get_page(self.question, &rest, cursor).await.ok();
        let shown = ids(&page);
        self.check_calls(step, self.stage.calls() - before, shown.len() == step.limit);
        let place = |id: &String| CONNECTIONS.iter().position(|name| id.split_once('.').unwrap().0 == *name).unwrap();
        assert!(shown.is_sorted_by_key(place), "rows are grouped by connection: {shown:?}");
        let mut to = at.clone();
        for (part, to) in self.parts.iter().zip(&mut to) {
            let mine: Vec<_> = shown.iter().filter(|id| part.contains(id)).cloned().collect();
            let range = if is_back { *to - mine.len()..*to } else { *to..*to + mine.len() };
            *to = if is_back { range.start } else { range.end };
            assert_eq!(part.get(range), Some(&mine[..]), "the rows of {part:?}");
        }
        let is_end = if is_back { to.iter().all(|&rows| rows == 0) } else { to == self.end() };
        assert!(shown.len() <= step.limit);
        let statuses: Vec<_> = page["sources"].as_array().unwrap().iter().map(|source| &source["status"]).collect();
        let is_spent = statuses.iter().any(|status| *status == "partial");
        assert!(shown.len() == step.limit || is_end || is_spent, "a page is short without a reason: {statuses:?}");
        let leads_on = page["page"][if is_back { "prev_cursor" } else { "next_cursor" }].is_string();
        assert!(leads_on || is_end && !is_spent, "the walk ends too early");
        (page, to)
    }

    /// Checks the calls since the page before: at most the limit of this page, and late
    /// calls of earlier pages.
    fn check_calls(&self, step: &Step, calls: u64, is_full: bool) {
        let late = self.max_late_calls.get();
        let allowed = u64::from(step.max_calls.unwrap_or(20)) + late;
        assert!(calls <= allowed, "{calls} calls, at most {allowed} allowed");
        // A source has at most one call in flight. A page that is not full waits for its own.
        let sources = self.parts.len() as u64;
        self.max_late_calls.set((allowed - calls).min(if is_full { sources } else { late }));
    }

    /// Returns the gap after all rows.
    fn end(&self) -> Place {
        self.parts.iter().map(Vec::len).collect()
    }
}

async fn check(rows: [Vec<Bits>; 4], question: ListQuery, steps: Vec<Step>) {
    let stage = stage(&rows).start().await;
    let supported = question.supported_by();
    let parts = supported.iter().map(|&at| stage.source(at).part(&question.filter, None)).collect();
    let walker = Walker { stage: &stage, question: &question, parts, max_late_calls: Cell::new(0) };
    let mut steps = steps.iter().cycle();
    let mut at = vec![0; supported.len()];
    let mut page = None;
    for number in 0.. {
        assert!(number < 3_000, "the walk does not end");
        let step = steps.next().unwrap();
        if step.forgets {
            stage.expire_cache();
        }
        let next = page.as_ref().and_then(|page| cursor(page, "next_cursor"));
        if page.is_some() && next.is_none() {
            break;
        }
        let start = at;
        let (mut here, mut to) = walker.page(step, &start, next.as_deref(), false).await;
        if step.turns_back
            && let Some(prev) = cursor(&here, "prev_cursor")
        {
            let (back, before) = walker.page(step, &start, Some(&prev), true).await;
            // The page before leads forward from the gap before this page.
            if let Some(next) = cursor(&back, "next_cursor") {
                assert!(before.iter().zip(&start).all(|(before, start)| before <= start));
                (here, to) = walker.page(step, &start, Some(&next), false).await;
            }
        }
        (page, at) = (Some(here), to);
    }
    assert_eq!(at, walker.end());

    let mut page = page.unwrap();
    for id in ids(&page) {
        let part = walker.parts.iter().position(|part| part.contains(&id)).unwrap();
        at[part] -= 1;
    }
    for number in 0.. {
        assert!(number < 3_000, "the backward walk does not end");
        let Some(prev) = cursor(&page, "prev_cursor") else { break };
        (page, at) = walker.page(steps.next().unwrap(), &at, Some(&prev), true).await;
    }
    assert!(at.iter().all(|&rows| rows == 0), "the backward walk has reached the beginning");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn selective_pages_continue_every_source(
        rows in rows(),
        question in selective(),
        steps in prop::collection::vec(step(limit()), 1..8),
    ) {
        Runtime::new().unwrap().block_on(check(rows, question, steps));
    }
}

/// A page of another request serves a walk, expires, and the walk turns back. Found
/// by the property above.
#[test]
fn walk_back_from_another_requests_page() {
    let rows: [Vec<Bits>; 4] = [
        vec![],
        vec![
            18740, 63281, 58649, 14949, 6209, 54889, 37571, 45113, 53071, 24491, 390, 40020, 46816, 53051, 24533,
            49485, 3496, 32523, 5788, 45877, 53499, 61927, 18899, 36483, 48828, 8564, 41915, 24397, 52954, 25366,
            25519, 12619, 42962, 45463, 12328, 27551, 61099, 52074, 20304, 1538, 7193, 8453, 24232, 43501, 3800, 31483,
            30324, 26567, 1091, 25891, 24751, 48436, 45430, 6751, 10208, 45577, 50275, 9778, 39082, 58749, 18476,
            35744, 41592, 10232, 33241, 8135, 1932, 47659, 44415, 61934, 51436, 831, 28353, 22458, 45978, 14813, 28980,
            4301, 5701, 25186, 23082, 22121, 20000, 25561, 41042, 54007, 45193, 17153, 13480, 4808, 24912, 32068,
            50988, 21998, 4450, 26559, 46144, 41910, 719, 42, 41511, 10307, 24482, 64973,
        ],
        vec![64030, 4083, 12711, 46842, 55181, 33938, 28303, 6944, 22797, 56843, 56186, 38076, 52941],
        vec![7187, 50562],
    ];
    let question = ListQuery {
        named: Vec::new(),
        filter: Filter { external_id: Some("crm=3"), ..Filter::default() },
        order: None,
        is_lenient: true,
    };
    let step = |limit, max_calls, turns_back, forgets| Step { limit, max_calls, turns_back, forgets, has_lists: false };
    let steps = vec![
        step(1, Some(3), false, false),
        step(41, Some(1), false, false),
        step(2, None, true, false),
        step(4, None, false, true),
    ];
    Runtime::new().unwrap().block_on(check(rows, question, steps));
}
