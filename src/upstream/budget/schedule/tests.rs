//! Simulations of overload: the limit is kept and used, calls are for clients
//! that are answered, and a caller that floods delays only itself.

mod report;
mod simulation;

use std::{num::NonZeroU32, time::Duration};

use super::{
    super::{MARGIN, Window},
    Claim, FlowId, Next, Schedule, SendLog,
};
use report::Report;
use simulation::{Caller, Simulation};

const LIMIT: u32 = 20;
/// Period of the limit with its margin.
const PERIOD: Duration = Duration::from_millis(1_030);
/// Runs whose figures are averaged. One run has few requests.
const SEEDS: u64 = 4;
const LATENCIES: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(900), Duration::from_millis(1_400)];

/// Runs one caller whose demand is `load` times the limit.
fn overload(load: f64, latency: Duration, calls: u32, patience: Option<Duration>, from: Duration, seed: u64) -> Report {
    let rate = load * f64::from(LIMIT) / f64::from(calls);
    let callers = vec![Caller { rate, calls, patience }];
    let report = Simulation { limit: LIMIT, latency, callers, duration: from + Duration::from_secs(12), seed }.run();
    assert!(report.worst_second() <= LIMIT as usize);
    report
}

#[test]
fn patient_clients_use_the_limit() {
    for (seed, latency) in (1..).zip(LATENCIES) {
        for calls in [1, 10, 25] {
            for load in [2.0, 10.0] {
                let from = latency * calls + Duration::from_secs(3);
                let report = overload(load, latency, calls, None, from, seed);
                let (used, useful) = (report.used(from), report.useful(Duration::ZERO));
                // The first requests that no deadline fits end together.
                let min_used = if latency * calls > Duration::from_secs(29) { 0.9 } else { 0.965 };
                assert!(used >= min_used, "{load}, {latency:?}, {calls} calls: {used}");
                assert!(useful >= 0.98, "{load}, {latency:?}, {calls} calls: {useful}");
            }
        }
    }
}

#[test]
fn impatient_clients_get_useful_calls() {
    for latency in LATENCIES {
        for calls in [1, 10, 25] {
            for load in [2.0, 4.0, 10.0] {
                let unloaded = latency * calls;
                // The gateway learns from the first clients that leave.
                let from = unloaded * 2 + Duration::from_secs(3);
                let patience = Some(unloaded + Duration::from_secs(1));
                let reports: Vec<_> =
                    (1..=SEEDS).map(|seed| overload(load, latency, calls, patience, from, seed)).collect();
                let used = mean(&reports, |report| report.used(from));
                let useful = mean(&reports, |report| report.useful(from));
                // Few clients send long requests. While no client waits, slots stay unused.
                let min_used = match calls {
                    1 => 0.967,
                    10 => 0.967 - 0.01 / load,
                    _ => 0.965 - 0.3 / load,
                };
                assert!(used >= min_used, "{load}, {latency:?}, {calls} calls: {used}");
                assert!(useful >= 0.98, "{load}, {latency:?}, {calls} calls: {useful}");
            }
        }
    }
}

#[test]
fn flooding_caller_delays_only_itself() {
    for (seed, latency) in (1..).zip(LATENCIES) {
        for calls in [1, 4, 10] {
            for others in [1, 3, 7_u8] {
                let fair = f64::from(LIMIT) / f64::from(others + 1) / f64::from(calls);
                let modest = Caller { rate: fair / 2.0, calls, patience: None };
                // Many calls wait in turn, each for a call of every other caller.
                let longest = if calls > 4 { PERIOD.max(Duration::from_secs_f64(1.0 / fair)) } else { PERIOD };
                let run = |flood: Option<Caller>| {
                    let callers = flood.into_iter().chain(vec![modest.clone(); others.into()]).collect();
                    Simulation { limit: LIMIT, latency, callers, duration: Duration::from_secs(40), seed }.run()
                };
                let alone = run(None);
                let beside = run(Some(Caller { rate: fair * 50.0, calls, patience: None }));
                assert!(beside.worst_second() <= LIMIT as usize);
                for caller in 0..usize::from(others) {
                    assert!(beside.answers_all(caller + 1), "{latency:?}, {calls} calls, {others} others");
                    // The first second of the flood uses the slots that were free.
                    let from = Duration::from_secs(3);
                    let added = beside.longest(caller + 1, from).saturating_sub(alone.longest(caller, from));
                    assert!(added <= longest, "{latency:?}, {calls} calls, {others} others: {added:?}");
                }
            }
        }
    }
}

#[test]
fn impatient_flood_gets_useful_calls() {
    for latency in LATENCIES {
        for calls in [1, 10, 25] {
            for others in [1, 3, 7_u8] {
                let fair = f64::from(LIMIT) / f64::from(others + 1) / f64::from(calls);
                let unloaded = latency * calls;
                let patience = Some(unloaded + Duration::from_secs(1));
                let flood = Caller { rate: fair * 50.0, calls, patience };
                let modest = Caller { rate: fair / 2.0, calls: 1, patience: None };
                let callers = [flood].into_iter().chain(vec![modest; others.into()]).collect();
                let from = unloaded * 2 + Duration::from_secs(3);
                let duration = from + Duration::from_secs(24);
                let report = Simulation { limit: LIMIT, latency, callers, duration, seed: 1 }.run();
                assert!(report.worst_second() <= LIMIT as usize);
                let (used, useful) = (report.used(from), report.useful(from));
                assert!(used >= 0.96, "{latency:?}, {calls} calls, {others} others: {used}");
                assert!(useful >= 0.94, "{latency:?}, {calls} calls, {others} others: {useful}");
                for caller in 0..usize::from(others) {
                    assert!(report.answers_all(caller + 1), "{latency:?}, {calls} calls, {others} others");
                }
            }
        }
    }
}

/// Returns a claim of the caller `app` at the start, to a vendor that answers in 50 ms.
fn claim(calls: u32) -> Claim {
    Claim {
        flow: FlowId::Caller("app".into()),
        weight: 1.0,
        since: Duration::ZERO,
        deadline: Duration::from_secs(30),
        max_wait: Duration::from_secs(5),
        calls,
        latency: Duration::from_millis(50),
    }
}

fn schedule() -> Schedule<u32> {
    let window = Window { requests: NonZeroU32::new(LIMIT).unwrap(), per: Duration::from_secs(1) };
    Schedule::new(SendLog::new(vec![window], MARGIN))
}

#[test]
fn request_waits_until_started_ones_leave_slots() {
    let (mut schedule, now, latest) = (schedule(), Duration::ZERO, Duration::from_secs(5));
    let mut ids = Vec::new();
    for number in 0..3 {
        let id = schedule.admit(&claim(10), now).unwrap();
        schedule.enqueue(&claim(10), Some(id), latest, number, now);
        ids.push(id);
    }
    // The free slots are enough for two requests.
    let [second, third] = [50, 99].map(Duration::from_millis);
    assert!(matches!(schedule.next(now), Next::Send(_, 0)));
    assert!(matches!(schedule.next(second), Next::Send(_, 1)));
    assert!(matches!(schedule.next(third), Next::Wait(until) if until > third));
    schedule.finish(&claim(10).flow, ids[0]);
    schedule.finish(&claim(10).flow, ids[1]);
    assert!(matches!(schedule.next(third), Next::Send(_, 2)));
}

#[test]
fn call_after_the_client_left_is_not_sent() {
    let (mut schedule, flow, second) = (schedule(), claim(1).flow, Duration::from_secs(1));
    let id = schedule.admit(&claim(3), Duration::ZERO).unwrap();
    schedule.enqueue(&claim(3), Some(id), second * 5, 1, Duration::ZERO);
    assert!(matches!(schedule.next(Duration::ZERO), Next::Send(_, 1)));
    schedule.on_abandoned(&flow, second * 2, second);
    schedule.on_abandoned(&flow, second * 2, second);
    schedule.enqueue(&claim(2), Some(id), second * 5, 2, second);
    assert!(matches!(schedule.next(second), Next::Send(_, 2)));
    schedule.enqueue(&claim(1), Some(id), second * 5, 3, second * 2);
    assert!(matches!(schedule.next(second * 2), Next::Reject(3)));
}

fn mean(reports: &[Report], figure: impl Fn(&Report) -> f64) -> f64 {
    reports.iter().map(figure).sum::<f64>() / f64::from(u32::try_from(reports.len()).unwrap())
}
