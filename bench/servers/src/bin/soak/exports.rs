//! Exports, resumed until they are complete and compared with the vendors' rows.

use std::{sync::Arc, time::Duration};

use bench_servers::client::Client;
use hyper::Method;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    monitor::Monitor,
    stage::Stage,
    walks::{self, List},
};

pub fn spawn(tasks: &mut JoinSet<()>, stage: &Stage, monitor: &Arc<Monitor>, seeds: &mut fastrand::Rng) {
    let lists = [
        walks::fixed("export forward", "connection=gamma", walks::forwards()),
        walks::fixed("export static", "connection=alpha&partner_id=part_static", walks::statics("alpha")),
        walks::fixed("export stable", "connection=delta", walks::statics("delta")),
    ];
    for (index, list) in lists.into_iter().enumerate() {
        let client = stage.client("batch", index == 1);
        let monitor = Arc::clone(monitor);
        let mut random = fastrand::Rng::with_seed(seeds.u64(..));
        tasks.spawn(async move {
            while !monitor.is_stopping() {
                export(&client, &list, &monitor).await;
                tokio::time::sleep(Duration::from_millis(random.u64(500..3_000))).await;
            }
        });
    }
}

async fn export(client: &Client, list: &List, monitor: &Monitor) -> Option<()> {
    let first = format!("/customers?{}", list.query);
    let mut target = first.clone();
    let mut rows = Vec::new();
    let mut streams = 0;
    while !monitor.is_stopping() {
        streams += 1;
        let reply = client.send(Method::GET, &target, "application/x-ndjson").await;
        let reply = monitor.check("export", &target, &["cursor_expired"], reply)?;
        let mut wait = reply.retry_after().unwrap_or(Duration::from_secs(1));
        match reply.status {
            200 => {}
            400 => return None,
            _ => {
                tokio::time::sleep(wait.min(Duration::from_secs(5))).await;
                continue;
            }
        }
        let (kept, last) = read(&reply.body);
        rows.extend(kept);
        let last = &last["export"];
        match last["status"].as_str() {
            Some("complete") => {
                walks::compare(list, &rows, if streams == 1 { "at once" } else { "resumed" }, 0, monitor);
                return Some(());
            }
            Some("incomplete" | "continues") => {}
            other => monitor.violation(&format!("{}: last checkpoint {other:?}", list.name)),
        }
        monitor.count(&format!("export incomplete: {}", last["problem"]["code"].as_str().unwrap_or("?")));
        let Some(cursor) = last["cursor"].as_str() else {
            monitor.violation(&format!("{}: incomplete without a cursor: {last}", list.name));
            return None;
        };
        target = format!("{first}&cursor={cursor}");
        if let Some(seconds) = last["problem"]["retry_after"].as_u64() {
            wait = Duration::from_secs(seconds);
        }
        tokio::time::sleep(wait.min(Duration::from_secs(5))).await;
    }
    None
}

/// Returns the ids of the rows up to the last checkpoint, and that checkpoint.
fn read(body: &[u8]) -> (Vec<String>, Value) {
    let (mut kept, mut pending, mut last) = (Vec::new(), Vec::new(), Value::Null);
    for line in String::from_utf8_lossy(body).lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { break };
        if line["export"].is_object() {
            kept.append(&mut pending);
            last = line;
        } else {
            pending.push(line["id"].as_str().unwrap_or_default().to_owned());
        }
    }
    (kept, last)
}
