//! Requests to the corporation vendor, parameter by parameter.

use customer_gateway::domain::{
    anchor::{Anchor, Direction},
    filter::Filter,
    filter::InstantRange,
    query::{Expansion, ListQuery, Shape},
    residual::{Match, Residual},
};
use insta::assert_snapshot;

use crate::translation::harness::{
    Connection, corporation, customers, customers_with, expanding, transactions, with_raw,
};

const HOSTILE: &str = "a+b/c=d%20e&f g#?é客\"";

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// Request for the first page of filtered customers. Asserts that the vendor
/// applies the whole filter.
fn request(filter: Filter) -> String {
    let question = customers_with(filter);
    let plan = corporation().plan(&question).unwrap();
    assert!(plan.residual.is_empty() && plan.total_is_exact);
    corporation().list(&question).request()
}

/// Error for a list query that cannot be planned.
fn refusal(question: &ListQuery) -> String {
    format!("{:?}", corporation().plan(question).unwrap_err())
}

/// The gateway's part of a filter. Asserts that the vendor applies none of the
/// filter and that the total is not exact.
fn gateway_residual(filter: Filter) -> Residual {
    let plan = corporation().plan(&customers_with(filter)).unwrap();
    assert_eq!(plan.native, []);
    assert!(!plan.total_is_exact);
    plan.residual
}

#[test]
fn unfiltered_list_sends_account_and_limit() {
    assert_snapshot!(request(Filter::default()), @"/customers?corporation_id=corp_123&limit=100");
}

#[test]
fn name_filter_is_native() {
    assert_snapshot!(request(Filter { name: Some("Acme Corporation".into()), ..Filter::default() }), @"/customers?corporation_id=corp_123&name=Acme%20Corporation&limit=100");
}

#[test]
fn search_filter_is_native() {
    assert_snapshot!(request(Filter { search: Some("acme".into()), ..Filter::default() }), @"/customers?corporation_id=corp_123&search_term=acme&limit=100");
}

#[test]
fn source_platform_filter_is_a_comma_list() {
    let filter = |platforms| Filter { source_platform: texts(platforms), ..Filter::default() };
    assert_snapshot!(request(filter(&["stripe"])), @"/customers?corporation_id=corp_123&source_platforms=stripe&limit=100");
    assert_snapshot!(request(filter(&["stripe", "shopify"])), @"/customers?corporation_id=corp_123&source_platforms=stripe%2Cshopify&limit=100");
}

#[test]
fn source_platform_id_filter_is_a_comma_list() {
    let filter = Filter { source_platform_id: texts(&["cus_1", "gid://shop/Customer/1"]), ..Filter::default() };
    assert_snapshot!(request(filter), @"/customers?corporation_id=corp_123&source_platform_ids=cus_1%2Cgid%3A%2F%2Fshop%2FCustomer%2F1&limit=100");
}

#[test]
fn certificate_type_filter_is_a_comma_list() {
    let filter = Filter { certificate_type: texts(&["SINGLE_STATE", "BLANKET"]), ..Filter::default() };
    assert_snapshot!(request(filter), @"/customers?corporation_id=corp_123&certificate_types=SINGLE_STATE%2CBLANKET&limit=100");
}

#[test]
fn exemption_jurisdiction_filter_is_a_comma_list() {
    let filter = Filter { exemption_jurisdiction: texts(&["US_CA", "US_NY"]), ..Filter::default() };
    assert_snapshot!(request(filter), @"/customers?corporation_id=corp_123&exemption_jurisdiction=US_CA%2CUS_NY&limit=100");
}

#[test]
fn exemption_status_filter_is_native() {
    assert_snapshot!(request(Filter { exemption_status: Some("ACTIVE".into()), ..Filter::default() }), @"/customers?corporation_id=corp_123&exemption_status=ACTIVE&limit=100");
}

#[test]
fn expiration_status_filter_is_native() {
    assert_snapshot!(request(Filter { expiration_status: Some("EXPIRED".into()), ..Filter::default() }), @"/customers?corporation_id=corp_123&expiration_status=EXPIRED&limit=100");
}

#[test]
fn has_exemption_filter_is_native() {
    assert_snapshot!(request(Filter { has_exemption: Some(true), ..Filter::default() }), @"/customers?corporation_id=corp_123&has_exemption=true&limit=100");
    assert_snapshot!(request(Filter { has_exemption: Some(false), ..Filter::default() }), @"/customers?corporation_id=corp_123&has_exemption=false&limit=100");
}

#[test]
fn all_native_filters_combine() {
    let filter = Filter {
        name: Some("Acme Corporation".into()),
        search: Some("acme".into()),
        source_platform: texts(&["stripe"]),
        source_platform_id: texts(&["cus_1"]),
        certificate_type: texts(&["BLANKET"]),
        exemption_jurisdiction: texts(&["US_CA"]),
        exemption_status: Some("ACTIVE".into()),
        expiration_status: Some("ACTIVE".into()),
        has_exemption: Some(true),
        ..Filter::default()
    };
    assert_snapshot!(request(filter), @"/customers?corporation_id=corp_123&name=Acme%20Corporation&search_term=acme&source_platforms=stripe&source_platform_ids=cus_1&certificate_types=BLANKET&exemption_jurisdiction=US_CA&exemption_status=ACTIVE&expiration_status=ACTIVE&has_exemption=true&limit=100");
}

#[test]
fn comma_in_list_value_is_refused() {
    let refused = |filter| refusal(&customers_with(filter));
    let comma = texts(&["a", "b,c"]);
    assert_snapshot!(refused(Filter { source_platform: comma.clone(), ..Filter::default() }), @"CommaInList { parameter: SourcePlatform }");
    assert_snapshot!(refused(Filter { source_platform_id: comma.clone(), ..Filter::default() }), @"CommaInList { parameter: SourcePlatformId }");
    assert_snapshot!(refused(Filter { certificate_type: comma.clone(), ..Filter::default() }), @"CommaInList { parameter: CertificateType }");
    assert_snapshot!(refused(Filter { exemption_jurisdiction: comma, ..Filter::default() }), @"CommaInList { parameter: ExemptionJurisdiction }");
}

#[test]
fn comma_in_single_value_is_sent() {
    assert_snapshot!(request(Filter { name: Some("Acme, Inc.".into()), ..Filter::default() }), @"/customers?corporation_id=corp_123&name=Acme%2C%20Inc.&limit=100");
}

// FACTS.md case 26
#[test]
fn created_range_is_residual_and_inclusive() {
    let instant = |value: &str| Some(value.parse().unwrap());
    let created = InstantRange { gte: instant("2024-01-23T08:53:20Z"), lte: instant("2024-01-23T08:53:20.123Z") };
    let filter = Filter { created, ..Filter::default() };
    let residual = gateway_residual(filter.clone());
    assert_eq!(residual, Residual { created, ..Residual::default() });

    let page = corporation().list(&customers_with(filter)).read_fixture("shape_16_epochs.json").unwrap();
    let filter = residual.prepare();
    let kept: Vec<_> =
        (0..page.len()).filter(|&row| filter.apply(&page, row) == Match::Yes).map(|row| page.id(row)).collect();
    assert_eq!(kept, ["seconds", "milliseconds", "seconds_as_text", "milliseconds_as_text"]);
}

#[test]
fn email_filter_is_residual_ignoring_case() {
    let residual = gateway_residual(Filter { email: Some("Contact@Acme.com".into()), ..Filter::default() });
    assert_eq!(residual, Residual { email: Some("contact@acme.com".into()), ..Residual::default() });
}

#[test]
fn external_id_filter_is_residual() {
    let residual = gateway_residual(Filter { external_id: Some("acme-1".into()), ..Filter::default() });
    assert_eq!(residual, Residual { external_id: Some("acme-1".into()), ..Residual::default() });
}

#[test]
fn unsupported_filter_lists_supported_parameters() {
    let refused = |filter| refusal(&customers_with(filter));
    assert_snapshot!(refused(Filter { status: vec!["active".into()], ..Filter::default() }), @r#"Unsupported { parameter: Status, value: None, supported: ["order", "created_gte", "created_lte", "name", "search", "email", "external_id", "source_platform", "source_platform_id", "certificate_type", "exemption_jurisdiction", "exemption_status", "expiration_status", "has_exemption"] }"#);
    assert_snapshot!(refused(Filter { partner_id: vec!["part_1".into()], ..Filter::default() }), @r#"Unsupported { parameter: PartnerId, value: None, supported: ["order", "created_gte", "created_lte", "name", "search", "email", "external_id", "source_platform", "source_platform_id", "certificate_type", "exemption_jurisdiction", "exemption_status", "expiration_status", "has_exemption"] }"#);
    assert_snapshot!(refused(Filter { customer_id: Some("cust_1".into()), ..Filter::default() }), @r#"Unsupported { parameter: CustomerId, value: None, supported: ["order", "created_gte", "created_lte", "name", "search", "email", "external_id", "source_platform", "source_platform_id", "certificate_type", "exemption_jurisdiction", "exemption_status", "expiration_status", "has_exemption"] }"#);
}

#[test]
fn transactions_are_unsupported() {
    assert_snapshot!(refusal(&transactions()), @"NoSuchOperation");
}

#[test]
fn expansions_are_a_comma_list() {
    let expanded =
        |expand: &[Expansion]| corporation().list(&ListQuery { shape: expanding(expand), ..customers() }).request();
    assert_snapshot!(expanded(&[Expansion::ShippingAddress]), @"/customers?corporation_id=corp_123&extend=shipping_address&limit=100");
    assert_snapshot!(expanded(&[Expansion::Exemption]), @"/customers?corporation_id=corp_123&extend=exemption_metadata&limit=100");
    assert_snapshot!(expanded(&[Expansion::ShippingAddress, Expansion::Exemption]), @"/customers?corporation_id=corp_123&extend=shipping_address%2Cexemption_metadata&limit=100");
}

#[test]
fn unsupported_expansion_is_refused() {
    let refused = |expansion| refusal(&ListQuery { shape: expanding(&[expansion]), ..customers() });
    assert_snapshot!(refused(Expansion::Partner), @r#"Unsupported { parameter: Expand, value: Some("partner"), supported: ["shipping_address", "exemption"] }"#);
    assert_snapshot!(refused(Expansion::Program), @r#"Unsupported { parameter: Expand, value: Some("program"), supported: ["shipping_address", "exemption"] }"#);
    assert_snapshot!(refused(Expansion::Stats), @r#"Unsupported { parameter: Expand, value: Some("stats"), supported: ["shipping_address", "exemption"] }"#);
    assert_snapshot!(refused(Expansion::Customer), @r#"Unsupported { parameter: Expand, value: Some("customer"), supported: ["shipping_address", "exemption"] }"#);
}

#[test]
fn raw_rows_use_the_same_request() {
    let raw = corporation().list(&ListQuery { shape: with_raw(), ..customers() });
    assert_eq!(raw.request(), request(Filter::default()));
}

// FACTS.md case 10
#[test]
fn hostile_values_are_percent_encoded() {
    assert_snapshot!(request(Filter { name: Some(HOSTILE.into()), search: Some("&has_exemption=true".into()), ..Filter::default() }), @"/customers?corporation_id=corp_123&name=a%2Bb%2Fc%3Dd%2520e%26f%20g%23%3F%C3%A9%E5%AE%A2%22&search_term=%26has_exemption%3Dtrue&limit=100");
    assert_snapshot!(request(Filter { source_platform_id: texts(&[HOSTILE, "%2C"]), ..Filter::default() }), @"/customers?corporation_id=corp_123&source_platform_ids=a%2Bb%2Fc%3Dd%2520e%26f%20g%23%3F%C3%A9%E5%AE%A2%22%2C%252C&limit=100");
    let connection = Connection { account_id: "corp+/=&x=1", ..corporation() };
    assert_snapshot!(connection.list(&customers()).request(), @"/customers?corporation_id=corp%2B%2F%3D%26x%3D1&limit=100");
}

#[test]
fn start_anchor_sends_no_cursor() {
    assert_eq!(corporation().list(&customers()).at(Anchor::Start).request(), request(Filter::default()));
}

// FACTS.md case 25
#[test]
fn cursor_is_sent_with_its_filter() {
    let at = |token: &str| {
        let filtered = customers_with(Filter { search: Some("acme".into()), ..Filter::default() });
        corporation().list(&filtered).at(Anchor::Token(token.into())).request()
    };
    assert_snapshot!(at("eyJpZCI6ImN1c3RfNzg5In0="), @"/customers?corporation_id=corp_123&search_term=acme&limit=100&cursor=eyJpZCI6ImN1c3RfNzg5In0%3D");
    assert_snapshot!(at(HOSTILE), @"/customers?corporation_id=corp_123&search_term=acme&limit=100&cursor=a%2Bb%2Fc%3Dd%2520e%26f%20g%23%3F%C3%A9%E5%AE%A2%22");
}

/// Such cursors date from a time when the connection's name belonged to another
/// vendor.
#[test]
fn unsupported_anchors_are_refused() {
    let instant = "2025-01-15T14:30:00Z".parse::<jiff::Timestamp>().unwrap();
    let anchors = [
        Anchor::After("cust_1".into()),
        Anchor::Before("cust_1".into()),
        Anchor::From(instant.into(), Direction::Forward),
        Anchor::From(instant.into(), Direction::Backward),
    ];
    for anchor in anchors {
        let request = corporation().list(&customers()).at(anchor).request();
        assert_eq!(
            request,
            "Refused { kind: CursorRejected, refusal: Refusal { status: 0, code: None, message: None } }"
        );
    }
}

#[test]
fn retrieval_sends_id_and_expansions() {
    let retrieved = |id, expand: &[Expansion]| corporation().retrieve(id, expanding(expand)).request();
    assert_snapshot!(retrieved("cust_789", &[]), @"/customers/cust_789");
    assert_snapshot!(retrieved("cust_789", &[Expansion::ShippingAddress]), @"/customers/cust_789?extend=shipping_address");
    assert_snapshot!(retrieved("cust_789", &[Expansion::ShippingAddress, Expansion::Exemption]), @"/customers/cust_789?extend=shipping_address%2Cexemption_metadata");
}

#[test]
fn unsupported_retrieval_expansion_is_refused() {
    let refused = corporation().retrieval("cust_789", expanding(&[Expansion::Partner])).unwrap_err();
    assert_snapshot!(format!("{refused:?}"), @r#"Unsupported { parameter: Expand, value: Some("partner"), supported: ["shipping_address", "exemption"] }"#);
}

// FACTS.md case 10
#[test]
fn hostile_id_stays_one_path_segment() {
    let path = |id| corporation().retrieve(id, Shape::default()).request();
    assert_snapshot!(path(HOSTILE), @"/customers/a%2Bb%2Fc%3Dd%2520e%26f%20g%23%3F%C3%A9%E5%AE%A2%22");
    assert_snapshot!(path("../certificates"), @"/customers/..%2Fcertificates");
    for id in [".", "..", ""] {
        assert_eq!(path(id), "NotFound", "{id:?}");
    }
}
