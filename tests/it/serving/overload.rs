//! More requests than may be worked on.

use std::sync::Arc;

use super::{PAGE, Stage, until};

#[tokio::test]
async fn one_request_more_than_may_be_is_told_to_come_back() {
    let stage = Stage::set(|config| config.server.max_requests = 2).await;
    let waiting = futures_util::future::join(stage.get(PAGE), stage.get("/customers?connection=odd&status=active"));
    let overload = async {
        stage.is_asked(2).await;
        let refused = stage.get("/connections").await;
        assert_eq!(refused.code(503), "overloaded");
        assert_eq!(refused.header("retry-after"), "1");
        for target in ["/livez", "/readyz", "/metrics", "/openapi.json", "/problems/overloaded"] {
            assert_eq!(stage.get(target).await.status, 200, "{target}");
        }
        stage.open(2);
    };
    let ((first, second), ()) = futures_util::future::join(waiting, overload).await;
    first.ok();
    second.ok();
    stage.get("/connections").await.ok();
}

#[tokio::test]
async fn what_is_remembered_is_answered_all_the_same() {
    let stage = Stage::set(|config| config.server.max_requests = 1).await;
    stage.open(1);
    stage.get(PAGE).await.ok();
    // A hit is what is remembered.
    stage.get(PAGE).await.ok();
    let waiting = stage.get("/customers?connection=odd&status=active");
    let overload = async {
        stage.is_asked(2).await;
        stage.get(PAGE).await.ok();
        assert_eq!(stage.get("/customers?connection=odd&limit=1").await.code(503), "overloaded");
        stage.open(1);
    };
    futures_util::future::join(waiting, overload).await.0.ok();
}

/// Each request is answered, or told to come back; and no place is lost.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_under_more_load_than_there_may_be() {
    let stage = Arc::new(Stage::set(|config| config.server.max_requests = 4).await);
    stage.open(100_000);
    let asking = (0..32).map(|place| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move {
            let (mut answered, mut refused) = (0, 0);
            while answered < 20 {
                let answer = stage.get(&format!("{PAGE}&partner_id=part_{place}_{}", answered + refused)).await;
                match answer.status {
                    200 => answered += 1,
                    503 => {
                        assert_eq!(answer.code(503), "overloaded");
                        assert_eq!(answer.header("retry-after"), "1");
                        refused += 1;
                    }
                    status => panic!("{status}: {}", answer.text),
                }
            }
            refused
        })
    });
    let refused = futures_util::future::join_all(asking.collect::<Vec<_>>()).await;
    assert!(refused.into_iter().map(Result::unwrap).sum::<u32>() > 0, "never too many at once");
    until(async || stage.get("/metrics").await.text.contains("gateway_requests_in_flight 0\n")).await;
}

#[tokio::test]
async fn a_caller_who_has_gone_leaves_a_place() {
    let stage = Stage::set(|config| config.server.max_requests = 1).await;
    tokio::select! {
        _ = stage.get(PAGE) => panic!("nothing was let through"),
        () = stage.is_asked(1) => {}
    }
    until(async || stage.get("/connections").await.status == 200).await;
    stage.open(1);
}
