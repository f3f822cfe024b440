//! Property tests of walks against the oracle: random data, filters, orders,
//! limits, budgets and turns.

mod changing;
mod concurrent;
mod stable;

use std::time::Duration;

use customer_gateway::{
    config::Connection,
    sandbox::{Data, Field, Options, Sandbox, corporation, tolt},
};
use jiff::Timestamp;
use proptest::{option, prelude::*, sample::select};

use super::{
    FIRST_DAY,
    oracle::{Filter, Order, Source, VendorKind},
};
use crate::support::{self, Answer, StageBuilder, Vendors, connections_to, query};

/// The connections, in the configuration's order. As text, `tax-eu.` sorts
/// before `tax.`, but `tax` sorts before `tax-eu`.
const CONNECTIONS: [&str; 4] = ["tax", "affiliates", "tax-eu", "partners"];
const NAMES: [&str; 3] = ["Acme", "acme corp", "Zoë & Co, \"Œuvre\""];
const EMAILS: [&str; 3] = ["Jim@Example.com", "jim@example.com", "pam@acme.test"];
const EXTERNAL_IDS: [&str; 3] = ["crm/1", "crm 2%", "crm=3"];
const STATUSES: [&str; 2] = ["active", "lead"];
const PLATFORMS: [&str; 2] = ["stripe", "shopify"];

/// Two sandboxes of both vendors, with the same ids.
struct TwoSandboxes([Sandbox; 2]);

type Stage = support::Stage<TwoSandboxes>;

/// A query over some of the connections.
#[derive(Debug, Clone)]
struct ListQuery {
    /// Named connections, in this order. Empty means all.
    named: Vec<usize>,
    filter: Filter,
    order: Option<Order>,
    is_lenient: bool,
}

/// One page of a walk.
#[derive(Debug, Clone)]
struct Step {
    limit: usize,
    max_calls: Option<u32>,
    /// The walk goes back a page and forward again.
    turns_back: bool,
    /// Cached pages expire before the page.
    forgets: bool,
    /// Stored lists may answer.
    has_lists: bool,
}

fn step(limit: impl Strategy<Value = usize>) -> impl Strategy<Value = Step> {
    (limit, option::weighted(0.4, 1..=5_u32), prop::bool::weighted(0.25), prop::bool::weighted(0.15)).prop_map(
        |(limit, max_calls, turns_back, forgets)| Step { limit, max_calls, turns_back, forgets, has_lists: false },
    )
}

/// A row in two bytes, which makes equal and null fields frequent.
type Bits = u16;

/// Generates the rows of each connection.
fn rows() -> impl Strategy<Value = [Vec<Bits>; 4]> {
    let list = || {
        prop_oneof![
            5 => prop::collection::vec(any::<Bits>(), 0..14),
            2 => prop::collection::vec(any::<Bits>(), 90..230),
        ]
    };
    [list(), list(), list(), list()]
}

fn filter() -> impl Strategy<Value = Filter> {
    let rarely = |values: &'static [&'static str]| option::weighted(0.12, select(values));
    let hour = || option::weighted(0.15, 0..16_i64);
    (
        (rarely(&STATUSES), rarely(&PLATFORMS), rarely(&NAMES), rarely(&["ACME", "ë", "œuvre", "@"])),
        (rarely(&["JIM@example.com", "pam@acme.test"]), rarely(&EXTERNAL_IDS), hour(), hour()),
    )
        .prop_map(|((status, source_platform, name, search), (email, external_id, one, other))| {
            let (gte, lte) = match (one, other) {
                (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
                either => either,
            };
            Filter { status, source_platform, name, search, email, external_id, gte, lte }
        })
}

fn question() -> impl Strategy<Value = ListQuery> {
    let named = prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::sample::subsequence(vec![0, 1, 2, 3], 1..=4).prop_shuffle(),
    ];
    let order = prop_oneof![1 => Just(None), 1 => Just(Some(Order::Asc)), 1 => Just(Some(Order::Desc))];
    let is_lenient = prop::bool::weighted(0.8);
    (named, filter(), order, is_lenient).prop_map(|(named, filter, order, is_lenient)| ListQuery {
        named,
        filter,
        order,
        is_lenient,
    })
}

fn pick<const N: usize>(values: [&str; N], bits: Bits) -> Field<String> {
    match usize::from(bits) % (N + 1) {
        0 => Field::Null,
        at => values[at - 1].into(),
    }
}

/// Returns ids in an order of their own, so ties are not in order of arrival.
fn id(number: usize) -> String {
    format!("cust_{:04}", number * 7_919 % 10_000)
}

fn tolt_row(number: usize, bits: Bits) -> tolt::Customer {
    let created = Timestamp::from_second(FIRST_DAY + i64::from(bits & 15) * 3_600).unwrap();
    tolt::Customer {
        name: pick(NAMES, bits >> 4),
        email: pick(EMAILS, bits >> 6),
        customer_id: pick(EXTERNAL_IDS, bits >> 8),
        status: pick(STATUSES, bits >> 10),
        ..tolt::Customer::new(&id(number), &created.to_string())
    }
}

fn corporation_row(number: usize, bits: Bits) -> corporation::Customer {
    let hour = i64::from(bits & 15);
    corporation::Customer {
        name: pick(NAMES, bits >> 4),
        email: pick(EMAILS, bits >> 6),
        external_id: pick(EXTERNAL_IDS, bits >> 8),
        source_platform: pick(PLATFORMS, bits >> 10),
        created_at: (hour > 0).then_some(FIRST_DAY + hour * 3_600).into(),
        ..corporation::Customer::new(&id(number), "", 0)
    }
}

/// Returns a stage with these rows.
fn stage(rows: &[Vec<Bits>; 4]) -> StageBuilder<'_, TwoSandboxes> {
    StageBuilder::new(TwoSandboxes::start(rows))
}

impl TwoSandboxes {
    async fn start(rows: &[Vec<Bits>; 4]) -> Self {
        let numbered = |rows: &Vec<Bits>| rows.clone().into_iter().enumerate();
        let sandbox = async |seed: usize, corporation: &Vec<Bits>, tolt: &Vec<Bits>| {
            let customers = numbered(tolt).map(|(number, bits)| tolt_row(number, bits)).collect();
            let tolt = tolt::Data { customers, ..tolt::Data::default() };
            let corporation = numbered(corporation).map(|(number, bits)| corporation_row(number, bits)).collect();
            let options = Options { enforce_rate_limits: false, seed: seed as u64, ..Options::default() };
            Sandbox::start_with(options, Data { tolt, corporation }).await.unwrap()
        };
        Self([sandbox(1, &rows[0], &rows[1]).await, sandbox(2, &rows[2], &rows[3]).await])
    }

    /// Returns the sandbox with a connection's vendor.
    fn sandbox(&self, at: usize) -> &Sandbox {
        &self.0[at / 2]
    }
}

impl Vendors for TwoSandboxes {
    fn connections(&self) -> Vec<Connection> {
        let connection = |at: usize| {
            let [tolt, corporation] = connections_to(self.sandbox(at)).try_into().unwrap();
            let connection = match kind(at) {
                VendorKind::Tolt => tolt,
                VendorKind::Corporation => corporation,
            };
            Connection { name: CONNECTIONS[at].parse().unwrap(), ..connection }
        };
        (0..4).map(connection).collect()
    }
}

impl Stage {
    /// Returns a connection's rows.
    fn source(&self, at: usize) -> Source {
        let sandbox = self.vendors.sandbox(at);
        match kind(at) {
            VendorKind::Tolt => Source::tolt(CONNECTIONS[at], sandbox.tolt()),
            VendorKind::Corporation => Source::corporation(CONNECTIONS[at], sandbox.corporation()),
        }
    }

    /// Returns the number of calls that all vendors received.
    fn calls(&self) -> u64 {
        self.vendors.0.iter().map(|sandbox| sandbox.tolt().calls() + sandbox.corporation().calls()).sum()
    }

    /// Ages every cached page beyond use.
    fn expire_cache(&self) {
        self.gateway.clock.advance(Duration::from_hours(2));
    }

    async fn get_page(&self, question: &ListQuery, rest: &str, cursor: Option<&str>) -> Answer {
        let mut target = vec![format!("/customers?{rest}"), query(&question.filter.parameters())];
        target.extend(question.named.iter().map(|&at| format!("connection={}", CONNECTIONS[at])));
        target.extend(question.order.map(|order| format!("order={}", order.name())));
        target.extend(cursor.map(|cursor| format!("cursor={cursor}")));
        target.retain(|part| !part.is_empty());
        let target = target.join("&");
        let ask = |client: &reqwest::Client, url: &str| {
            let request = client.get(format!("{url}{target}"));
            if question.is_lenient { request.header("prefer", "handling=lenient") } else { request }
        };
        self.gateway.request(ask).await
    }
}

fn kind(at: usize) -> VendorKind {
    if at.is_multiple_of(2) { VendorKind::Corporation } else { VendorKind::Tolt }
}

impl ListQuery {
    /// Returns the connections of the query, in the configuration's order.
    fn connections(&self) -> Vec<usize> {
        (0..4).filter(|at| self.named.is_empty() || self.named.contains(at)).collect()
    }

    /// Returns the connections that support the query.
    fn supported_by(&self) -> Vec<usize> {
        self.connections().into_iter().filter(|&at| self.filter.is_supported_by(kind(at))).collect()
    }

    /// Returns true if the connections are searched at once. The order of the whole
    /// list then depends on time.
    fn is_concurrent(&self) -> bool {
        let Filter { email, external_id, name, .. } = &self.filter;
        let is_selective = email.is_some() || external_id.is_some() || name.is_some();
        is_selective && self.order.is_none() && self.connections().len() > 1
    }

    /// Returns true if the query is rejected: a connection must not be skipped,
    /// or no connection remains.
    fn is_refused(&self) -> bool {
        let honoured = self.supported_by().len();
        honoured == 0 || honoured < self.connections().len() && !self.is_lenient
    }
}
