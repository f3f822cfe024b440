//! The `customer-gateway` command.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use customer_gateway::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line with its causes: a backtrace would hide what to mend. If
            // standard error is gone, the exit code still tells.
            writeln!(std::io::stderr(), "Error: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}
