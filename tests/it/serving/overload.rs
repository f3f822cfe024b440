//! More requests than may be worked on.

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
