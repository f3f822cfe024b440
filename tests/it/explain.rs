//! Explanations against real requests: each explanation is compared with the
//! vendors' request logs.

use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::Value;

use crate::support::{Stage, StageBuilder, sandbox, until};

/// Returns a stage with three pages at Tolt, and two pages at the corporation
/// vendor.
fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(250, 30, 150))
}

impl Stage {
    /// Explains a request, and checks that no vendor is called.
    async fn explain(&self, question: &str) -> Value {
        self.vendors.tolt().reset_calls();
        self.vendors.corporation().reset_calls();
        let explanation = self.gateway.get(&format!("/explain{question}")).await.ok();
        assert_eq!(
            self.vendor_requests(),
            [Vec::<String>::new(), Vec::new()],
            "{question}: an explanation calls no vendor"
        );
        explanation
    }

    /// Returns each vendor's requests since the last explanation.
    fn vendor_requests(&self) -> [Vec<String>; 2] {
        [self.vendors.tolt().requests(), self.vendors.corporation().requests()]
    }

    /// Compares a request with its explanation.
    async fn compare(&self, question: &str) -> Value {
        let explanation = self.explain(question).await;
        let mut told = [Vec::new(), Vec::new()];
        for source in explanation["sources"].as_array().unwrap() {
            let at = usize::from(source["vendor"] == "corporation");
            for request in source["requests"].as_array().unwrap().iter().filter(|it| it["sent"] == true) {
                told[at].push(format!("/{}", request["url"].as_str().unwrap().splitn(4, '/').last().unwrap()));
            }
        }
        let [min, max] = ["min", "max"].map(|bound| explanation["calls"][bound].as_u64().unwrap());
        let page = self.gateway.get(question).await.ok();
        // Background refreshes are asynchronous.
        let count = || self.vendor_requests().iter().map(Vec::len).sum::<usize>() as u64;
        until(|| count() >= min).await;
        let asked = self.vendor_requests();
        assert!((min..=max).contains(&count()), "{question}: {min} to {max}, not {asked:#?}");
        for (told, asked) in told.iter().zip(&asked) {
            assert!(asked.starts_with(told), "{question}: {told:#?} was told, {asked:#?} was asked");
            assert!(min < max || asked.len() >= told.len());
        }
        let named = told.iter().map(Vec::len).sum::<usize>() as u64;
        assert!(min < max || named == min || explanation["sources"].to_string().contains("full_scan"));
        page
    }
}

const QUESTIONS: &[&str] = &[
    "/customers?connection=affiliates",
    "/customers?connection=affiliates&limit=100",
    "/customers?connection=affiliates&status=active&order=asc&limit=7",
    "/customers?connection=affiliates&created_gte=2024-06-01&expand=partner",
    "/customers?connection=affiliates&email=nobody@example.com",
    "/customers?connection=affiliates&email=nobody@example.com&max_calls=2",
    "/customers?connection=affiliates&external_id=nobody&max_calls=2",
    "/customers?external_id=nobody",
    "/customers?email=nobody@example.com&limit=1",
    "/customers?connection=tax&limit=50",
    "/customers?connection=tax&search=acme",
    "/customers?connection=tax&order=desc",
    "/customers?connection=tax&external_id=nobody",
    "/customers",
    "/customers?limit=100",
    "/customers?order=desc&limit=30",
    "/customers?order=asc&name=Nobody",
    "/customers?search=a&limit=100",
    "/transactions?connection=affiliates&limit=3",
    "/transactions",
];

#[tokio::test]
async fn uncached_request_makes_the_explained_calls() {
    for question in QUESTIONS {
        stage().start().await.compare(question).await;
    }
}

#[tokio::test]
async fn cached_request_makes_the_explained_calls() {
    let stage = stage().start().await;
    for question in QUESTIONS {
        stage.compare(question).await;
        let again = stage.explain(question).await;
        assert_eq!(again["calls"], serde_json::json!({"min": 0, "max": 0}), "{question}: every page is cached");
    }
    stage.gateway.clock.advance(Duration::from_secs(31));
    for question in QUESTIONS {
        stage.compare(question).await;
    }
}

#[tokio::test]
async fn every_page_of_a_walk_makes_explained_calls() {
    for question in ["/customers?limit=60", "/customers?order=desc&limit=60", "/customers?connection=tax&limit=40"] {
        let stage = stage().start().await;
        let mut page = stage.compare(question).await;
        let mut rows = page["data"].as_array().unwrap().len();
        while let Some(cursor) = page["page"]["next_cursor"].as_str() {
            page = stage.compare(&format!("{question}&cursor={cursor}")).await;
            rows += page["data"].as_array().unwrap().len();
        }
        assert_eq!(rows, if question.contains("tax") { 150 } else { 400 }, "{question}");
        while let Some(cursor) = page["page"]["prev_cursor"].as_str() {
            page = stage.compare(&format!("{question}&cursor={cursor}")).await;
        }
    }
}

/// Replaces the vendors' addresses, which differ in each run.
fn hide_ports(explanation: &mut Value) {
    for source in explanation["sources"].as_array_mut().unwrap() {
        for request in source["requests"].as_array_mut().unwrap() {
            let url = request["url"].as_str().unwrap();
            let path = url.splitn(4, '/').last().unwrap().to_owned();
            request["url"] = format!("[vendor]/{path}").into();
        }
    }
}

/// Returns the explanation of a list without the ports of the vendors.
async fn explain_without_ports(question: &str) -> Value {
    let stage = stage().start().await;
    let mut explanation = stage.explain(question).await;
    hide_ports(&mut explanation);
    explanation
}

#[tokio::test]
async fn explanation_splits_work_by_executor() {
    let mut explanation = explain_without_ports("/customers?order=desc&email=a@b.example&created_gte=2025-01-01").await;
    let calls = std::mem::replace(&mut explanation["calls"], "[calls]".into());
    assert_eq!(calls, serde_json::json!({ "min": 2, "max": 520 }));
    assert_json_snapshot!(explanation, @r#"
    {
      "calls": "[calls]",
      "calls_to_end": null,
      "limit": 20,
      "max_calls": 520,
      "sources": [
        {
          "breaker": {
            "retry_after": null,
            "state": "closed"
          },
          "budget": {
            "blocked_for": null,
            "remaining": 1000000,
            "scope": "process",
            "share_remaining": null,
            "waiting": 0
          },
          "calls": {
            "max": 20,
            "min": 1
          },
          "calls_to_end": null,
          "connection": "affiliates",
          "gateway": [
            "email"
          ],
          "native": [
            {
              "name": "created_gte",
              "parameter": "created_gte",
              "value": "2025-01-01T00:00:00.000Z"
            },
            {
              "name": "search",
              "parameter": "email",
              "value": "a@b.example"
            }
          ],
          "omitted_requests": 0,
          "order": "native",
          "origin": "vendor",
          "paging": "paged",
          "requests": [
            {
              "age": null,
              "method": "GET",
              "sent": true,
              "url": "[vendor]/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&created_gte=2025-01-01T00%3A00%3A00.000Z&search=a%40b.example&order=desc&limit=100"
            }
          ],
          "status": "asked",
          "vendor": "tolt"
        },
        {
          "breaker": {
            "retry_after": null,
            "state": "closed"
          },
          "budget": {
            "blocked_for": null,
            "remaining": 1000000,
            "scope": "process",
            "share_remaining": null,
            "waiting": 0
          },
          "calls": {
            "max": 500,
            "min": 1
          },
          "calls_to_end": null,
          "connection": "tax",
          "gateway": [
            "created_gte",
            "email"
          ],
          "native": [],
          "omitted_requests": 0,
          "order": "gateway",
          "origin": "vendor",
          "paging": "full_scan",
          "requests": [
            {
              "age": null,
              "method": "GET",
              "sent": true,
              "url": "[vendor]/api/v1/customers?corporation_id=corp_123&limit=100"
            }
          ],
          "status": "asked",
          "vendor": "corporation"
        }
      ],
      "strategy": "merged"
    }
    "#);
}

#[tokio::test]
async fn invalid_explanation_is_rejected() {
    let stage = stage().start().await;
    for question in ["/customers?limit=-1", "/customers?cursor=x", "/customers?connection=no"] {
        let [asked, explained] =
            [stage.gateway.get(question).await, stage.gateway.get(&format!("/explain{question}")).await];
        assert_eq!(asked.code(asked.status), explained.code(asked.status), "{question}");
    }
    let lenient = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}/explain/customers?status=active")).header("prefer", "handling=lenient")
    };
    let explanation = stage.gateway.request(lenient).await;
    assert_eq!(explanation.header("preference-applied"), "handling=lenient");
    let explanation = explanation.ok();
    assert_eq!(explanation["sources"][1]["status"], "skipped");
    assert_eq!(explanation["sources"][1]["problem"]["code"], "unsupported_filter");
}

/// Requests that are rejected for the reason that their explanation predicts.
#[tokio::test]
async fn rejected_request_is_explained() {
    for (question, statuses, calls) in [
        ("/customers?connection=tax&order=desc", vec!["rejected"], [1, 1]),
        ("/customers?order=desc", vec!["asked", "rejected"], [2, 2]),
        ("/customers?order=desc&email=a@b.example", vec!["asked", "rejected"], [2, 21]),
        ("/customers?order=desc&max_calls=1", vec!["asked", "rejected"], [2, 2]),
        ("/customers?order=desc&partial=allow", vec!["asked", "rejected"], [2, 2]),
        ("/customers?status=active", vec!["asked", "skipped"], [1, 1]),
        ("/customers?connection=tax&status=active", vec!["skipped"], [0, 0]),
        ("/transactions?connection=tax", vec!["skipped"], [0, 0]),
    ] {
        let stage = stage().configure(|config| config.paging.max_sorted_rows = 149).start().await;
        // The first page tells the number of rows.
        stage.gateway.get("/customers?connection=tax").await.ok();
        let explanation = stage.explain(question).await;
        let refused = stage.gateway.get(question).await;
        let problem = refused.problem();
        for member in ["code", "detail", "status", "title", "parameter"] {
            assert_eq!(explanation["rejection"][member], problem[member], "{question}");
        }
        let sources = explanation["sources"].as_array().unwrap();
        let told: Vec<_> = sources.iter().map(|source| source["status"].as_str().unwrap()).collect();
        assert_eq!(told, statuses, "{question}");
        let told = ["min", "max"].map(|bound| explanation["calls"][bound].as_u64().unwrap());
        assert_eq!(told, calls, "{question}");
    }
}

#[tokio::test]
async fn rejected_merge_is_explained() {
    let stage = stage().start().await;
    let explanation = stage.explain("/customers?order=desc&max_calls=1").await;
    assert_eq!(explanation["rejection"]["code"], "order_too_expensive");
    assert_eq!((&explanation["max_calls"], &explanation["calls"]["min"]), (&1.into(), &2.into()));
    let accepted = stage.explain("/customers?order=desc&max_calls=3").await;
    assert_eq!(accepted["rejection"], Value::Null);
}

#[tokio::test]
async fn explanation_respects_only_if_cached() {
    let stage = stage().start().await;
    let only_if_cached = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}/explain/customers?connection=tax")).header("cache-control", "only-if-cached")
    };
    let explanation = stage.gateway.request(only_if_cached).await.ok();
    assert_eq!(explanation["calls"]["min"], 0);
    assert_eq!(explanation["sources"][0]["requests"][0]["sent"], false);
}
