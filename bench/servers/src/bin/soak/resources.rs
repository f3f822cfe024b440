//! Memory and file descriptors of the gateway over the run.

use std::time::Duration;

use bench_servers::process::Process;

use crate::monitor::Monitor;

/// Shortest run whose quarters are compared: the cache fills in the first.
const SHORTEST: Duration = Duration::from_secs(400);
/// Growth that is tolerated beyond a tenth, in KiB.
const MEMORY: f64 = 8.0 * 1024.0;
/// Growth of descriptors that is tolerated beyond a quarter.
const DESCRIPTORS: usize = 16;

#[derive(Default)]
pub struct Samples(Vec<(Duration, u64, usize)>);

impl Samples {
    pub fn take(&mut self, elapsed: Duration, gateway: &Process) {
        if let Some(sample) = gateway.memory().zip(gateway.descriptors()) {
            self.0.push((elapsed, sample.0, sample.1));
        }
    }

    /// Compares the second quarter of the run with the last quarter.
    pub fn judge(&self, duration: Duration, monitor: &Monitor) {
        let quarter = |number: u32| {
            let (from, to) = (duration * number / 4, duration * (number + 1) / 4);
            self.0.iter().filter(move |(at, ..)| from <= *at && *at < to)
        };
        let memory = |number| {
            let (count, sum) =
                quarter(number).fold((0.0, 0.0), |(count, sum), sample| (count + 1.0, sum + sample.1 as f64));
            sum / f64::max(count, 1.0)
        };
        let descriptors = |number| quarter(number).map(|sample| sample.2).max().unwrap_or(0);
        let quarters = 0..4;
        monitor.note(format!(
            "Memory by quarter: {} MiB. Most descriptors by quarter: {}.",
            join(quarters.clone().map(|number| format!("{:.1}", memory(number) / 1024.0))),
            join(quarters.map(|number| descriptors(number).to_string())),
        ));
        if duration < SHORTEST {
            monitor.note(format!("Memory and descriptors are compared from {} s on.", SHORTEST.as_secs()));
            return;
        }
        if memory(3) > memory(1) * 1.1 + MEMORY {
            monitor.violation(&format!("memory grows from {:.0} KiB to {:.0} KiB", memory(1), memory(3)));
        }
        if descriptors(3) > descriptors(1) * 5 / 4 + DESCRIPTORS {
            monitor.violation(&format!("descriptors grow from {} to {}", descriptors(1), descriptors(3)));
        }
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
