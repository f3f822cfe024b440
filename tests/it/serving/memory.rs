//! Bounds of the memory of requests in progress. FACTS.md, cases 137 and 138.

use std::time::Duration;

use futures_util::future::{join, join_all};

use super::{endless_list, until};
use crate::support::{ACCOUNT, Reply, ScriptedVendor, StageBuilder, caller, connection, tolt_page, tolt_row};

/// Maximum size of a vendor response, in MiB.
const MAX_BODY: usize = 8;

#[tokio::test]
async fn unfinished_vendor_bodies_are_bounded() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_BODY << 20);
    // The last MiB is missing.
    let unfinished = Reply::Bytes([head.into_bytes(), vec![b' '; (MAX_BODY - 1) << 20]].concat());
    let healthy = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let stage = StageBuilder::new(ScriptedVendor::start(move |_, _| unfinished.clone()))
        .configure(|config| {
            config.server.max_vendor_bytes = 32 << 20;
            config.connections[0].timeout = Duration::from_secs(2);
            config.connections.push(connection("healthy", "tolt", &healthy.base_url, "sk_healthy", ACCOUNT));
        })
        .start()
        .await;
    let targets: Vec<_> = (0..10).map(|page| format!("/customers?connection=odd&partner_id=part_{page}")).collect();
    let checking = async {
        until(async || stage.vendors.calls() == targets.len()).await;
        stage.get("/customers?connection=healthy").await.ok();
    };
    let (answers, ()) = join(join_all(targets.iter().map(|target| stage.get(target))), checking).await;

    // One connection may hold half of the bound: two bodies.
    let codes: Vec<_> = answers.iter().map(|answer| answer.problem()["code"].as_str().unwrap().to_owned()).collect();
    let count = |code: &str| codes.iter().filter(|other| *other == code).count();
    assert!(count("overloaded") >= 8 && count("overloaded") + count("deadline_exceeded") == 10, "{codes:?}");
    assert_eq!(stage.get("/connections/odd").await.ok()["breaker"]["state"], "closed");
}

#[tokio::test]
async fn unread_responses_are_bounded_per_caller() {
    let callers = ["first", "second"].map(|name| caller(name, name, &["odd"]));
    let stage = endless_list(1_000)
        .configure(|config| {
            config.server.max_unread_bytes = 1 << 20;
            config.callers = callers.to_vec();
        })
        .start()
        .await;
    let target = "/customers?connection=odd&limit=100";
    let deaf = reqwest::Client::builder().http2_prior_knowledge().http2_initial_stream_window_size(0).build().unwrap();
    let mut unread = Vec::new();
    for _ in 0..20 {
        let request = deaf.get(format!("{}{target}", stage.gateway.url)).bearer_auth("first");
        unread.push(request.send().await.unwrap());
    }
    let answered = unread.iter().filter(|response| response.status() == 200).count();
    assert!((2..10).contains(&answered), "{answered}");
    assert!(unread.iter().all(|response| [200, 503].contains(&response.status().as_u16())));

    let rejected = stage.gateway.get_as("first", target).await;
    assert_eq!((rejected.code(503), rejected.header("retry-after")), ("overloaded".to_owned(), "1"));
    stage.gateway.get_as("second", target).await.ok();
    assert_eq!(stage.get("/metrics").await.status, 200);
    drop(unread);
    until(async || stage.gateway.get_as("first", target).await.status == 200).await;
}
