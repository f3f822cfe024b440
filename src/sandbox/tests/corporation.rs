use super::super::{
    Envelope, Options, Sandbox,
    corporation::{Certificate, Customer},
};
use super::{get, ids, small};

#[tokio::test]
async fn paging_returns_every_row_once() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let corporation = sandbox.corporation();
    let expected: Vec<String> = corporation.customers().into_iter().map(|c| c.id).collect();

    let mut visited = Vec::new();
    let mut cursor = String::new();
    loop {
        let body = corporation.list(&format!("&limit=23{cursor}")).await;
        assert_eq!(body["total_customers"], 230);
        visited.extend(ids(&body["customers"]));
        // A cursor stays valid after the removal of its row.
        let Some(next) = body["cursor"].as_str() else {
            assert!(body["cursor"].is_null());
            break;
        };
        if visited.len() == 46 {
            assert!(corporation.delete(visited.last().unwrap()));
            corporation.insert(Customer::new(visited.last().unwrap(), "Inserted again", 0));
        }
        cursor = format!("&cursor={next}");
    }
    assert_eq!(visited, expected);
    assert_eq!(corporation.calls(), 10);
}

#[tokio::test]
async fn cursor_is_bound_to_its_filters() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let corporation = sandbox.corporation();
    let body = corporation.list("&search_term=a&limit=2").await;
    let cursor = body["cursor"].as_str().unwrap();
    // Parameters that are not filters may change.
    corporation.list(&format!("&limit=3&extend=shipping_address&cursor={cursor}&search_term=a")).await;

    let id = corporation.corporation_id();
    for parameters in [
        format!("search_term=b&cursor={cursor}"),
        format!("cursor={cursor}"),
        format!("search_term=a&cursor={cursor}A"),
        format!("search_term=a&cursor={}", &cursor[1..]),
    ] {
        let (status, body) = corporation.get(&format!("/customers?corporation_id={id}&{parameters}")).await;
        assert_eq!(status, 400, "{parameters}");
        assert_eq!(body["error"]["Errors"][0]["pointer"], "cursor");
    }
}

type Predicate<'a> = Box<dyn Fn(&Customer) -> bool + 'a>;

#[tokio::test]
async fn filters_use_and_comma_lists_use_or() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let corporation = sandbox.corporation();
    let name = corporation.customers()[7].name.as_str().unwrap().to_owned();
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let any = |row: &Customer, matches: fn(&Certificate) -> bool| row.exemption_certificates.iter().any(matches);

    let cases: [(String, Predicate<'_>); 8] = [
        (format!("name={encoded}"), Box::new(|row| row.name.as_str() == Some(&name))),
        (
            "search_term=%C4%8CAPEK".to_owned(),
            Box::new(|row| row.name.as_str().is_some_and(|name| name.contains("Čapek"))),
        ),
        (
            "source_platforms=stripe,xero".to_owned(),
            Box::new(|row| matches!(row.source_platform.as_str(), Some("stripe" | "xero"))),
        ),
        (
            "source_platforms=stripe&has_exemption=true".to_owned(),
            Box::new(|row| row.source_platform.as_str() == Some("stripe") && !row.exemption_certificates.is_empty()),
        ),
        ("has_exemption=false".to_owned(), Box::new(|row| row.exemption_certificates.is_empty())),
        (
            "exemption_jurisdiction=US_CA,US_NY&expiration_status=EXPIRED".to_owned(),
            Box::new(|row| {
                any(row, |c| {
                    ["US_CA", "US_NY"].contains(&c.jurisdiction.as_str())
                        && c.expiring_at.is_some_and(|at| at <= Certificate::TODAY)
                })
            }),
        ),
        (
            "certificate_types=BLANKET&exemption_status=ACTIVE".to_owned(),
            Box::new(|row| any(row, |c| c.r#type == "BLANKET" && c.status == "ACTIVE")),
        ),
        ("source_platforms=unknown".to_owned(), Box::new(|_| false)),
    ];
    for (parameters, predicate) in cases {
        let expected: Vec<String> =
            corporation.customers().into_iter().filter(|row| predicate(row)).map(|row| row.id).collect();
        let body = corporation.list(&format!("&limit=100&{parameters}")).await;
        assert_eq!(body["total_customers"], expected.len(), "{parameters}");
        assert_eq!(ids(&body["customers"]), expected[..expected.len().min(100)], "{parameters}");
        assert!(
            expected.len() < 230 && (!expected.is_empty() || parameters.ends_with("unknown")),
            "{parameters} matches no row or all rows"
        );
    }
}

#[tokio::test]
async fn undocumented_requests_are_rejected() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let corporation = sandbox.corporation();
    let id = corporation.corporation_id();
    for parameters in [
        "order=asc",
        "status=active",
        "limit=0",
        "limit=101",
        "name=a&name=b",
        "has_exemption=yes",
        "extend=exemption",
        "extend=shipping_address,",
        "source_platforms=a,,b",
        "cursor=",
    ] {
        let (status, body) = corporation.get(&format!("/customers?corporation_id={id}&{parameters}")).await;
        assert_eq!((status, &body["error"]["status"]), (400, &400.into()), "{parameters}");
    }
    assert_eq!(corporation.get("/customers").await.0, 400);
    assert_eq!(corporation.get("/customers?corporation_id=corp_9").await.0, 404);
    let (status, body) = corporation.get("/customers/unknown").await;
    assert_eq!((status, &body["error"]["detail"]), (404, &"Transaction not found".into()));
}

#[tokio::test]
async fn extend_adds_fields_in_both_envelopes() {
    for envelope in [Envelope::Wrapped, Envelope::Flat] {
        let sandbox = Sandbox::start(Options { envelope, ..small() }).await.unwrap();
        let corporation = sandbox.corporation();
        let row = corporation
            .customers()
            .into_iter()
            .find(|row| row.shipping_address.value().is_some() && !row.exemption_certificates.is_empty())
            .unwrap();
        let object = |body: serde_json::Value| match envelope {
            Envelope::Wrapped => body["data"].clone(),
            Envelope::Flat => body,
        };

        let path = format!("/customers/{}", row.id);
        let plain = object(corporation.get(&path).await.1);
        assert_eq!(plain["id"], row.id.as_str());
        assert!(plain.get("shipping_address").is_none());
        assert!(plain.get("exemption_metadata").is_none());

        let extended = object(corporation.get(&format!("{path}?extend=shipping_address,exemption_metadata")).await.1);
        assert!(extended["shipping_address"]["country"].is_string());
        assert_eq!(extended["exemption_metadata"]["total_certificates"], row.exemption_certificates.len());
    }
}

#[tokio::test]
async fn rate_limit_is_5_requests_per_second() {
    let sandbox = Sandbox::start(Options { enforce_rate_limits: true, ..small() }).await.unwrap();
    let corporation = sandbox.corporation();
    let client = reqwest::Client::new();
    let url = format!("{}/customers/{}", corporation.base_url(), super::Data::SHARED_ID);
    let calls = (0..6).map(|_| client.get(&url).bearer_auth(corporation.credential()).send());
    let responses: Vec<_> = futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let rejected: Vec<_> = responses.iter().filter(|response| response.status() == 429).collect();
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].headers()["retry-after"], "1");

    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let (status, _) =
        get(&corporation.base_url(), &format!("/customers/{}", super::Data::SHARED_ID), corporation.credential()).await;
    assert_eq!(status, 200);
}
