//! The `customer-gateway` command.

use std::process::ExitCode;

use clap::Parser;
use customer_gateway::cli::{self, Cli};
use tikv_jemallocator::Jemalloc;

/// jemalloc. It uses less CPU than glibc's allocator, and a thread of its own returns
/// freed memory to the system within 10 s (`dirty_decay_ms`, jemalloc's manual).
/// docs/PERFORMANCE.md has the figures. Users of the library choose their own
/// allocator.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
