//! Attacks by clients.

use std::{path::PathBuf, time::Duration};

use bench_servers::process::Launch;
use hyper::Method;

use crate::{
    clients,
    figures::{Effect, measure},
    stage::{MEASURED, Stage},
};

/// Memory in MiB that unread responses may add: the bound of 64 MiB, and the
/// allocator's share.
const UNREAD: u64 = 160;

/// Purges of a customer that does not exist, 100 per second.
pub async fn purges(binary: PathBuf) -> Effect {
    let stage = Stage::start(Launch::new(&binary), "", "127.0.0.1").await;
    let (victim, attacker) = (stage.victim(), stage.attacker(false));
    let before = measure(&victim, MEASURED).await;
    let storm = tokio::spawn(async move {
        loop {
            drop(attacker.send(Method::DELETE, "/cache?customer=a.cust_absent_1", "*/*").await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let during = measure(&victim, MEASURED).await;
    storm.abort();
    Effect::new(before, during)
}

/// HTTP/2 connections that reset each request after a millisecond.
pub async fn resets(binary: PathBuf) -> Effect {
    let stage = Stage::start(Launch::new(&binary), "", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let (port, patience) = (stage.gateway.port, Duration::from_millis(1));
    let resetting: Vec<_> =
        (0..8).map(|_| tokio::spawn(clients::reset_for(MEASURED, port, stage.attacker.clone(), patience))).collect();
    let during = measure(&victim, MEASURED).await;
    let mut requests = 0;
    for client in resetting {
        requests += client.await.unwrap_or(0);
    }
    let calls = stage.a.calls();
    Effect::new(before, during).check(format!("{requests} requests reset, {calls} vendor calls"), requests > 0)
}

/// 1,500 responses of a client with a window of zero.
pub async fn unread(binary: PathBuf) -> Effect {
    let stage = Stage::start(Launch::new(&binary), "", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let memory = stage.gateway.memory().unwrap_or(0);
    let held = clients::leave_unread(stage.gateway.port, &stage.attacker, 15, 100).await;
    let during = measure(&victim, MEASURED).await;
    let grown = stage.gateway.memory().unwrap_or(u64::MAX).saturating_sub(memory) / 1024;
    let answered = held.1.iter().filter(|response| response.status() == 200).count();
    let text =
        format!("{answered} of 1500 responses unread, {} rejected, memory + {grown} MiB", held.1.len() - answered);
    Effect::new(before, during).check(text, grown <= UNREAD && answered > 0)
}
