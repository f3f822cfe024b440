//! Walks over filtered lists, compared with an oracle that checks every row.

use std::collections::BTreeMap;

use customer_gateway::sandbox::{Data, Field, corporation, tolt};
use jiff::Timestamp;
use proptest::{option, prelude::*, sample::select};
use tokio::runtime::Runtime;

use super::{all_ids, walk};
use crate::support::{Gateway, config, connections_to, query, sandbox_with};

const NAMES: [&str; 5] = ["Acme", "acme corp", "Zoë", "Œuvre \"quoted\"", "A, B & C+D"];
const EMAILS: [&str; 4] = ["Jim@Example.com", "jim@example.com", "pam@acme.test", "no-address"];
const EXTERNAL_IDS: [&str; 3] = ["crm/1", "crm 2%", "crm=3"];
const STATUSES: [&str; 3] = ["active", "lead", "canceled"];
const PLATFORMS: [&str; 3] = ["stripe", "shopify", "netsuite"];
const FIRST_DAY: i64 = 1_735_689_600; // 2025-01-01T00:00:00Z

/// Row for either vendor. Each vendor ignores the fields that it lacks.
#[derive(Debug, Clone)]
struct Row {
    name: Option<&'static str>,
    email: Option<&'static str>,
    external_id: Option<&'static str>,
    status: &'static str,
    platform: &'static str,
    /// Creation time in seconds, within the first five days.
    created: i64,
}

/// Filter parameters, as sent in the query.
#[derive(Debug, Clone, Default)]
struct Filter {
    name: Option<&'static str>,
    search: Option<&'static str>,
    email: Option<&'static str>,
    external_id: Option<&'static str>,
    status: Option<&'static str>,
    platforms: Vec<&'static str>,
    gte: Option<i64>,
    lte: Option<i64>,
}

fn row() -> impl Strategy<Value = Row> {
    let created = (0..5 * 24_i64).prop_map(|hour| FIRST_DAY + hour * 3_600);
    (
        option::of(select(&NAMES[..])),
        option::of(select(&EMAILS[..])),
        option::of(select(&EXTERNAL_IDS[..])),
        select(&STATUSES[..]),
        select(&PLATFORMS[..]),
        created,
    )
        .prop_map(|(name, email, external_id, status, platform, created)| Row {
            name,
            email,
            external_id,
            status,
            platform,
            created,
        })
}

fn filter() -> impl Strategy<Value = Filter> {
    let rarely = |values: &'static [&'static str]| option::weighted(0.25, select(values));
    let bound = || option::weighted(0.4, (0..5 * 24_i64).prop_map(|hour| FIRST_DAY + hour * 3_600));
    (
        (rarely(&NAMES), rarely(&["acme", "ACME", "ë", "quoted", "@"]), rarely(&["JIM@example.com", "pam@acme.test"])),
        (rarely(&EXTERNAL_IDS), rarely(&STATUSES), prop::collection::vec(select(&PLATFORMS[..]), 0..3)),
        (bound(), bound()),
    )
        .prop_map(|((name, search, email), (external_id, status, platforms), (one, other))| {
            let (gte, lte) = match (one, other) {
                (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
                either => either,
            };
            Filter { name, search, email, external_id, status, platforms, gte, lte }
        })
}

impl Filter {
    /// Returns whether a row matches, by the rules of the API contract.
    fn matches(&self, row: &Row, search_looks_at_email: bool) -> bool {
        let lower = |text: Option<&str>| text.unwrap_or_default().to_lowercase();
        self.name.is_none_or(|name| row.name == Some(name))
            && self.external_id.is_none_or(|id| row.external_id == Some(id))
            && self.email.is_none_or(|email| row.email.is_some() && lower(row.email) == email.to_lowercase())
            && self.search.is_none_or(|part| {
                lower(row.name).contains(&part.to_lowercase())
                    || search_looks_at_email && lower(row.email).contains(&part.to_lowercase())
            })
            && self.gte.is_none_or(|from| from <= row.created)
            && self.lte.is_none_or(|to| row.created <= to)
    }

    fn parameters(&self, connection: &str) -> BTreeMap<String, String> {
        let instant = |seconds: i64| Timestamp::from_second(seconds).unwrap().to_string();
        let given = [
            ("connection", Some(connection.to_owned())),
            ("name", self.name.map(str::to_owned)),
            ("search", self.search.map(str::to_owned)),
            ("email", self.email.map(str::to_owned)),
            ("external_id", self.external_id.map(str::to_owned)),
            ("created_gte", self.gte.map(instant)),
            ("created_lte", self.lte.map(instant)),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

fn iso(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap().to_string()
}

async fn check_tolt(rows: Vec<Row>, filter: Filter, limit: usize, ascending: bool) {
    let customer = |(id, row): (usize, &Row)| tolt::Customer {
        name: row.name.map(str::to_owned).into(),
        email: row.email.map(str::to_owned).into(),
        customer_id: row.external_id.map(str::to_owned).into(),
        status: row.status.into(),
        ..tolt::Customer::new(&format!("cust_{id:03}"), &iso(row.created))
    };
    let customers: Vec<_> = rows.iter().enumerate().map(customer).collect();
    let sandbox =
        sandbox_with(Data { tolt: tolt::Data { customers, ..tolt::Data::default() }, ..Data::default() }).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;

    let mut parameters = filter.parameters("affiliates");
    parameters.extend(filter.status.map(|status| ("status".to_owned(), status.to_owned())));
    parameters.insert("order".to_owned(), if ascending { "asc" } else { "desc" }.to_owned());
    let pages = walk(&gateway, &format!("/customers?{}", query(&parameters)), || limit).await;

    let mut expected: Vec<_> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| filter.matches(row, true) && filter.status.is_none_or(|status| status == row.status))
        .map(|(id, row)| (row.created, format!("affiliates.cust_{id:03}")))
        .collect();
    expected.sort();
    if !ascending {
        expected.reverse();
    }
    assert_eq!(all_ids(&pages), expected.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>());
    for total in pages.iter().filter_map(|page| page["page"]["total"].as_u64()) {
        assert_eq!(total, expected.len() as u64, "a total must be exact or null");
    }
}

async fn check_corporation(rows: Vec<Row>, filter: Filter, limit: usize) {
    let customer = |(id, row): (usize, &Row)| corporation::Customer {
        name: row.name.map(str::to_owned).into(),
        email: row.email.map(str::to_owned).into(),
        external_id: row.external_id.map(str::to_owned).into(),
        source_platform: row.platform.into(),
        created_at: Field::Value(row.created),
        ..corporation::Customer::new(&format!("cust_{id:03}"), "", 1)
    };
    let customers = rows.iter().enumerate().map(customer).collect();
    let sandbox = sandbox_with(Data { corporation: customers, ..Data::default() }).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;

    let mut question = format!("/customers?{}", query(&filter.parameters("tax")));
    for platform in &filter.platforms {
        question.push_str("&source_platform=");
        question.push_str(platform);
    }
    let pages = walk(&gateway, &question, || limit).await;

    let mut walked = all_ids(&pages);
    walked.sort();
    let expected: Vec<_> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| filter.matches(row, false))
        .filter(|(_, row)| filter.platforms.is_empty() || filter.platforms.contains(&row.platform))
        .map(|(id, _)| format!("tax.cust_{id:03}"))
        .collect();
    assert_eq!(walked, expected);
    for total in pages.iter().filter_map(|page| page["page"]["total"].as_u64()) {
        assert_eq!(total, expected.len() as u64, "a total must be exact or null");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filtered_tolt_walk_matches_oracle(
        rows in prop::collection::vec(row(), 0..260),
        filter in filter(),
        limit in 1..=100_usize,
        ascending in any::<bool>(),
    ) {
        Runtime::new().unwrap().block_on(check_tolt(rows, filter, limit, ascending));
    }

    #[test]
    fn filtered_corporation_walk_matches_oracle(
        rows in prop::collection::vec(row(), 0..260),
        filter in filter(),
        limit in 1..=100_usize,
    ) {
        Runtime::new().unwrap().block_on(check_corporation(rows, filter, limit));
    }
}
