//! `Link` (RFC 8288) of pages and problems.

use std::collections::BTreeMap;

use crate::support::{Answer, StageBuilder, ids, sandbox};

fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(50, 30, 30))
}

impl Answer {
    /// Returns the reference of each relation.
    fn links(&self) -> BTreeMap<&str, &str> {
        let links = self.header("link").split(", ").filter(|link| !link.is_empty());
        links
            .map(|link| {
                let (reference, relation) = link.split_once(">; rel=\"").unwrap();
                (relation.strip_suffix('"').unwrap(), reference.strip_prefix('<').unwrap())
            })
            .collect()
    }
}

#[tokio::test]
async fn next_and_prev_links_walk_the_list() {
    let stage = stage().start().await;
    let customer = stage.vendors.tolt().transactions()[0].customer_id.clone();
    for target in [
        "/customers?limit=7".to_owned(),
        "/customers?order=desc&limit=9&connection=affiliates&connection=tax".to_owned(),
        "/transactions?limit=11".to_owned(),
        format!("/customers/affiliates.{customer}/transactions?limit=1"),
    ] {
        let expected = stage.gateway.walk(&target).await.unwrap();
        // The second round comes from the response cache.
        for _ in 0..2 {
            let (mut forward, mut next) = (Vec::new(), Some(target.clone()));
            let mut last = String::new();
            while let Some(reference) = next {
                let page = stage.get(&reference).await;
                let links = page.links();
                assert_eq!((links["first"], links["describedby"]), (&*target, "/openapi.json"));
                assert_eq!(links.contains_key("next"), page.json()["page"]["has_more"] == true, "{reference}");
                forward.push(ids(&page.ok()));
                next = links.get("next").map(ToString::to_string);
                last = reference;
            }
            assert_eq!(forward.concat(), expected, "{target}");
            let (mut backward, mut prev) = (Vec::new(), Some(last));
            while let Some(reference) = prev {
                let page = stage.get(&reference).await;
                backward.push(ids(&page.ok()));
                prev = page.links().get("prev").map(ToString::to_string);
            }
            backward.reverse();
            assert_eq!(backward.concat(), expected, "{target}");
        }
    }
}

#[tokio::test]
async fn links_of_a_batch_return_all_ids() {
    let stage = stage().start().await;
    let wanted: Vec<_> =
        stage.vendors.tolt().customers()[..5].iter().map(|it| format!("affiliates.{}", it.id)).collect();
    let query = wanted.iter().map(|id| format!("id={id}")).collect::<Vec<_>>().join("&");
    let mut found = Vec::new();
    let mut next = Some(format!("/customers?{query}&limit=2"));
    while let Some(reference) = next {
        let page = stage.get(&reference).await;
        found.extend(ids(&page.ok()));
        next = page.links().get("next").map(ToString::to_string);
    }
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn parameters_are_repeated_as_sent() {
    let stage = stage().start().await;
    let page = stage.get("/customers?limit=1&search=%C3%A9%26+%22&c%75rsor=x").await;
    assert_eq!(page.code(400), "invalid_cursor");
    let page = stage.get("/customers?search=%C3%A9%26+%22&connection=affiliates").await;
    page.ok();
    assert_eq!(page.links()["first"], "/customers?search=%C3%A9%26+%22&connection=affiliates");
}

#[tokio::test]
async fn problem_links_to_its_page() {
    let stage = stage().start().await;
    for target in ["/nowhere", "/customers?limit=-1", "/customers/affiliates.cust_nobody", "/connections/nowhere"] {
        let problem = stage.get(target).await;
        let page = problem.links()["describedby"].to_owned();
        assert_eq!(problem.problem()["type"], page, "{target}");
        assert_eq!(stage.get(&page).await.status, 200);
    }
}

#[tokio::test]
async fn other_responses_have_no_links() {
    let stage = stage().start().await;
    let customer = format!("/customers/affiliates.{}", stage.vendors.tolt().customers()[0].id);
    for target in [&*customer, "/connections", "/livez"] {
        assert_eq!(stage.get(target).await.header("link"), "", "{target}");
    }
    let target = "/customers?connection=affiliates";
    let tag = stage.get(target).await.header("etag").to_owned();
    for _ in 0..3 {
        let request =
            |client: &reqwest::Client, url: &str| client.get(format!("{url}{target}")).header("if-none-match", &tag);
        let answer = stage.gateway.request(request).await;
        assert_eq!((answer.status, answer.header("link")), (304, ""));
    }
}
