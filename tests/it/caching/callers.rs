//! Whose requests, vendor calls and hits are whose.

use std::time::Duration;

use customer_gateway::{config::Config, sandbox::Fault};

use super::{PAGE, Stage, metrics::metric};
use crate::support::caller;

/// A stage with two callers, `growth` and `billing`, whose keys are their names.
async fn stage(change: impl FnOnce(&mut Config)) -> Stage {
    Stage::configured(|config| {
        config.callers = ["growth", "billing"].map(|name| caller(name, name, &["affiliates", "tax"])).into();
        change(config);
    })
    .await
}

#[tokio::test]
async fn a_request_that_misses_its_deadline_is_its_callers() {
    let stage = stage(|config| config.server.request_timeout = Duration::from_millis(50)).await;
    stage.sandbox.tolt().fail_next(1, Fault::Stall(Duration::from_mins(10)));
    assert_eq!(stage.gateway.get_as("growth", PAGE).await.code(504), "deadline_exceeded");
    let late = r#"gateway_requests_total{route="/customers",status="504",caller="growth"}"#;
    assert_eq!(metric(&stage, late).await, 1);
}
