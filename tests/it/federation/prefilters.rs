//! Prefilters: Tolt's `search`, accepted, ignored and rejected (FACTS.md, cases
//! 140 to 144).

use std::time::Duration;

use customer_gateway::sandbox::ToltSearch;

use super::{all_ids, cursor, page, sources, stage, stage_of, tolt_customer, walk, walk_back};
use crate::support::{Stage, StageBuilder, ids};

const JIM: &str = "/customers?email=Jim%40Example.com";

/// Returns a stage with a match on each of three pages at Tolt, and two pages at
/// the corporation vendor.
fn three_jims() -> StageBuilder<'static> {
    let mut tolt: Vec<_> = (0..250).map(|number| tolt_customer(&format!("cust_{number:03}"), 1_000 + number)).collect();
    for number in [10, 120, 230] {
        tolt[number].email = "jim@example.com".into();
    }
    let tax = (0..150).map(|number| super::corporation_customer(&format!("cust_{number:03}"), Some(number))).collect();
    stage_of(tolt, tax)
}

fn jims() -> Vec<String> {
    ["230", "120", "010"].iter().map(|number| format!("affiliates.cust_{number}")).collect()
}

impl Stage {
    /// Returns the number of Tolt's calls with `search`, and of the others.
    fn searches(&self) -> (usize, usize) {
        let requests = self.vendors.tolt().requests();
        let searches = requests.iter().filter(|target| target.contains("search=")).count();
        (searches, requests.len() - searches)
    }
}

#[tokio::test]
async fn email_takes_one_search_of_tolt() {
    let stage = three_jims().start().await;
    let found = page(&stage.gateway, JIM, None).await;
    assert_eq!((ids(&found), cursor(&found, "next_cursor")), (jims(), None));
    assert_eq!(sources(&found), "affiliates ok null, tax ok null", "the vendor's count is not trusted");
    assert!(found["page"]["total"].is_null());
    assert_eq!(stage.calls(), [1, 2]);
    assert!(stage.vendors.tolt().requests()[0].contains("&search=jim%40example.com&"), "in lower case");
    page(&stage.gateway, JIM, None).await;
    page(&stage.gateway, "/customers?email=JIM%40EXAMPLE.COM", None).await;
    assert_eq!(stage.calls(), [1, 2], "all pages are cached");
}

#[tokio::test]
async fn sandbox_lookup_takes_26_calls() {
    let stage = stage(10_000, 2_500).configure(|config| config.paging.max_vendor_calls = 50).start().await;
    let customers = stage.vendors.tolt().customers();
    let email = customers[0].email.as_str().unwrap().to_owned();
    let found = page(&stage.gateway, &format!("/customers?email={email}"), None).await;
    assert!(ids(&found).contains(&format!("affiliates.{}", customers[0].id)));
    assert_eq!((cursor(&found, "next_cursor"), stage.calls()), (None, [1, 25]));
    page(&stage.gateway, &format!("/customers?email={email}"), None).await;
    assert_eq!(stage.calls(), [1, 25]);
}

#[tokio::test]
async fn ignored_search_costs_calls_and_loses_no_row() {
    let stage = three_jims().start().await;
    stage.vendors.tolt().set_search(ToltSearch::Ignore);
    let found = page(&stage.gateway, JIM, None).await;
    assert_eq!((ids(&found), sources(&found).as_str()), (jims(), "affiliates ok null, tax ok null"));
    assert_eq!((stage.calls(), stage.searches()), ([3, 2], (3, 0)));
}

#[tokio::test]
async fn rejected_search_is_sent_once() {
    let stage = three_jims().start().await;
    stage.vendors.tolt().set_search(ToltSearch::Reject);
    let found = page(&stage.gateway, JIM, None).await;
    assert_eq!((ids(&found), stage.searches()), (jims(), (1, 3)));
    stage.gateway.clock.advance(Duration::from_hours(2));
    for question in [JIM, "/customers?search=%40example", "/customers?connection=affiliates&email=pam%40example.com"] {
        page(&stage.gateway, question, None).await;
    }
    assert_eq!(stage.searches().0, 1);
}

/// The second call of a rejected search exceeds a budget of one call, once.
#[tokio::test]
async fn rejected_search_advances_with_one_call() {
    let stage = three_jims().start().await;
    stage.vendors.tolt().set_search(ToltSearch::Reject);
    let question = format!("{JIM}&connection=affiliates&max_calls=1");
    assert_eq!(all_ids(&walk(&stage.gateway, &question).await), jims());
    assert_eq!(stage.searches(), (1, 3));
}

#[tokio::test]
async fn walk_continues_after_search_is_rejected() {
    let stage = three_jims().start().await;
    let question = format!("{JIM}&limit=1");
    let first = page(&stage.gateway, &question, None).await;
    assert_eq!((ids(&first), stage.searches()), (jims()[..1].to_vec(), (1, 0)));
    stage.vendors.tolt().set_search(ToltSearch::Reject);
    stage.gateway.clock.advance(Duration::from_hours(2));
    let mut seen = ids(&first);
    let mut last = first;
    while let Some(next) = cursor(&last, "next_cursor") {
        last = page(&stage.gateway, &question, Some(&next)).await;
        seen.extend(ids(&last));
    }
    assert_eq!((seen, stage.searches().0), (jims(), 2));
    // Backward, at a gateway that does not know the rejection.
    stage.vendors.tolt().set_search(ToltSearch::Accept);
    let other = crate::support::Gateway::start(crate::support::config(crate::support::connections_to(&stage.vendors)));
    let back = walk_back(&other.await, &question, &last).await;
    let mut back: Vec<_> = back.iter().rev().flat_map(ids).collect();
    back.extend(ids(&last));
    assert_eq!(back, jims());
    assert!(stage.searches().0 > 2);
}

#[tokio::test]
async fn rejected_value_does_not_end_the_search() {
    let stage = three_jims().start().await;
    let refused = stage.gateway.get("/customers?connection=affiliates&status=bogus&email=jim%40example.com").await;
    assert_eq!((refused.code(400), stage.searches()), ("invalid_parameter".to_owned(), (1, 0)));
    stage.vendors.tolt().reset_calls();
    page(&stage.gateway, JIM, None).await;
    assert_eq!(stage.searches(), (1, 0));
}

#[tokio::test]
async fn uncertain_text_is_not_sent_to_the_vendor() {
    for (stored, asked) in [
        ("josé@example.com", "JOSÉ@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("jim@example.com", "ｊｉｍ@example.com"),
    ] {
        let mut tolt: Vec<_> =
            (0..150).map(|number| tolt_customer(&format!("cust_{number:03}"), 1_000 + number)).collect();
        tolt[3].email = stored.into();
        let stage = stage_of(tolt, Vec::new()).start().await;
        for parameter in ["email", "search"] {
            let found = page(&stage.gateway, &format!("/customers?{parameter}={asked}"), None).await;
            assert_eq!(ids(&found), ["affiliates.cust_003"], "{parameter}={asked}");
        }
        assert_eq!(stage.searches(), (0, 2), "{asked}");
    }
}

#[tokio::test]
async fn tagged_address_is_found_by_its_last_part() {
    let mut tolt: Vec<_> = (0..150).map(|number| tolt_customer(&format!("cust_{number:03}"), 1_000 + number)).collect();
    tolt[3].email = "jim+tag@example.com".into();
    tolt[4].email = "tag@example.com".into();
    let stage = stage_of(tolt, Vec::new()).start().await;
    let found = page(&stage.gateway, "/customers?email=Jim%2BTag%40example.com", None).await;
    assert_eq!((ids(&found), stage.calls()), (vec!["affiliates.cust_003".to_owned()], [1, 1]));
    assert!(stage.vendors.tolt().requests()[0].contains("&search=tag%40example.com&"));
}

#[tokio::test]
async fn search_with_an_at_sign_reads_addresses_only() {
    let mut tolt: Vec<_> = (0..150).map(|number| tolt_customer(&format!("cust_{number:03}"), 1_000 + number)).collect();
    tolt[3].email = "jim@acme.test".into();
    tolt[4].name = "Acme (billing@acme.test)".into();
    tolt[5].name = "acme.test".into();
    let stage = stage_of(tolt, Vec::new()).start().await;
    let found = page(&stage.gateway, "/customers?search=%40ACME", None).await;
    assert_eq!((ids(&found), stage.searches()), (vec!["affiliates.cust_003".to_owned()], (1, 0)));
    stage.vendors.tolt().reset_calls();
    let found = page(&stage.gateway, "/customers?search=ACME", None).await;
    assert_eq!(ids(&found), ["affiliates.cust_005", "affiliates.cust_004", "affiliates.cust_003"]);
    assert_eq!(stage.searches(), (0, 2), "the vendor's search does not read names");
}
