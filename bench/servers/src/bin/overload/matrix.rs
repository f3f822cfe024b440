//! Load above the limit: all combinations of load, latency, calls and patience.

use std::{path::PathBuf, time::Duration};

use crate::{
    clients::{Client, send_for},
    gateway::{Gateway, Settings},
    measure,
    vendor::{Behaviour, Vendor},
};

pub const HEAD: &str = "\
| load | vendor | calls | clients | limit used | calls useful | from the start | complete | worst second | 504 | breaker | wait p50 / p99 s | answered | rejected | left |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

/// Time before the calls are measured, beyond the time of one answer, or of two
/// answers where the gateway learns when clients leave.
const WARM_UP: Duration = Duration::from_secs(3);

/// One combination.
#[derive(Clone, Copy)]
pub struct Case {
    /// Demand as a multiple of the limit.
    pub load: u32,
    /// Calls per second.
    pub limit: u32,
    pub latency: Duration,
    /// Vendor calls per request.
    pub calls: u32,
    /// Patient clients wait for the answer. Others leave a second after the time
    /// that the answer takes without load.
    pub is_patient: bool,
}

/// Returns the cases; the first ones are the quick ones.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for calls in [1, 10] {
        for latency in [20, 900, 1_400].map(Duration::from_millis) {
            for load in [2, 4, 10] {
                for is_patient in [true, false] {
                    cases.push(Case { load, limit: 20, latency, calls, is_patient });
                }
            }
        }
    }
    for is_patient in [true, false] {
        cases.push(Case { load: 10, limit: 5, latency: Duration::from_millis(20), calls: 1, is_patient });
    }
    cases
}

impl Case {
    pub fn name(self) -> String {
        let Self { load, limit, latency, calls, is_patient } = self;
        let clients = if is_patient { "patient" } else { "impatient" };
        format!("{load}x{limit} {}ms {calls} {clients}", latency.as_millis())
    }

    /// Returns whether a quick run includes the case.
    pub fn is_quick(self) -> bool {
        self.limit == 20 && self.load == 10 && self.latency != Duration::from_millis(900)
    }

    /// Runs the case. Returns its row of the table.
    pub async fn run(self, binary: PathBuf, seconds: u64) -> String {
        let Self { load, limit, latency, calls, is_patient } = self;
        let vendor = Vendor::start(Behaviour { latency, pages: calls, rejects: None });
        let settings = Settings { limit, timeout: Duration::from_secs(2), callers: &["app"], cache: "" };
        let gateway = Gateway::start(&binary, settings, vendor.port).await;
        let client = Client::new(gateway.port, &gateway.keys[0]);

        let unloaded = latency * calls;
        let patience = (!is_patient).then(|| unloaded + Duration::from_secs(1));
        let measured = Duration::from_secs(seconds);
        let filter = if calls == 1 { "" } else { "&external_id=none" };
        let warm_up = WARM_UP + if is_patient { unloaded } else { unloaded * 2 };
        let start = std::time::Instant::now();
        let rate = f64::from(load * limit) / f64::from(calls);
        let outcomes = send_for(warm_up + measured, rate, |number| {
            let client = client.clone();
            async move { client.list(filter, format!("part_{number}"), patience).await }
        })
        .await;

        let vendor_calls = vendor.calls();
        let breaker = client.breaker().await;
        let used = measure::used(&vendor_calls, start + warm_up, measured, limit);
        let after = vendor_calls.partition_point(|call| call.arrived < start + warm_up);
        let answered = measure::answered(&outcomes, false);
        let useful = measure::useful(&vendor_calls[after..], &answered);
        let from_start = measure::useful(&vendor_calls, &answered);
        let complete = measure::useful(&vendor_calls[after..], &measure::answered(&outcomes, true));
        let (rejected, silent) = measure::rejected(&outcomes);
        let left = outcomes.iter().filter(|outcome| outcome.answer.is_none()).count();
        let silent = if silent == 0 { String::new() } else { format!(" ({silent} without Retry-After)") };
        format!(
            "| {load} × {limit}/s | {} ms | {calls} | {} | {used:.3} | {useful:.3} | {from_start:.3} | {complete:.3} | {} | {} | {breaker} | {:.2} / {:.2} | {} | {rejected}{silent} | {left} |",
            latency.as_millis(),
            if is_patient { "patient" } else { "impatient" },
            measure::worst_second(&vendor_calls),
            measure::with_status(&outcomes, 504),
            measure::wait(&outcomes, 0.5).as_secs_f64(),
            measure::wait(&outcomes, 0.99).as_secs_f64(),
            measure::with_status(&outcomes, 200),
        )
    }
}
