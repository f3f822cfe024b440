//! Simulations of overload: the limit is kept and used, calls are for clients
//! that are answered, and a caller that floods delays only itself.

mod simulation;

use std::time::Duration;

use simulation::{Caller, Report, Simulation};

const LIMIT: u32 = 20;
/// Period of the limit with its margin.
const PERIOD: Duration = Duration::from_millis(1_030);
const LATENCIES: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(900), Duration::from_millis(1_400)];

/// Runs one caller whose demand is `load` times the limit.
fn overload(load: f64, latency: Duration, calls: u32, patience: Option<Duration>, from: Duration, seed: u64) -> Report {
    let rate = load * f64::from(LIMIT) / f64::from(calls);
    let callers = vec![Caller { rate, calls, patience }];
    let report = Simulation { limit: LIMIT, latency, callers, duration: from + Duration::from_secs(15), seed }.run();
    assert!(report.worst_second() <= LIMIT as usize);
    report
}

#[test]
fn patient_clients_use_the_limit() {
    for (seed, latency) in (1..).zip(LATENCIES) {
        for calls in [1, 10] {
            for load in [2.0, 10.0] {
                let from = latency * calls + Duration::from_secs(3);
                let report = overload(load, latency, calls, None, from, seed);
                let (used, useful) = (report.used(from), report.useful(Duration::ZERO));
                assert!(used >= 0.965, "{load}, {latency:?}, {calls} calls: {used}");
                assert!(useful >= 0.98, "{load}, {latency:?}, {calls} calls: {useful}");
            }
        }
    }
}

#[test]
fn impatient_clients_get_useful_calls() {
    for (seed, latency) in (1..).zip(LATENCIES) {
        // Requests of several calls to a slow vendor have little spare time.
        for (calls, min_used, min_useful) in [(1, 0.965, 0.98), (10, 0.8, 0.95)] {
            for load in [2.0, 4.0, 10.0] {
                let unloaded = latency * calls;
                // The gateway learns from the first clients that leave.
                let from = unloaded * 3 + Duration::from_secs(3);
                let report = overload(load, latency, calls, Some(unloaded + Duration::from_secs(1)), from, seed);
                let (used, useful) = (report.used(from), report.useful(from));
                assert!(used >= min_used, "{load}, {latency:?}, {calls} calls: {used}");
                assert!(useful >= min_useful, "{load}, {latency:?}, {calls} calls: {useful}");
            }
        }
    }
}

#[test]
fn flooding_caller_delays_only_itself() {
    for (seed, latency) in (1..).zip(LATENCIES) {
        for calls in [1, 4] {
            for others in [1, 3, 7_usize] {
                let fair = f64::from(LIMIT) / (others + 1) as f64 / f64::from(calls);
                let modest = Caller { rate: fair / 2.0, calls, patience: None };
                let run = |flood: Option<Caller>| {
                    let callers = flood.into_iter().chain(vec![modest.clone(); others]).collect();
                    Simulation { limit: LIMIT, latency, callers, duration: Duration::from_secs(40), seed }.run()
                };
                let alone = run(None);
                let beside = run(Some(Caller { rate: fair * 50.0, calls, patience: None }));
                assert!(beside.worst_second() <= LIMIT as usize);
                for caller in 0..others {
                    assert!(beside.answers_all(caller + 1), "{latency:?}, {calls} calls, {others} others");
                    // The first second of the flood uses the slots that were free.
                    let from = Duration::from_secs(3);
                    let added = beside.longest(caller + 1, from).saturating_sub(alone.longest(caller, from));
                    assert!(added <= PERIOD, "{latency:?}, {calls} calls, {others} others: {added:?}");
                }
            }
        }
    }
}
