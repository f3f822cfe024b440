//! Replacement of the served configuration.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use customer_gateway::{
    app::{App, AppError},
    callers::{Caller, Quota},
    clock::SharedClock,
    config::Config,
    sandbox::Fault,
};
use futures_util::future::join;
use tokio::sync::Semaphore;

use super::{PAGE, completed, stage};
use crate::support::{
    ACCOUNT, Gateway, MovableClock, Reply, ScriptedVendor, Stage, StageBuilder, caller, config, connection,
    connections_to, redis::settings as shared_on, sandbox, tolt_page, tolt_row,
};

/// Returns a stage with 30 customers of each vendor.
fn sandbox_stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(30, 0, 30))
}

#[tokio::test]
async fn unchanged_connection_keeps_cache_and_breaker() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    gateway.get("/customers?connection=tax").await.ok();
    sandbox.tolt().fail_next(5, Fault::Status(520));
    for index in 0..5 {
        gateway.get(&format!("/customers/affiliates.cust_{index}")).await.problem();
    }
    let calls = (sandbox.tolt().calls(), sandbox.corporation().calls());
    let mut more = config(connections_to(&sandbox));
    more.connections.push(connection("more", "tolt", &sandbox.tolt().base_url(), "sk_other", "prg_other"));
    let changes = gateway.reload(more).await;
    assert_eq!(changes.added, ["more".parse().unwrap()]);
    assert_eq!((changes.removed.len(), changes.changed.len(), changes.requires_restart.len()), (0, 0, 0));

    let kept = gateway.get("/customers?connection=tax").await;
    assert!(kept.header("cache-status").contains("; hit"), "{}", kept.header("cache-status"));
    assert_eq!(gateway.get("/customers?connection=affiliates").await.code(503), "vendor_unavailable");
    assert_eq!((sandbox.tolt().calls(), sandbox.corporation().calls()), calls);
    assert_eq!(gateway.get("/connections/more").await.ok()["breaker"]["state"], "closed");
}

#[tokio::test]
async fn spent_budget_survives_reload() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    let with = |requests: u32, timeout: u64| {
        let mut config = config(connections_to(&sandbox));
        for connection in &mut config.connections {
            connection.rate_limit.windows[0].requests = NonZeroU32::new(requests).unwrap();
            connection.rate_limit.max_wait = Duration::ZERO;
            connection.timeout = Duration::from_secs(timeout);
        }
        config
    };
    gateway.reload(with(1, 10)).await;
    gateway.get("/customers?connection=tax").await.ok();
    assert_eq!(gateway.get("/customers?connection=tax&limit=1&name=b").await.code(503), "vendor_rate_limited");
    // A changed timeout makes a new connection and keeps the budget.
    assert_eq!(gateway.reload(with(1, 20)).await.changed.len(), 2);
    assert_eq!(gateway.get("/customers?connection=tax&limit=1&name=c").await.code(503), "vendor_rate_limited");
    assert!(gateway.get("/customers?connection=tax").await.header("cache-status").contains("; hit"));
    // A changed limit makes a new budget.
    gateway.reload(with(2, 20)).await;
    gateway.get("/customers?connection=tax&limit=1&name=d").await.ok();
}

#[tokio::test]
async fn vendor_block_survives_a_changed_limit() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    let too_many = Fault::StatusWithHeaders(429, vec![("retry-after".to_owned(), "60".to_owned())]);
    sandbox.corporation().fail_next(1, too_many);
    assert_eq!(gateway.get("/customers?connection=tax").await.code(503), "vendor_rate_limited");
    let mut other = config(connections_to(&sandbox));
    other.connections[1].rate_limit.windows[0].requests = NonZeroU32::new(5).unwrap();
    gateway.reload(other).await;
    let calls = sandbox.corporation().calls();
    assert_eq!(gateway.get("/customers?connection=tax").await.code(503), "vendor_rate_limited");
    assert_eq!(sandbox.corporation().calls(), calls);
}

#[tokio::test]
async fn shared_budget_stays_shared_after_reload() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    let sharing = |requests: u32| {
        let mut config = config(connections_to(&sandbox));
        let mut twin = config.connections[1].clone();
        twin.name = "twin".parse().unwrap();
        config.connections[1].rate_limit.windows[0].requests = NonZeroU32::new(requests).unwrap();
        config.connections[1].rate_limit.max_wait = Duration::ZERO;
        config.connections.push(twin);
        config
    };
    gateway.reload(sharing(1_000_000)).await;
    // The limit of the first connection counts, also for the unchanged one.
    gateway.reload(sharing(1)).await;
    gateway.get("/customers?connection=tax").await.ok();
    assert_eq!(gateway.get("/connections/twin").await.ok()["budget"]["remaining"], 0);
}

#[tokio::test]
async fn spent_quota_survives_reload_unless_changed() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    let with = |requests: u32| {
        let mut config = config(connections_to(&sandbox));
        let mut growth = caller("growth", "cgk_growth", &["tax"]);
        let requests = NonZeroU32::new(requests).unwrap();
        growth.quota = Some(Quota { requests, per: Duration::from_mins(1) });
        // Another caller precedes this caller, so its index changes.
        config.callers =
            if requests.get() == 1 { vec![growth] } else { vec![caller("new", "cgk_new", &["tax"]), growth] };
        config
    };
    gateway.reload(with(1)).await;
    gateway.get_as("cgk_growth", "/connections").await.ok();
    gateway.reload(with(1)).await;
    assert_eq!(gateway.get_as("cgk_growth", "/connections").await.code(429), "quota_exceeded");
    gateway.reload(with(2)).await;
    gateway.get_as("cgk_growth", "/connections").await.ok();
}

#[tokio::test]
async fn account_change_discards_the_cached_pages() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let vendor = |id: &'static str, held: Option<Arc<Semaphore>>| {
        ScriptedVendor::start(move |_, _| {
            let reply = Reply::json(&tolt_page(&[tolt_row(id)], false));
            held.as_ref().map_or(reply.clone(), |gate| reply.gated_by(gate))
        })
    };
    let (first, second) = (vendor("cust_first", Some(held)).await, vendor("cust_second", None).await);
    let with = |vendor: &ScriptedVendor| config(vec![connection("odd", "tolt", &vendor.base_url, "sk", ACCOUNT)]);
    let gateway = Gateway::start(with(&first)).await;
    gate.add_permits(1);
    assert!(gateway.get(PAGE).await.text.contains("cust_first"));

    // One request is in flight to the first account, and is answered by it.
    let slow = gateway.get("/customers?connection=odd&status=active");
    let swap = async {
        super::until(async || first.calls() == 2).await;
        assert_eq!(gateway.reload(with(&second)).await.changed.len(), 1);
        assert!(gateway.get(PAGE).await.text.contains("cust_second"));
        gate.add_permits(1);
    };
    let (slow, ()) = join(slow, swap).await;
    assert!(slow.text.contains("cust_first"));
    // The page of the first account is not cached for the second account.
    assert!(gateway.get("/customers?connection=odd&status=active").await.text.contains("cust_second"));
    // After another change back, the first account is called again.
    gate.add_permits(1);
    gateway.reload(with(&first)).await;
    assert!(gateway.get(PAGE).await.text.contains("cust_first"));
    assert_eq!(first.calls(), 3);
}

/// An earlier request continues to call the first account after the second
/// account has replaced it.
#[tokio::test]
async fn late_fetch_of_an_old_request_is_not_cached() {
    let stage = stage().start().await;
    let vendor = |id: &'static str| ScriptedVendor::replying(tolt_page(&[tolt_row(id)], false));
    let (first, second) = (vendor("cust_first").await, vendor("cust_second").await);
    let with = |vendor: &ScriptedVendor| {
        let later = connection("later", "tolt", &vendor.base_url, "sk", ACCOUNT);
        config(vec![stage.vendor().connection("tolt"), later])
    };
    stage.gateway.reload(with(&first)).await;
    let both = stage.get("/customers");
    let swap = async {
        stage.wait_for_calls(1).await;
        stage.gateway.reload(with(&second)).await;
        stage.open(1);
    };
    assert!(join(both, swap).await.0.text.contains("cust_first"));
    assert!(stage.get("/customers?connection=later").await.text.contains("cust_second"));
}

#[tokio::test]
async fn removed_connection_sets_its_gauges_to_nan() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    sandbox.tolt().fail_next(5, Fault::Status(520));
    for index in 0..5 {
        gateway.get(&format!("/customers/affiliates.cust_{index}")).await.problem();
    }
    let open = r#"gateway_breaker_open{connection="affiliates"} 1"#;
    assert!(gateway.get("/metrics").await.text.contains(open));
    let mut fewer = config(connections_to(&sandbox));
    fewer.connections.remove(0);
    // Even gauges that are read during the removal.
    let changes = gateway.reload_with_hook(fewer, async || {
        assert!(gateway.get("/metrics").await.text.contains(open));
    });
    assert_eq!(changes.await.removed, ["affiliates".parse().unwrap()]);
    assert_eq!(gateway.get("/customers?connection=affiliates").await.code(404), "connection_not_found");
    let metrics = gateway.get("/metrics").await.text;
    for gauge in ["breaker_open", "budget_remaining", "budget_waiting", "budget_blocked_seconds"] {
        let gone = format!("gateway_{gauge}{{connection=\"affiliates\"}} NaN");
        assert!(metrics.contains(&gone), "{gone}: {metrics}");
    }
    // The connection returns.
    gateway.reload(config(connections_to(&sandbox))).await;
    assert!(gateway.get("/metrics").await.text.contains(r#"gateway_breaker_open{connection="affiliates"} 0"#));
}

#[tokio::test]
async fn settings_requiring_a_restart_are_reported() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    let other = || {
        let mut other = config(connections_to(&sandbox));
        other.server.listen.set_port(1);
        other.server.limits.max_connections = 1;
        other.cache.max_bytes = 1 << 20;
        other.shared = Some(shared_on("redis://127.0.0.1:1"));
        other
    };
    // At each reload until the restart.
    for _ in 0..2 {
        let changes = gateway.reload(other()).await;
        let settings = ["server.listen", "server.max_connections", "shared", "cache.max_bytes"];
        assert_eq!(changes.requires_restart, settings);
    }
}

/// A reload does not change the listening address, whatever the file says.
#[tokio::test]
async fn public_listener_requires_callers_after_reload() {
    let sandbox = sandbox(1, 0, 0).await;
    let clock: SharedClock = Arc::new(MovableClock::new());
    let on = |address: [u8; 4], callers: Vec<Caller>| {
        let mut config = config(connections_to(&sandbox));
        config.server.listen = (address, 0).into();
        config.callers = callers;
        config
    };
    let app = App::new(on([0, 0, 0, 0], vec![caller("growth", "cgk_growth", &["tax"])]), &clock).unwrap();
    let error = app.reconfigured(on([127, 0, 0, 1], Vec::new())).await.unwrap_err();
    assert!(matches!(error, AppError::UnauthenticatedListener(_)), "{error}");
    assert!(error.to_string().contains("listens on 0.0.0.0:0 until a restart"));
}

#[tokio::test]
async fn in_flight_request_keeps_its_configuration() {
    let stage = stage().start().await;
    let waiting = stage.get(PAGE);
    let renewing = async {
        stage.wait_for_calls(1).await;
        let mut other = config(vec![stage.vendor().connection("tolt")]);
        other.connections[0].name = "even".parse().unwrap();
        stage.gateway.reload(other).await;
        stage.open(1);
    };
    join(waiting, renewing).await.0.ok();
    assert_eq!(stage.get(PAGE).await.code(404), "connection_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_under_load_loses_no_request() {
    let Stage { vendors: sandbox, gateway } = sandbox_stage().start().await;
    let gateway = Arc::new(gateway);
    let configured = |round: u32| -> Config {
        let mut config = config(connections_to(&sandbox));
        config.connections[0].timeout += Duration::from_secs(round.into());
        config.callers = vec![caller("growth", "cgk_growth", &["tax", "affiliates"])];
        config
    };
    gateway.reload(configured(0)).await;
    let asking = (0..8).map(|place| {
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            for round in 0..60 {
                let connection = if (round + place) % 2 == 0 { "tax" } else { "affiliates" };
                let target = format!("/customers?connection={connection}&limit={}", 1 + round % 30);
                assert_eq!(gateway.get_as("cgk_growth", &target).await.status, 200, "{target}");
            }
        })
    });
    let asking = futures_util::future::join_all(asking.collect::<Vec<_>>());
    let renewing = async {
        for round in 0..60 {
            gateway.reload(configured(round)).await;
        }
    };
    for asked in join(completed(asking), renewing).await.0 {
        asked.unwrap();
    }
    // The pages stayed cached throughout: one vendor call per list.
    assert_eq!((sandbox.tolt().calls(), sandbox.corporation().calls()), (1, 1));
}
