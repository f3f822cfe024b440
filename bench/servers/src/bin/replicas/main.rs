//! Replicas that share a Redis server: a vendor and clients in this process, and
//! the gateway's binary several times between them, over loopback.
//!
//! `replicas GATEWAY [--seconds N] [--only TEXT]` prints Markdown tables.

mod failures;
mod measures;
mod redis;
mod stage;

use std::path::PathBuf;

/// Numbers of replicas that are measured.
const COUNTS: [usize; 4] = [1, 2, 4, 8];

struct Options {
    gateway: PathBuf,
    /// Measured time of the saturating load.
    seconds: u64,
    /// Text in the names of the measurements.
    only: String,
}

#[tokio::main]
async fn main() {
    let Options { gateway, seconds, only } = options();
    let head = COUNTS.map(|count| format!(" {count} |")).concat();
    let mut rows = Vec::new();
    let names = [
        "limit used, worst second, calls useful, at 5 times the limit",
        "calls of a herd of 64 on a cold page",
        "calls of a walk of 1,000 rows by 10",
        "hit in another replica's page / in memory, median ms",
        "purge on all replicas, with / without notifications, worst ms",
        "requests that wait for a stopped Redis",
    ];
    for (index, name) in names.into_iter().enumerate().filter(|(_, name)| name.contains(&only)) {
        let mut row = format!("| {name} |");
        for count in COUNTS {
            eprintln!("== {count}: {name}");
            let result = match index {
                0 => measures::saturation(&gateway, count, seconds).await.replace(" | ", ", "),
                1 => measures::herd(&gateway, count).await,
                2 => measures::walk(&gateway, count).await,
                3 => measures::hits(&gateway, count).await,
                4 => measures::purge(&gateway, count).await,
                _ => measures::stopped(&gateway, count).await,
            };
            eprintln!("{result}");
            row += &format!(" {result} |");
        }
        rows.push(row);
    }
    if !rows.is_empty() {
        println!("| replicas |{head}\n|---|---|---|---|---|\n{}\n", rows.join("\n"));
    }
    if "failures".contains(&only) {
        let rows = failures::rows(&gateway).await;
        println!(
            "| failure, 3 replicas, 5 times the limit | limit used for 6 s from its start | for 4 s after it | worst second |\n|---|---|---|---|\n{}\n",
            rows.join("\n")
        );
    }
}

fn options() -> Options {
    let mut arguments = std::env::args().skip(1);
    let gateway = arguments.next().expect("argument 1 is missing: the gateway's binary").into();
    let mut options = Options { gateway, seconds: 15, only: String::new() };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} requires a value"));
        match argument.as_str() {
            "--seconds" => options.seconds = value().parse().expect("the seconds are a number"),
            "--only" => options.only = value(),
            _ => panic!("unknown option {argument}"),
        }
    }
    options
}
