//! The `customer-gateway` command.

use std::process::ExitCode;

use clap::Parser;
use customer_gateway::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
