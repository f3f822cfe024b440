//! The connection to the server, and its loss.

use customer_gateway::clock::SystemClock;

use crate::support::{
    Stage, StageBuilder,
    redis::{RedisServer, eventually},
    sandbox,
};

/// Starts a stage on the system's clock: without the server, the first call waits.
async fn stage(server: &RedisServer) -> Stage {
    let stage = StageBuilder::new(sandbox(10, 0, 10)).clock(SystemClock::shared());
    stage.configure(|config| config.shared = Some(server.settings())).start().await
}

async fn wait_for(stage: &Stage, is_connected: bool) {
    eventually(async || {
        let metrics = stage.get("/metrics").await.text;
        let line = |purpose| format!("gateway_shared_connected{{purpose=\"{purpose}\"}} {}", u8::from(is_connected));
        // Only operations show that a server is gone, and only beats are regular.
        metrics.contains(&line("state")) && (!is_connected || metrics.contains(&line("pages")))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_starts_without_the_server() {
    let mut server = RedisServer::start().await;
    server.kill();
    let stage = stage(&server).await;
    stage.get("/customers?connection=affiliates").await.ok();
    server.restart().await;
    wait_for(&stage, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_server_is_lost_and_found() {
    let mut server = RedisServer::start().await;
    let stage = stage(&server).await;
    wait_for(&stage, true).await;
    server.kill();
    wait_for(&stage, false).await;
    server.restart().await;
    wait_for(&stage, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_server_is_lost_and_found() {
    let server = RedisServer::start().await;
    let stage = stage(&server).await;
    wait_for(&stage, true).await;
    server.pause();
    wait_for(&stage, false).await;
    server.resume();
    wait_for(&stage, true).await;
}
