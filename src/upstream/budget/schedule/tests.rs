//! Simulations of overload: the whole limit is used, for answers that reach
//! their clients, and a caller that floods delays only itself.

mod simulation;

use std::time::Duration;

use simulation::{Caller, Simulation};

const LIMIT: u32 = 20;

#[test]
fn explore() {
    for calls in [1, 4, 10, 25] {
        for latency in [20, 900, 1_400].map(Duration::from_millis) {
            for load in [2.0, 4.0, 10.0] {
                for patient in [true, false] {
                    let unloaded = latency * calls;
                    let warm = unloaded * 4 + Duration::from_secs(5);
                    let rate = load * f64::from(LIMIT) / f64::from(calls);
                    let patience = (!patient).then(|| unloaded + Duration::from_secs(1));
                    let report = Simulation {
                        limit: LIMIT,
                        latency,
                        callers: vec![Caller { rate, calls, patience }],
                        duration: warm + Duration::from_secs(40),
                        seed: 1,
                    }
                    .run();
                    println!(
                        "{load}x {latency:?} {calls} {patient}: used {:.3} useful {:.3} all {:.3} worst {} answered {:.2} wait {:?} {:?}",
                        report.used(warm), report.useful(warm), report.useful(Duration::ZERO), report.worst_second(),
                        report.answered(0) * load, report.wait(0, 0.5), report.wait(0, 0.99)
                    );
                }
            }
        }
    }
}

#[test]
fn explore_fair() {
    for latency in [20, 900, 1_400].map(Duration::from_millis) {
    for calls in [1, 4] {
        for others in [1, 3, 7_usize] {
            let fair = f64::from(LIMIT) / (others + 1) as f64;
            let modest = Caller { rate: fair / 2.0 / f64::from(calls), calls, patience: None };
            let run = |flood: Option<Caller>| {
                let mut callers = vec![modest.clone(); others];
                callers.extend(flood);
                Simulation { limit: LIMIT, latency, callers, duration: Duration::from_secs(40), seed: 1 }.run()
            };
            let alone = run(None);
            let beside = run(Some(Caller { rate: 1_000.0 / f64::from(calls), calls, patience: None }));
            for caller in 0..others.min(2) {
                println!("{latency:?} {calls} of {others}: answered {:.3} {:.3} p50 {:?} {:?} p99 {:?} {:?}  worst {} used {:.3}", alone.answered(caller), beside.answered(caller), alone.wait(caller, 0.5), beside.wait(caller, 0.5), alone.wait(caller, 0.99), beside.wait(caller, 0.99), beside.worst_second(), beside.used(Duration::from_secs(5)));
            }
        }
    }
    }
}
