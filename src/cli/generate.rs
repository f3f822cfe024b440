//! `customer-gateway generate`: shell completions and man pages, for packages.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;

use super::{Cli, print_line};

#[derive(Debug, Subcommand)]
pub(super) enum GeneratedFile {
    /// Print the completions of a shell.
    Completions {
        /// Shell that reads the completions.
        shell: Shell,
    },
    /// Write a man page for the command and for each subcommand.
    Man {
        /// Directory of the pages; created if absent.
        directory: PathBuf,
    },
}

pub(super) fn run(file: &GeneratedFile) -> anyhow::Result<()> {
    let mut command = Cli::command();
    match file {
        GeneratedFile::Completions { shell } => {
            let name = command.get_name().to_owned();
            let mut completions = Vec::new();
            clap_complete::generate(*shell, &mut command, name, &mut completions);
            print_line(String::from_utf8_lossy(&completions).trim_end())
        }
        GeneratedFile::Man { directory } => {
            let failure = || format!("cannot write man pages to {}; choose a writable directory", directory.display());
            fs::create_dir_all(directory).with_context(failure)?;
            clap_mangen::generate_to(command, directory).with_context(failure)
        }
    }
}
