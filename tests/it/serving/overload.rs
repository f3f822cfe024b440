//! Load shedding: requests above `max_requests`.

use std::sync::Arc;

use super::{PAGE, stage, until};

#[tokio::test]
async fn request_over_max_requests_is_503() {
    let stage = stage().configure(|config| config.server.max_requests = 2).start().await;
    let waiting = futures_util::future::join(stage.get(PAGE), stage.get("/customers?connection=odd&status=active"));
    let overload = async {
        stage.wait_for_calls(2).await;
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
async fn cached_responses_bypass_load_shedding() {
    let stage = stage().configure(|config| config.server.max_requests = 1).start().await;
    stage.open(1);
    stage.get(PAGE).await.ok();
    // A cache hit is stored in the response cache.
    stage.get(PAGE).await.ok();
    let waiting = stage.get("/customers?connection=odd&status=active");
    let overload = async {
        stage.wait_for_calls(2).await;
        stage.get(PAGE).await.ok();
        assert_eq!(stage.get("/customers?connection=odd&limit=1").await.code(503), "overloaded");
        stage.open(1);
    };
    futures_util::future::join(waiting, overload).await.0.ok();
}

/// Each request is answered or rejected with `Retry-After`, and no slot is
/// lost.
#[tokio::test(flavor = "multi_thread")]
async fn overload_loses_no_request_and_no_slot() {
    let stage = Arc::new(stage().configure(|config| config.server.max_requests = 4).start().await);
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
    assert!(refused.into_iter().map(Result::unwrap).sum::<u32>() > 0, "no request was rejected");
    until(async || stage.get("/metrics").await.text.contains("gateway_requests_in_flight 0\n")).await;
}

#[tokio::test]
async fn cancelled_request_frees_its_slot() {
    let stage = stage().configure(|config| config.server.max_requests = 1).start().await;
    tokio::select! {
        _ = stage.get(PAGE) => panic!("the vendor's gate is closed"),
        () = stage.wait_for_calls(1) => {}
    }
    until(async || stage.get("/connections").await.status == 200).await;
    stage.open(1);
}
