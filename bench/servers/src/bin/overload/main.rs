//! Load above a vendor's limit: a vendor and clients in this process, and the
//! gateway's binary between them, over loopback.
//!
//! `overload GATEWAY [--quick] [--jobs N] [--seconds N] [--only TEXT]` prints
//! Markdown tables.

mod clients;
mod gateway;
mod matrix;
mod measure;
mod situations;
mod vendor;

use std::{
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

/// Row of a table.
type Row = Pin<Box<dyn Future<Output = String> + Send>>;

struct Options {
    gateway: PathBuf,
    is_quick: bool,
    /// Cases that run at the same time.
    jobs: usize,
    /// Measured time of a case.
    seconds: u64,
    /// Text in the names of the cases to run.
    only: String,
}

#[tokio::main]
async fn main() {
    let options = options();
    let pauses = std::thread::spawn(longest_pause);
    let is_chosen = |name: &str| name.contains(&options.only);
    let mut rows: Vec<(String, Row)> = Vec::new();
    for (name, row) in situations::all(&options.gateway) {
        if is_chosen(name) {
            rows.push((name.to_owned(), row));
        }
    }
    // One by one, because other cases would delay the hits.
    let situations = run(rows, 1).await;
    let mut rows: Vec<(String, Row)> = Vec::new();
    for case in matrix::cases() {
        if is_chosen(&case.name()) && (case.is_quick() || !options.is_quick) {
            rows.push((case.name(), Box::pin(case.run(options.gateway.clone(), options.seconds))));
        }
    }
    let matrix = run(rows, options.jobs).await;
    print_table(matrix::HEAD, &matrix);
    print_table(situations::HEAD, &situations);
    STOPPED.store(true, std::sync::atomic::Ordering::Relaxed);
    let pause = pauses.join().expect("the thread does not panic");
    println!("Longest pause of a thread that wakes each millisecond: {} ms.", pause.as_millis());
}

static STOPPED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Returns the longest time that this machine delayed a thread.
fn longest_pause() -> Duration {
    let mut longest = Duration::ZERO;
    while !STOPPED.load(std::sync::atomic::Ordering::Relaxed) {
        let start = Instant::now();
        std::thread::sleep(Duration::from_millis(1));
        longest = longest.max(start.elapsed());
    }
    longest
}

/// Runs the rows, `jobs` at a time.
async fn run(rows: Vec<(String, Row)>, jobs: usize) -> Vec<String> {
    let permits = Arc::new(Semaphore::new(jobs));
    let mut running = Vec::new();
    for (name, row) in rows {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("the semaphore is open");
        eprintln!("== {name}");
        running.push(tokio::spawn(async move {
            let row = row.await;
            drop(permit);
            eprintln!("{row}");
            row
        }));
    }
    let mut finished = Vec::new();
    for row in running {
        finished.push(row.await.expect("the case does not panic"));
    }
    finished
}

fn print_table(head: &str, rows: &[String]) {
    if !rows.is_empty() {
        println!("{head}\n{}\n", rows.join("\n"));
    }
}

fn options() -> Options {
    let mut arguments = std::env::args().skip(1);
    let gateway = arguments.next().expect("argument 1 is missing: the gateway's binary").into();
    let mut options = Options { gateway, is_quick: false, jobs: 4, seconds: 12, only: String::new() };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} requires a value"));
        match argument.as_str() {
            "--quick" => options.is_quick = true,
            "--jobs" => options.jobs = value().parse().expect("the number of jobs is a number"),
            "--seconds" => options.seconds = value().parse().expect("the seconds are a number"),
            "--only" => options.only = value(),
            _ => panic!("unknown option {argument}"),
        }
    }
    options
}
