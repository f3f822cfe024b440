//! Requests to Tolt, parameter by parameter. Brackets are sent raw (FACTS.md
//! case 14). Instants are sent in UTC with milliseconds and `Z` (case 26).

use customer_gateway::domain::{
    anchor::{Anchor, Direction},
    filter::Filter,
    filter::InstantRange,
    query::{Expansion, ListQuery, Order, Shape},
    residual::{Match, Residual},
};
use insta::assert_snapshot;

use crate::translation::harness::{Connection, customers, customers_with, expanding, tolt, transactions, with_raw};

const HOSTILE: &str = "a+b/c=d%20e&f g#?é客,\"";

fn instant(value: &str) -> jiff::Timestamp {
    value.parse().unwrap()
}

fn created(gte: Option<&str>, lte: Option<&str>) -> InstantRange {
    InstantRange { gte: gte.map(instant), lte: lte.map(instant) }
}

fn between(gte: Option<&str>, lte: Option<&str>) -> ListQuery {
    customers_with(Filter { created: created(gte, lte), ..Filter::default() })
}

/// Request for the first page.
fn request(question: &ListQuery) -> String {
    tolt().list(question).request()
}

/// Error for a list query that cannot be planned.
fn refusal(question: &ListQuery) -> String {
    format!("{:?}", tolt().plan(question).unwrap_err())
}

/// The gateway's part of a filter. Asserts that the vendor applies none of the
/// filter and that the total is not exact.
fn gateway_residual(filter: Filter) -> Residual {
    let plan = tolt().plan(&customers_with(filter)).unwrap();
    assert_eq!(plan.native, []);
    assert!(!plan.total_is_exact);
    plan.residual
}

#[test]
fn unfiltered_customers_use_default_order() {
    assert_snapshot!(request(&customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100");
}

#[test]
fn unfiltered_transactions_use_default_order() {
    assert_snapshot!(request(&transactions()), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100");
}

#[test]
fn order_is_native() {
    let ordered = |order, question| request(&ListQuery { order: Some(order), ..question });
    assert_snapshot!(ordered(Order::Asc, customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=asc&limit=100");
    assert_snapshot!(ordered(Order::Desc, customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100");
    assert_snapshot!(ordered(Order::Asc, transactions()), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=asc&limit=100");
}

#[test]
fn status_filter_is_native() {
    let question = customers_with(Filter { status: vec!["active".into()], ..Filter::default() });
    assert_snapshot!(request(&question), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&status=active&order=desc&limit=100");
    assert!(tolt().plan(&question).unwrap().total_is_exact);
}

#[test]
fn partner_id_filter_is_native() {
    let filter = Filter { partner_id: vec!["part_s7mbzRGn46BhVgNFHD6fDgXW".into()], ..Filter::default() };
    assert_snapshot!(request(&customers_with(filter.clone())), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&partner_id=part_s7mbzRGn46BhVgNFHD6fDgXW&order=desc&limit=100");
    assert_snapshot!(request(&ListQuery { filter, ..transactions() }), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&partner_id=part_s7mbzRGn46BhVgNFHD6fDgXW&order=desc&limit=100");
}

#[test]
fn transactions_customer_id_filter_is_native() {
    let filter = Filter { customer_id: Some("cust_dK9bzRGn46BhVgNFHD6fDgXW".into()), ..Filter::default() };
    assert_snapshot!(request(&ListQuery { filter, ..transactions() }), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&customer_id=cust_dK9bzRGn46BhVgNFHD6fDgXW&order=desc&limit=100");
}

#[test]
fn created_range_is_sent_and_rechecked() {
    let question = between(Some("2025-01-15T14:30:00Z"), Some("2025-02-01T00:00:00.5+02:00"));
    assert_snapshot!(request(&question), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-01-15T14%3A30%3A00.000Z&created_lte=2025-01-31T22%3A00%3A00.500Z&order=desc&limit=100");
    let plan = tolt().plan(&question).unwrap();
    assert_eq!(plan.residual, Residual { created: question.filter.created, ..Residual::default() });
    assert!(plan.total_is_exact);
}

#[test]
fn transactions_created_range_is_native() {
    let filter =
        Filter { created: created(Some("2025-01-15T14:30:00Z"), Some("2025-02-01T00:00:00Z")), ..Filter::default() };
    assert_snapshot!(request(&ListQuery { filter, ..transactions() }), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-01-15T14%3A30%3A00.000Z&created_lte=2025-02-01T00%3A00%3A00.000Z&order=desc&limit=100");
}

// FACTS.md case 26
#[test]
fn created_bounds_are_rounded_outwards() {
    let question = between(Some("2025-01-15T14:30:00.0009Z"), Some("2025-01-15T14:30:00.0001Z"));
    assert_snapshot!(request(&question), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-01-15T14%3A30%3A00.000Z&created_lte=2025-01-15T14%3A30%3A00.001Z&order=desc&limit=100");
    let plan = tolt().plan(&question).unwrap();
    assert_eq!(plan.residual.created, question.filter.created);
    assert!(!plan.total_is_exact, "the vendor counts rows that the gateway omits");

    let before_the_epoch = between(Some("1969-12-31T23:59:59.9985Z"), Some("1969-12-31T23:59:59.9985Z"));
    assert_snapshot!(request(&before_the_epoch), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=1969-12-31T23%3A59%3A59.998Z&created_lte=1969-12-31T23%3A59%3A59.999Z&order=desc&limit=100");
}

// FACTS.md case 26
#[test]
fn created_bounds_are_inclusive() {
    let question = between(Some("2025-01-03T00:00:00Z"), Some("2025-01-04T00:00:00Z"));
    let residual = tolt().plan(&question).unwrap().residual;
    let page = tolt().list(&question).read_fixture("paging_20_has_more_false.json").unwrap();
    let filter = residual.prepare();
    let kept: Vec<_> =
        (0..page.len()).filter(|&row| filter.apply(&page, row) == Match::Yes).map(|row| page.id(row)).collect();
    assert_eq!(kept, ["cust_4", "cust_3"]);
}

// FACTS.md case 26
#[test]
fn inverted_created_range_is_sent_unchanged() {
    let question = between(Some("2025-02-01T00:00:00Z"), Some("2025-01-01T00:00:00Z"));
    assert_snapshot!(request(&question), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-02-01T00%3A00%3A00.000Z&created_lte=2025-01-01T00%3A00%3A00.000Z&order=desc&limit=100");
}

#[test]
fn all_native_filters_combine() {
    let filter = Filter {
        status: vec!["lead".into()],
        partner_id: vec!["part_1".into()],
        created: created(Some("2025-01-01T00:00:00Z"), Some("2025-02-01T00:00:00Z")),
        ..Filter::default()
    };
    let shape = Shape { expand: vec![Expansion::Partner, Expansion::Program], raw: true };
    assert_snapshot!(request(&ListQuery { order: Some(Order::Asc), shape, ..customers_with(filter) }), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&status=lead&partner_id=part_1&created_gte=2025-01-01T00%3A00%3A00.000Z&created_lte=2025-02-01T00%3A00%3A00.000Z&order=asc&expand[]=partner&expand[]=program&limit=100");
}

#[test]
fn name_filter_is_residual() {
    let residual = gateway_residual(Filter { name: Some("Jim Halpert".into()), ..Filter::default() });
    assert_eq!(residual, Residual { name: Some("Jim Halpert".into()), ..Residual::default() });
}

#[test]
fn search_filter_is_residual_ignoring_case() {
    let residual = gateway_residual(Filter { search: Some("HALP".into()), ..Filter::default() });
    assert_eq!(residual, Residual { search: Some("halp".into()), ..Residual::default() });
}

#[test]
fn email_filter_is_residual_ignoring_case() {
    let residual = gateway_residual(Filter { email: Some("Jim@Example.com".into()), ..Filter::default() });
    assert_eq!(residual, Residual { email: Some("jim@example.com".into()), ..Residual::default() });
}

#[test]
fn external_id_filter_is_residual() {
    let residual = gateway_residual(Filter { external_id: Some("jim_halpert_789".into()), ..Filter::default() });
    assert_eq!(residual, Residual { external_id: Some("jim_halpert_789".into()), ..Residual::default() });
}

#[test]
fn exemption_filters_are_unsupported() {
    let values = || vec!["x".to_owned()];
    let filters = [
        ("source_platform", Filter { source_platform: values(), ..Filter::default() }),
        ("source_platform_id", Filter { source_platform_id: values(), ..Filter::default() }),
        ("certificate_type", Filter { certificate_type: values(), ..Filter::default() }),
        ("exemption_jurisdiction", Filter { exemption_jurisdiction: values(), ..Filter::default() }),
        ("exemption_status", Filter { exemption_status: Some("ACTIVE".into()), ..Filter::default() }),
        ("expiration_status", Filter { expiration_status: Some("EXPIRED".into()), ..Filter::default() }),
        ("has_exemption", Filter { has_exemption: Some(true), ..Filter::default() }),
    ];
    for (parameter, filter) in filters {
        let error = tolt().plan(&customers_with(filter)).unwrap_err();
        assert_eq!(error.to_string(), format!("`{parameter}` is not supported by this vendor"));
    }
    assert_snapshot!(refusal(&customers_with(Filter { has_exemption: Some(true), ..Filter::default() })), @r#"Unsupported { parameter: HasExemption, value: None, supported: ["order", "status", "partner_id", "created_gte", "created_lte", "updated_gte", "updated_lte", "name", "search", "email", "external_id"] }"#);
}

#[test]
fn transactions_status_filter_is_unsupported() {
    let filter = Filter { status: vec!["paid".into()], ..Filter::default() };
    assert_snapshot!(refusal(&ListQuery { filter, ..transactions() }), @r#"Unsupported { parameter: Status, value: None, supported: ["order", "partner_id", "customer_id", "created_gte", "created_lte", "updated_gte", "updated_lte"] }"#);
}

#[test]
fn customers_customer_id_filter_is_unsupported() {
    let filter = Filter { customer_id: Some("cust_1".into()), ..Filter::default() };
    assert_snapshot!(refusal(&customers_with(filter)), @r#"Unsupported { parameter: CustomerId, value: None, supported: ["order", "status", "partner_id", "created_gte", "created_lte", "updated_gte", "updated_lte", "name", "search", "email", "external_id"] }"#);
}

// FACTS.md case 14
#[test]
fn expansion_brackets_are_sent_raw() {
    let expanded = |expand: &[Expansion], question| request(&ListQuery { shape: expanding(expand), ..question });
    assert_snapshot!(expanded(&[Expansion::Partner], customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&expand[]=partner&limit=100");
    assert_snapshot!(expanded(&[Expansion::Partner, Expansion::Program], customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&expand[]=partner&expand[]=program&limit=100");
    assert_snapshot!(expanded(&[Expansion::Partner, Expansion::Program, Expansion::Customer], transactions()), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&expand[]=partner&expand[]=program&expand[]=customer&limit=100");
}

#[test]
fn unsupported_expansion_is_refused() {
    let refused = |expansion| refusal(&ListQuery { shape: expanding(&[expansion]), ..customers() });
    assert_snapshot!(refused(Expansion::ShippingAddress), @r#"Unsupported { parameter: Expand, value: Some("shipping_address"), supported: ["partner", "program"] }"#);
    assert_snapshot!(refused(Expansion::Exemption), @r#"Unsupported { parameter: Expand, value: Some("exemption"), supported: ["partner", "program"] }"#);
    assert_snapshot!(refused(Expansion::Customer), @r#"Unsupported { parameter: Expand, value: Some("customer"), supported: ["partner", "program"] }"#);
}

#[test]
fn list_stats_expansion_is_refused() {
    assert_snapshot!(refusal(&ListQuery { shape: expanding(&[Expansion::Stats]), ..customers() }), @r#"Unsupported { parameter: Expand, value: Some("stats"), supported: ["partner", "program"] }"#);
    assert_snapshot!(refusal(&ListQuery { shape: expanding(&[Expansion::Stats]), ..transactions() }), @r#"Unsupported { parameter: Expand, value: Some("stats"), supported: ["partner", "program", "customer"] }"#);
}

#[test]
fn raw_rows_use_the_same_request() {
    assert_eq!(request(&ListQuery { shape: with_raw(), ..customers() }), request(&customers()));
}

// FACTS.md case 10
#[test]
fn hostile_values_are_percent_encoded() {
    let filter = Filter { status: vec![HOSTILE.into()], partner_id: vec!["&status=lead".into()], ..Filter::default() };
    assert_snapshot!(request(&customers_with(filter)), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&status=a%2Bb%2Fc%3Dd%2520e%26f%20g%23%3F%C3%A9%E5%AE%A2%2C%22&partner_id=%26status%3Dlead&order=desc&limit=100");
    let connection = Connection { account_id: "prg+/=&x=1", ..tolt() };
    assert_snapshot!(connection.list(&customers()).request(), @"/v1/customers?program_id=prg%2B%2F%3D%26x%3D1&order=desc&limit=100");
}

#[test]
fn start_anchor_sends_no_cursor() {
    assert_eq!(tolt().list(&customers()).at(Anchor::Start).request(), request(&customers()));
}

#[test]
fn after_anchor_sends_starting_after() {
    let after = |id: &str, question| tolt().list(&question).at(Anchor::After(id.into())).request();
    assert_snapshot!(after("cust_2", customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100&starting_after=cust_2");
    assert_snapshot!(after("txn_2", transactions()), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100&starting_after=txn_2");
    assert_snapshot!(after(HOSTILE, customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100&starting_after=a%2Bb%2Fc%3Dd%2520e%26f%20g%23%3F%C3%A9%E5%AE%A2%2C%22");
    assert_snapshot!(after("cust_2", ListQuery { order: Some(Order::Asc), ..customers() }), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=asc&limit=100&starting_after=cust_2");
}

// FACTS.md case 25
#[test]
fn cursor_is_sent_with_its_filter() {
    let question = customers_with(Filter { status: vec!["active".into()], ..Filter::default() });
    let later = tolt().list(&question).at(Anchor::After("cust_2".into()));
    assert_snapshot!(later.request(), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&status=active&order=desc&limit=100&starting_after=cust_2");
}

#[test]
fn before_anchor_sends_ending_before() {
    let before = |id: &str, question| tolt().list(&question).at(Anchor::Before(id.into())).request();
    assert_snapshot!(before("cust_2", customers()), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100&ending_before=cust_2");
    assert_snapshot!(before("txn_2", transactions()), @"/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100&ending_before=txn_2");
    assert_snapshot!(before("..", ListQuery { order: Some(Order::Asc), ..customers() }), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=asc&limit=100&ending_before=..");
}

/// Such a cursor dates from a time when the connection's name belonged to
/// another vendor.
#[test]
fn token_anchor_is_refused() {
    assert_snapshot!(tolt().list(&customers()).at(Anchor::Token("c1".into())).request(), @"Refused { kind: CursorRejected, refusal: Refusal { status: 0, code: None, message: None } }");
}

#[test]
fn instant_anchor_narrows_range_and_sets_order() {
    let from = |order, direction| {
        let anchor = Anchor::From(instant("2025-01-15T14:30:00.0005Z").into(), direction);
        tolt().list(&ListQuery { order: Some(order), ..customers() }).at(anchor).request()
    };
    assert_snapshot!(from(Order::Desc, Direction::Forward), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_lte=2025-01-15T14%3A30%3A00.001Z&order=desc&limit=100");
    assert_snapshot!(from(Order::Desc, Direction::Backward), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-01-15T14%3A30%3A00.000Z&order=asc&limit=100");
    assert_snapshot!(from(Order::Asc, Direction::Forward), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-01-15T14%3A30%3A00.000Z&order=asc&limit=100");
    assert_snapshot!(from(Order::Asc, Direction::Backward), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_lte=2025-01-15T14%3A30%3A00.001Z&order=desc&limit=100");
}

#[test]
fn instant_anchor_keeps_the_other_bound() {
    let question = between(Some("2025-01-01T00:00:00Z"), Some("2025-02-01T00:00:00Z"));
    let from = |direction| {
        tolt().list(&question).at(Anchor::From(instant("2025-01-15T00:00:00Z").into(), direction)).request()
    };
    assert_snapshot!(from(Direction::Forward), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-01-01T00%3A00%3A00.000Z&created_lte=2025-01-15T00%3A00%3A00.000Z&order=desc&limit=100");
    assert_snapshot!(from(Direction::Backward), @"/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_lte=2025-02-01T00%3A00%3A00.000Z&created_gte=2025-01-15T00%3A00%3A00.000Z&order=asc&limit=100");
}

#[test]
fn retrieval_sends_id_and_expansions() {
    let retrieved = |id, expand: &[Expansion]| tolt().retrieve(id, expanding(expand)).request();
    assert_snapshot!(retrieved("cust_dK9bzRGn46BhVgNFHD6fDgXW", &[]), @"/v1/customers/cust_dK9bzRGn46BhVgNFHD6fDgXW");
    assert_snapshot!(retrieved("cust_1", &[Expansion::Partner]), @"/v1/customers/cust_1?expand[]=partner");
    assert_snapshot!(retrieved("cust_1", &[Expansion::Stats]), @"/v1/customers/cust_1?include[]=stats");
    assert_snapshot!(retrieved("cust_1", &[Expansion::Partner, Expansion::Program, Expansion::Stats]), @"/v1/customers/cust_1?expand[]=partner&expand[]=program&include[]=stats");
}

#[test]
fn unsupported_retrieval_expansion_is_refused() {
    let refused = |expansion| tolt().retrieval("cust_1", expanding(&[expansion])).unwrap_err();
    assert_snapshot!(format!("{:?}", refused(Expansion::Exemption)), @r#"Unsupported { parameter: Expand, value: Some("exemption"), supported: ["partner", "program", "stats"] }"#);
    assert_eq!(refused(Expansion::Customer).to_string(), "`expand` is not supported by this vendor");
}

// FACTS.md case 10
#[test]
fn hostile_id_stays_one_path_segment() {
    let path = |id| tolt().retrieve(id, Shape::default()).request();
    assert_snapshot!(path(HOSTILE), @"/v1/customers/a%2Bb%2Fc%3Dd%2520e%26f%20g%23%3F%C3%A9%E5%AE%A2%2C%22");
    assert_snapshot!(path("../transactions"), @"/v1/customers/..%2Ftransactions");
    assert_snapshot!(path("..."), @"/v1/customers/...");
    assert_snapshot!(path("%2e%2e"), @"/v1/customers/%252e%252e");
    for id in [".", "..", ""] {
        assert_eq!(path(id), "NotFound", "{id:?}");
    }
}
