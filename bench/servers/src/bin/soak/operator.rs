//! Changes from outside: the vendors' faults and rows, and reloads.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bench_servers::vendor::{Fault, Faults, Vendor};
use tokio::task::JoinSet;

use crate::{
    config::Variant,
    monitor::Monitor,
    stage::{LASTING, Stage},
};

/// Maximum time until a reload has taken effect.
const RELOAD: Duration = Duration::from_secs(3);

pub fn spawn(tasks: &mut JoinSet<()>, stage: &Stage, monitor: &Arc<Monitor>, seeds: &mut fastrand::Rng) {
    for vendor in [&stage.changing, &stage.forward] {
        let random = fastrand::Rng::with_seed(seeds.u64(..));
        tasks.spawn(change_faults(Arc::clone(vendor), Arc::clone(monitor), random));
    }
    let random = fastrand::Rng::with_seed(seeds.u64(..));
    tasks.spawn(interrupt(Arc::clone(&stage.failing), Arc::clone(monitor), random));
    let random = fastrand::Rng::with_seed(seeds.u64(..));
    tasks.spawn(change_rows(Arc::clone(&stage.changing), Arc::clone(monitor), random));
}

/// Alternates between no faults, some faults and short outages.
async fn change_faults(vendor: Arc<Vendor>, monitor: Arc<Monitor>, mut random: fastrand::Rng) {
    while !monitor.is_stopping() {
        let (faults, milliseconds) = match random.u8(..5) {
            0 | 1 => (Faults::default(), random.u64(5_000..15_000)),
            2 | 3 => (Faults::random(&mut random, false), random.u64(5_000..15_000)),
            _ => (Faults::random(&mut random, true), random.u64(1_000..5_000)),
        };
        if faults.probability == 1.0 {
            monitor.count(&format!("vendor outage: {:?}", faults.kinds[0]));
        }
        vendor.set_faults(faults);
        sleep(milliseconds, &monitor).await;
    }
    vendor.set_faults(Faults::default());
}

/// Alternates between long outages and short recoveries.
async fn interrupt(vendor: Arc<Vendor>, monitor: Arc<Monitor>, mut random: fastrand::Rng) {
    sleep(10_000, &monitor).await;
    while !monitor.is_stopping() {
        let mut faults = Faults::random(&mut random, true);
        if random.bool() {
            faults = Faults::always(Fault::Stall(Duration::from_secs(60)));
        }
        monitor.count(&format!("long outage: {:?}", faults.kinds[0]));
        vendor.set_faults(faults);
        sleep(random.u64(10_000..25_000), &monitor).await;
        vendor.set_faults(Faults::default());
        sleep(random.u64(4_000..12_000), &monitor).await;
    }
}

/// Inserts and removes rows between the rows that stay, and above them.
async fn change_rows(vendor: Arc<Vendor>, monitor: Arc<Monitor>, mut random: fastrand::Rng) {
    let mut between: Vec<u64> = (0..LASTING).map(|row| row * 2).collect();
    random.shuffle(&mut between);
    let mut above = LASTING * 2 + 1;
    let mut present = Vec::new();
    while !monitor.is_stopping() {
        // A removed row does not return, so no walk may meet it twice.
        let row = match random.u8(..8) {
            0 => between.pop(),
            _ => None,
        };
        let row = row.unwrap_or_else(|| {
            above += 1;
            above
        });
        vendor.change(|rows| rows.insert("churn", row));
        present.push(row);
        if present.len() > 60 {
            let removed = present.swap_remove(random.usize(..present.len()));
            vendor.change(|rows| rows.remove("churn", removed));
        }
        sleep(random.u64(100..500), &monitor).await;
    }
}

async fn sleep(milliseconds: u64, monitor: &Monitor) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(milliseconds) && !monitor.is_stopping() {
        tokio::time::sleep(Duration::from_millis(milliseconds.min(100))).await;
    }
}

/// Reloads of valid and invalid configurations.
pub struct Reloads {
    random: fastrand::Rng,
    variant: Variant,
    next: Duration,
}

impl Reloads {
    pub fn new(random: fastrand::Rng) -> Self {
        Self { random, variant: Variant::default(), next: Duration::from_secs(5) }
    }

    /// Reloads if it is time, and checks that the reload takes effect.
    pub async fn step(&mut self, stage: &mut Stage, monitor: &Monitor) {
        if monitor.elapsed() < self.next {
            return;
        }
        self.next += Duration::from_millis(self.random.u64(3_000..12_000));
        if self.random.u8(..5) == 0 {
            monitor.count("reload: invalid");
            let invalid = Variant { alpha: 0, has_guest: !self.variant.has_guest, ..self.variant.clone() };
            stage.gateway.reload(&stage.config(&invalid));
        } else {
            monitor.count("reload: valid");
            self.variant = Variant {
                alpha: [20, 30, 40][self.random.usize(..3)],
                gamma: [10, 15, 20][self.random.usize(..3)],
                share: ["0.2", "0.3", "0.5"][self.random.usize(..3)],
                quota: self.random.u32(5..20),
                has_guest: !self.variant.has_guest,
            };
            stage.changing.set_limit(self.variant.alpha);
            stage.forward.set_limit(self.variant.gamma);
            stage.gateway.reload(&stage.config(&self.variant));
        }
        self.verify(stage, monitor).await;
    }

    /// Checks that the guest is known exactly if the last valid configuration has it.
    async fn verify(&self, stage: &Stage, monitor: &Monitor) {
        let client = stage.client("guest", false);
        let expected = if self.variant.has_guest { 200 } else { 401 };
        let start = Instant::now();
        loop {
            let reply = monitor.check("guest", "/connections", &["unauthenticated"], client.get("/connections").await);
            if reply.is_some_and(|reply| reply.status == expected) {
                return;
            }
            if start.elapsed() > RELOAD {
                monitor.violation(&format!("the guest does not get {expected} {RELOAD:?} after a reload"));
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
