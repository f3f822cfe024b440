//! The `customer-gateway` command.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use customer_gateway::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Prints one line with the causes: a backtrace would hide the remedy. If
            // standard error is closed, the exit code still reports the failure.
            writeln!(std::io::stderr(), "Error: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}
