//! Checks at the end of a run.

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::{monitor::Monitor, stage::Stage};

/// Pauses of a vendor's thread from this length on explain an excess of its window:
/// the gateway's own margin is 30 ms.
const PAUSE: Duration = Duration::from_millis(15);
/// Difference of two times of the log that a jump of the clock explains.
const JUMP: Duration = Duration::from_secs(55);

/// Sends SIGTERM during requests. They are answered, and the process exits.
pub async fn drain(stage: &mut Stage, monitor: &Monitor) {
    if let Some(status) = stage.gateway.ended() {
        monitor.violation(&format!("the gateway ended with {status}"));
        return;
    }
    // Requests of earlier tasks may wait for slots.
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.stable.set_latency(Duration::from_secs(1));
    let mut requests = JoinSet::new();
    for number in 0..20 {
        let client = stage.client("healthy", number % 2 == 0);
        let target = format!("/customers?connection=delta&partner_id=part_rdrain{number}");
        requests.spawn(async move { (client.get(&target).await, target) });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    match stage.gateway.terminate(Duration::from_secs(25)).await {
        Some((status, time)) if status.success() => {
            monitor.note(format!("Drained in {:.2} s with {} requests in flight.", time.as_secs_f64(), requests.len()));
        }
        Some((status, _)) => monitor.violation(&format!("the gateway ended with {status} after SIGTERM")),
        None => monitor.violation("the gateway does not end within 25 s of SIGTERM"),
    }
    for (reply, target) in requests.join_all().await {
        let reply = monitor.check("drained request", &target, &[], reply);
        if reply.is_some_and(|reply| reply.status != 200) {
            monitor.violation(&format!("{target}: not answered during the drain"));
        }
    }
}

/// Checks the windows of every vendor.
pub fn windows(stage: &Stage, monitor: &Monitor) {
    for (name, vendor) in stage.vendors() {
        let (worst, excesses) = vendor.windows();
        let (explained, unexplained): (Vec<_>, Vec<_>) = excesses.iter().partition(|excess| excess.pause >= PAUSE);
        monitor.note(format!(
            "Vendor {name}: {} calls, most in a second {worst}, {} windows above the limit during pauses of the vendor's thread.",
            vendor.calls(),
            explained.len()
        ));
        if let Some(first) = unexplained.first() {
            monitor.violation(&format!(
                "vendor {name}: {} windows above the limit, first {} calls of {} in a second, pause {:?}",
                unexplained.len(),
                first.calls,
                first.limit,
                first.pause
            ));
        }
    }
}

/// Searches the log for panics, counts warnings and errors, and checks that its times
/// show at least half of the clock's jumps.
pub fn log(stage: &Stage, jumps: usize, monitor: &Monitor) {
    let log = fs::read_to_string(stage.gateway.file("log")).unwrap_or_default();
    let mut messages = BTreeMap::<String, u64>::new();
    let (mut logged_jumps, mut last) = (0, None::<jiff::Timestamp>);
    for line in log.lines() {
        if line.contains("panic") {
            monitor.violation(&format!("panic in the log: {line}"));
        }
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        if let Some(time) = line["timestamp"].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok()) {
            logged_jumps += usize::from(last.is_some_and(|last| last.duration_until(time).unsigned_abs() >= JUMP));
            last = Some(time);
        }
        let message = line["fields"]["message"].as_str().or(line["message"].as_str()).unwrap_or_default();
        if let Some(level @ ("WARN" | "ERROR")) = line["level"].as_str() {
            *messages.entry(format!("{level} {message}")).or_default() += 1;
        }
    }
    monitor.note(format!("Clock: {jumps} jumps, {logged_jumps} of them in the times of the log."));
    if logged_jumps < jumps / 2 {
        monitor.violation("the clock did not jump; is libfaketime loaded?");
    }
    for (message, count) in messages {
        monitor.note(format!("Log: {count} × {message}"));
    }
}
