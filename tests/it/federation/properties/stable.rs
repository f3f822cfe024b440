//! Walks over unchanged rows: every page is exactly the oracle's, forward and
//! backward, at any cost. [`super::concurrent`] tests selective questions.

use std::{sync::Arc, time::Duration};

use customer_gateway::{
    config::Config,
    copies::{ListCopy, Stored, SyncSettings},
    domain::query::Resource,
};
use proptest::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    super::{cursor, oracle},
    Bits, ListQuery, Stage, Step, kind, question, rows, stage, step,
};
use crate::support::ids;

/// Rows of a vendor call, at most.
const PAGE: usize = 100;
/// Calls of a request, unless `max_calls` is lower.
const DEFAULT_CALLS: u32 = 20;

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 1..=9_usize, 2 => 10..=100_usize]
}

/// A walk that knows its position in the oracle's list.
struct Walker<'s> {
    stage: &'s Stage,
    question: &'s ListQuery,
    expected: Vec<String>,
    /// Expected total of each connection.
    counts: Vec<usize>,
}

impl Walker<'_> {
    /// Fetches the rows next to a position in the list, and checks them.
    async fn page(&self, step: &Step, at: usize, cursor: Option<&str>, is_back: bool) -> (Value, usize) {
        let page = self.fetch(step, cursor).await;
        self.check_totals(&page);
        let shown = ids(&page);
        let (expected, to, is_end) = if is_back {
            let to = at.checked_sub(shown.len()).expect("more rows than there are");
            (self.expected.get(to..at), to, to == 0)
        } else {
            let to = at + shown.len();
            (self.expected.get(at..to), to, to == self.expected.len())
        };
        assert_eq!(Some(&shown[..]), expected, "the rows at position {at} of {}", self.expected.len());

        let statuses: Vec<_> = page["sources"].as_array().unwrap().iter().map(|source| &source["status"]).collect();
        let is_spent = statuses.iter().any(|status| *status == "partial");
        assert!(shown.len() == step.limit || is_end || is_spent, "a page is short without a reason: {statuses:?}");
        let leads_on = page["page"][if is_back { "prev_cursor" } else { "next_cursor" }].is_string();
        assert!(leads_on || is_end, "the walk ends too early");
        assert!(leads_on || !is_spent, "the budget was spent, and the walk ends");
        (page, to)
    }

    /// Fetches the page, with the default budget if the step's budget is too
    /// low.
    async fn fetch(&self, step: &Step, cursor: Option<&str>) -> Value {
        let limit = format!("limit={}", step.limit);
        let Some(max_calls) = step.max_calls else {
            return self.try_fetch(&limit, DEFAULT_CALLS, cursor).await.unwrap();
        };
        let rest = format!("{limit}&max_calls={max_calls}");
        match self.try_fetch(&rest, max_calls, cursor).await {
            Some(page) => page,
            None => self.try_fetch(&limit, DEFAULT_CALLS, cursor).await.unwrap(),
        }
    }

    /// Fetches the page, or returns `None` if its order costs too much.
    async fn try_fetch(&self, rest: &str, allowed: u32, cursor: Option<&str>) -> Option<Value> {
        let before = self.stage.calls();
        let answer = self.stage.get_page(self.question, rest, cursor).await;
        let cost = self.stage.calls() - before;
        assert!(cost <= u64::from(allowed), "{cost} calls, of {allowed} allowed");
        if answer.status == 422 {
            assert_eq!(answer.code(422), "order_too_expensive");
            assert!(self.question.order.is_some() && self.cost_of_order() > allowed, "rejected without a reason");
            return None;
        }
        Some(answer.ok())
    }

    /// Returns the cost of an uncached first page: all rows of each unordered
    /// vendor, and a page of each ordered vendor.
    fn cost_of_order(&self) -> u32 {
        let cost = |&at: &usize| match kind(at) {
            super::VendorKind::Tolt => 1,
            super::VendorKind::Corporation => self.stage.source(at).rows.len().div_ceil(PAGE).max(1),
        };
        self.question.supported_by().iter().map(cost).sum::<usize>().try_into().unwrap()
    }

    /// Checks every total that is given.
    fn check_totals(&self, page: &Value) {
        if let Some(total) = page["page"]["total"].as_u64() {
            assert_eq!(total, self.expected.len() as u64, "a total that is given is exact");
        }
        let honoured = self.question.supported_by();
        let sources = page["sources"].as_array().unwrap();
        assert_eq!(sources.len(), self.question.connections().len());
        for (at, source) in self.question.connections().into_iter().zip(sources) {
            assert_eq!(source["connection"], super::CONNECTIONS[at]);
            let place = honoured.iter().position(|&honoured| honoured == at);
            assert_eq!(place.is_none(), source["status"] == "skipped");
            if let (Some(total), Some(place)) = (source["total"].as_u64(), place) {
                assert_eq!(total, self.counts[place] as u64, "a source's total that is given is exact");
            }
        }
    }
}

/// Settings of stored lists that are walked once.
fn sync(config: &mut Config) {
    for connection in &mut config.connections {
        connection.sync = Some(SyncSettings {
            every: Duration::from_hours(100_000),
            newest: None,
            budget: 1.0,
            max_age: Duration::from_hours(100_000),
            max_bytes: SyncSettings::DEFAULT_MAX_BYTES,
            resources: vec![Resource::Customers],
            snapshot: None,
        });
    }
}

/// Complete lists, which answer only while they are stored.
struct Lists(Vec<(Arc<ListCopy>, Arc<Stored>)>);

impl Lists {
    async fn of(stage: &Stage) -> Self {
        stage.gateway.synchronized().await;
        let lists = stage.gateway.stored_lists().await;
        Self(lists.into_iter().map(|list| (Arc::clone(&list), list.stored().unwrap())).collect())
    }

    fn enable(&self, are_enabled: bool) {
        for (list, stored) in &self.0 {
            list.store(are_enabled.then(|| Arc::clone(stored)));
        }
    }
}

async fn check(rows: [Vec<Bits>; 4], question: ListQuery, steps: Vec<Step>) {
    let has_lists = steps.iter().any(|step| step.has_lists);
    let stage = stage(&rows)
        .configure(|config| {
            if has_lists {
                sync(config);
            }
        })
        .start()
        .await;
    let lists = Lists::of(&stage).await;
    // The corporation vendor's own search covers names only.
    if has_lists && question.filter.search.is_some() && question.connections().iter().any(|at| at % 2 == 0) {
        return;
    }
    if question.is_refused() {
        let refused = stage.get_page(&question, "limit=10", None).await;
        assert_eq!(refused.code(400), "unsupported_filter");
        return;
    }
    if question.is_concurrent() {
        return;
    }
    let sources: Vec<_> = question.supported_by().into_iter().map(|at| stage.source(at)).collect();
    let walker = Walker {
        stage: &stage,
        question: &question,
        expected: oracle::list(&sources, &question.filter, question.order),
        counts: sources.iter().map(|source| source.part(&question.filter, question.order).len()).collect(),
    };

    let mut steps = steps.iter().cycle();
    lists.enable(steps.clone().next().unwrap().has_lists);
    let (mut page, mut at) = walker.page(steps.next().unwrap(), 0, None, false).await;
    for number in 0.. {
        assert!(number < 3_000, "the walk does not end");
        let step = steps.next().unwrap();
        lists.enable(step.has_lists);
        if step.forgets {
            stage.expire_cache();
        }
        if step.turns_back
            && let Some(prev) = cursor(&page, "prev_cursor")
        {
            // A page leads back to the gap before its first row, and the page
            // before it leads forward from the same gap.
            let start = at - ids(&page).len();
            let (back, _) = walker.page(step, start, Some(&prev), true).await;
            let next = cursor(&back, "next_cursor").expect("a page was here");
            (page, at) = walker.page(step, start, Some(&next), false).await;
        }
        let Some(next) = cursor(&page, "next_cursor") else { break };
        (page, at) = walker.page(step, at, Some(&next), false).await;
    }
    assert_eq!(at, walker.expected.len(), "the walk has reached the end");

    at -= ids(&page).len();
    for number in 0.. {
        assert!(number < 3_000, "the backward walk does not end");
        let step = steps.next().unwrap();
        lists.enable(step.has_lists);
        let Some(prev) = cursor(&page, "prev_cursor") else { break };
        (page, at) = walker.page(step, at, Some(&prev), true).await;
    }
    assert_eq!(at, 0, "the backward walk has reached the beginning");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn walk_pages_match_the_oracle_both_ways(
        rows in rows(),
        question in question(),
        steps in prop::collection::vec(step(limit()), 1..8),
    ) {
        Runtime::new().unwrap().block_on(check(rows, question, steps));
    }

    /// Lists appear and disappear between the pages of a walk.
    #[test]
    fn walk_continues_in_and_out_of_stored_lists(
        rows in rows(),
        question in question(),
        steps in prop::collection::vec((step(limit()), any::<bool>()), 1..8),
    ) {
        let steps = steps.into_iter().map(|(step, has_lists)| Step { has_lists, ..step }).collect();
        Runtime::new().unwrap().block_on(check(rows, question, steps));
    }
}
