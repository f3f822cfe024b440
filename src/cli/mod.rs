//! The command line.

mod check;
mod export;
mod healthcheck;
mod key;
mod sandbox;
mod serve;

use std::{io::Write, path::PathBuf};

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    api,
    telemetry::{self, LogFormat},
};

/// One HTTP endpoint for customers, whichever vendor holds them.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// How log lines are written.
    #[arg(long, global = true, env = "GATEWAY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the configured connections.
    Serve(ConfigFile),
    /// Serve two simulated vendors, with no configuration.
    Sandbox(sandbox::SandboxArgs),
    /// Check a configuration.
    Check(check::CheckArgs),
    /// Print the OpenAPI document.
    Openapi {
        /// The version of OpenAPI it is written in.
        #[arg(long, value_enum, default_value_t = OpenapiVersion::V3_1)]
        version: OpenapiVersion,
    },
    /// Make a caller's key, and print it with its digest.
    Key,
    /// Export a whole list of a running gateway to a file.
    Export(export::ExportArgs),
    /// Ask a running gateway whether it is ready; fails if it is not.
    Healthcheck(healthcheck::HealthcheckArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OpenapiVersion {
    /// What it is made in.
    #[value(name = "3.1")]
    V3_1,
    /// For generators that read no newer one.
    #[value(name = "3.0")]
    V3_0,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file; `gateway.example.toml` shows every key.
    #[arg(long, env = "GATEWAY_CONFIG", default_value = "gateway.toml")]
    config: PathBuf,
}

/// Runs a command to its end.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    telemetry::start(cli.log_format);
    match cli.command {
        Command::Serve(file) => serve::run(&file).await,
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Check(args) => check::run(&args).await,
        Command::Openapi { version: OpenapiVersion::V3_1 } => print_line(&api::documents().v3_1),
        Command::Openapi { version: OpenapiVersion::V3_0 } => print_line(&api::documents().v3_0),
        Command::Key => key::run(),
        Command::Export(args) => export::run(&args).await,
        Command::Healthcheck(args) => healthcheck::run(&args).await,
    }
}

/// Prints to standard output; a reader who has gone away is an error, not a
/// panic as with `println!`.
fn print_line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("standard output cannot be written")
}
