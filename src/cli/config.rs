//! `customer-gateway config`: the schema of configuration files, and the effective
//! configuration.

use clap::Subcommand;

use crate::{config::Config, files};

use super::{ConfigFile, print_line};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the JSON Schema of configuration files, for editors.
    Schema,
    /// Print the effective configuration: every key with its value. Secrets are
    /// references.
    Print(ConfigFile),
}

pub(super) fn run(command: &ConfigCommand) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Schema => print_line(Config::schema()),
        ConfigCommand::Print(file) => {
            let text = files::read_text(&file.config)?;
            print_line(Config::effective(&text, &file.config)?.trim_end())
        }
    }
}
