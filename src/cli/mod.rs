//! The command line.

mod check;
mod config;
mod export;
mod generate;
mod healthcheck;
mod key;
mod sandbox;
mod serve;

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};

use tokio::runtime::Runtime;

use crate::{
    api,
    telemetry::log::{Log, LogFormat},
};

/// One HTTP API for customers held by several vendors.
#[derive(Debug, Parser)]
#[command(version = env!("GATEWAY_VERSION"), about)]
pub struct Cli {
    /// Format of log lines on standard error.
    #[arg(long, global = true, env = "GATEWAY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the configured connections.
    Serve(ConfigFile),
    /// Serve two simulated vendors, without a configuration.
    Sandbox(sandbox::SandboxArgs),
    /// Validate a configuration.
    Check(check::CheckArgs),
    /// Print the schema of configuration files, or the effective configuration.
    Config {
        /// Output.
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
    /// Print the OpenAPI document.
    Openapi {
        /// OpenAPI version of the document.
        #[arg(long, value_enum, default_value_t = OpenapiVersion::V3_1)]
        version: OpenapiVersion,
    },
    /// Generate a caller's key, and print the key with its digest.
    Key(key::KeyArgs),
    /// Export a whole list from a running gateway to a file.
    Export(export::ExportArgs),
    /// Check the readiness of a running gateway. Fails if the gateway is not ready.
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Generate shell completions or man pages, for packages.
    #[command(hide = true)]
    Generate {
        /// Files to generate.
        #[command(subcommand)]
        file: generate::GeneratedFile,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OpenapiVersion {
    /// The original document.
    #[value(name = "3.1")]
    V3_1,
    /// A conversion for generators without support for 3.1.
    #[value(name = "3.0")]
    V3_0,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// Configuration file. `gateway.example.toml` shows every key.
    #[arg(long, value_name = "FILE", env = "GATEWAY_CONFIG", default_value = "gateway.toml")]
    config: PathBuf,
}

/// Runs a command. An error is one line with the causes: a backtrace would hide
/// the remedy.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let log = match Log::start(cli.log_format) {
        Ok(log) => log,
        Err(error) => {
            // If standard error is closed, the exit code still reports the failure.
            writeln!(std::io::stderr(), "Error: cannot start the log: {error}").ok();
            return ExitCode::FAILURE;
        }
    };
    match run_on_runtime(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.print(format_args!("Error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run_on_runtime(command: Command) -> anyhow::Result<()> {
    let runtime = Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(run_command(command));
    // A drop would wait for blocking tasks, such as an unanswered DNS lookup.
    runtime.shutdown_background();
    result
}

async fn run_command(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(file) => serve::run(&file).await,
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Check(args) => check::run(&args).await,
        Command::Config { command } => config::run(&command),
        Command::Openapi { version: OpenapiVersion::V3_1 } => print_line(&api::documents().v3_1),
        Command::Openapi { version: OpenapiVersion::V3_0 } => print_line(&api::documents().v3_0),
        Command::Key(args) => key::run(&args),
        Command::Generate { file } => generate::run(&file),
        Command::Export(args) => export::run(&args).await,
        Command::Healthcheck(args) => healthcheck::run(&args).await,
    }
}

/// Prints to standard output. A closed output is an error, where `println!` panics.
fn print_line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("cannot write to standard output")
}
