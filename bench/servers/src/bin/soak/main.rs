//! Mixed traffic with faults: vendors and clients in this process, and the
//! gateway's binary between them, over loopback.
//!
//! `soak GATEWAY LIBFAKETIME SECONDS [SEED]` prints a report. The exit status is 1 after
//! a violation.

mod clock;
mod config;
mod exports;
mod monitor;
mod operator;
mod resources;
mod stage;
mod traffic;
mod verdict;
mod walks;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use bench_servers::argument;
use tokio::task::JoinSet;

use self::{clock::WallClock, monitor::Monitor, resources::Samples, stage::Stage};

#[tokio::main]
async fn main() -> ExitCode {
    let binary = PathBuf::from(argument(1, "the gateway's binary"));
    let seconds = argument(3, "the seconds").parse().expect("the seconds are a number");
    let seed = std::env::args().nth(4).map_or(14, |seed| seed.parse().expect("the seed is a number"));
    let duration = Duration::from_secs(seconds);
    let monitor = Arc::new(Monitor::default());
    let mut clock = WallClock::new(argument(2, "the path of libfaketime").into(), seed);
    let mut stage = Stage::start(&binary, &clock, seed).await;
    let mut samples = Samples::default();

    let mut tasks = JoinSet::new();
    let mut seeds = fastrand::Rng::with_seed(seed);
    walks::spawn(&mut tasks, &stage, &monitor, &mut seeds);
    exports::spawn(&mut tasks, &stage, &monitor, &mut seeds);
    traffic::spawn(&mut tasks, &stage, &monitor, &mut seeds);
    operator::spawn(&mut tasks, &stage, &monitor, &mut seeds);

    let mut reloads = operator::Reloads::new(fastrand::Rng::with_seed(seeds.u64(..)));
    while monitor.elapsed() < duration && stage.gateway.ended().is_none() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        samples.take(monitor.elapsed(), &stage.gateway);
        clock.step(&monitor);
        reloads.step(&mut stage, &monitor).await;
    }
    monitor.stop();
    let finished = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(15), finished).await.is_err() {
        tasks.shutdown().await;
    }
    verdict::drain(&mut stage, &monitor).await;
    verdict::windows(&stage, &monitor);
    verdict::log(&stage, clock.jumps(), &monitor);
    samples.judge(duration, &monitor);
    println!("Soak of {seconds} s with seed {seed}.\n\n{}", monitor.report());
    if monitor.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
