//! Failures of the Redis server and of replicas under a saturating load.

use std::{path::Path, time::Duration};

use bench_servers::process::Process;

use crate::{
    measures::{Load, paused},
    stage::{LIMIT, Settings, Stage},
};

/// Number of replicas.
const COUNT: usize = 3;
/// Time before and after a failure.
const CALM: Duration = Duration::from_secs(4);

type Failure = fn(&mut Stage, u32);

/// Failures with their names. Each acts at three times: its start, half a second
/// later, and its end.
const FAILURES: &[(&str, Failure)] = &[
    ("killed and started again", |stage, step| {
        if step == 0 {
            stage.redis.restart();
        }
    }),
    ("stopped for 6 s", |stage, step| match step {
        0 => stage.redis.signal("STOP"),
        2 => stage.redis.signal("CONT"),
        _ => {}
    }),
    ("stopped for 0.5 s", |stage, step| match step {
        0 => stage.redis.signal("STOP"),
        1 => stage.redis.signal("CONT"),
        _ => {}
    }),
    ("flushed", |stage, step| {
        if step == 0 {
            stage.redis.command(&["flushall"]);
        }
    }),
    ("without memory", |stage, step| match step {
        0 => stage.redis.command(&["config", "set", "maxmemory", "1"]),
        2 => stage.redis.command(&["config", "set", "maxmemory", "0"]),
        _ => {}
    }),
    ("subscribers disconnected", |stage, _| stage.redis.command(&["client", "kill", "type", "pubsub"])),
    ("connections closed", |stage, _| stage.redis.command(&["client", "kill", "type", "normal"])),
    ("a replica killed", |stage, step| {
        if step == 0 {
            stage.replicas[0].signal("KILL");
        }
    }),
    ("a replica stopped for 6 s", |stage, step| match step {
        0 => stage.replicas[0].signal("STOP"),
        2 => stage.replicas[0].signal("CONT"),
        _ => {}
    }),
];

/// Returns a row for each failure: used part of the limit, and worst second.
pub async fn rows(binary: &Path) -> Vec<String> {
    let mut rows = Vec::new();
    for (name, failure) in FAILURES {
        eprintln!("== {name}");
        let row = measure(binary, *failure).await;
        eprintln!("{row}");
        rows.push(format!("| {name} | {row} |"));
    }
    rows
}

async fn measure(binary: &Path, failure: Failure) -> String {
    let mut stage = Stage::start(binary, COUNT, Settings::default()).await;
    let load = Load::start(&stage);
    tokio::time::sleep(CALM).await;
    let before = stage.vendor.calls();
    failure(&mut stage, 0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    failure(&mut stage, 1);
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    failure(&mut stage, 2);
    let during = stage.vendor.calls();
    tokio::time::sleep(CALM).await;
    let after = stage.vendor.calls();
    // Requests to a stopped replica would not end.
    stage.replicas.iter_mut().for_each(end);
    load.end().await;
    let (worst, excesses) = stage.vendor.windows();
    let used = |calls: usize, time: f64| calls as f64 / time / f64::from(LIMIT);
    format!(
        "{:.2} | {:.2} | {worst} of {LIMIT}{}",
        used(during - before, 6.0),
        used(after - during, CALM.as_secs_f64()),
        paused(&excesses)
    )
}

fn end(replica: &mut Process) {
    if replica.ended().is_none() {
        replica.signal("KILL");
    }
}
