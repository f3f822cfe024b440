//! Entity tags and cached responses of each coding.

use std::collections::BTreeSet;

use super::{CODINGS, PAGE, fetch, stage};

const ACCEPTED: [&str; 4] = ["zstd", "br", "gzip", "identity"];

#[tokio::test]
async fn each_coding_has_its_own_etag() {
    let stage = stage().start().await;
    // The first round comes from the router, and the next rounds from the response
    // cache.
    for round in 0..3 {
        let mut tags = BTreeSet::new();
        for accepted in ACCEPTED {
            let whole = fetch(&stage.gateway, PAGE, &[("accept-encoding", accepted)]).await;
            let tag = whole.header("etag").to_owned();
            for conditional in ACCEPTED {
                let headers = [("accept-encoding", conditional), ("if-none-match", &tag)];
                let answer = fetch(&stage.gateway, PAGE, &headers).await;
                let expected = if conditional == accepted { 304 } else { 200 };
                assert_eq!(answer.status, expected, "{tag} with {conditional}, round {round}");
                if expected == 304 {
                    assert_eq!((answer.header("etag"), answer.body.len()), (&*tag, 0));
                    assert_eq!(answer.header("content-encoding"), "");
                    assert!(answer.header("vary").contains("accept-encoding"));
                }
            }
            let all = [("accept-encoding", accepted), ("if-none-match", "*")];
            assert_eq!(fetch(&stage.gateway, PAGE, &all).await.status, 304);
            assert!(tags.insert(tag));
        }
    }
}

#[tokio::test]
async fn cached_response_keeps_its_coding() {
    let stage = stage().start().await;
    let plain = fetch(&stage.gateway, PAGE, &[]).await.decoded();
    for round in 0..3 {
        for accepted in ACCEPTED {
            let answer = fetch(&stage.gateway, PAGE, &[("accept-encoding", accepted)]).await;
            assert!(answer.header("cache-status").starts_with("customer-gateway; hit; ttl="), "{accepted}");
            let expected = if accepted == "identity" { "" } else { accepted };
            assert_eq!(answer.header("content-encoding"), expected, "round {round}");
            assert!(answer.decoded() == plain, "{accepted}, round {round}");
        }
    }
    assert_eq!(stage.tolt_calls(), 1);
}

#[tokio::test]
async fn unchanged_page_keeps_the_etag_of_each_coding() {
    let stage = stage().start().await;
    for coding in CODINGS {
        let headers = [("accept-encoding", coding)];
        let first = fetch(&stage.gateway, PAGE, &headers).await.header("etag").to_owned();
        assert!(first.ends_with(&format!("-{coding}\"")), "{first}");
        let second = fetch(&stage.gateway, PAGE, &headers).await;
        assert_eq!(second.header("etag"), first);
    }
}

#[tokio::test]
async fn unread_bound_counts_encoded_bytes() {
    // The plain page has more bytes than one caller may hold beside another response.
    let stage = stage().configure(|config| config.server.max_unread_bytes = 32 << 10).start().await;
    assert_eq!(fetch(&stage.gateway, PAGE, &[]).await.status, 503);
    for coding in CODINGS {
        for _ in 0..3 {
            let answer = fetch(&stage.gateway, PAGE, &[("accept-encoding", coding)]).await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, coding));
        }
    }
}
