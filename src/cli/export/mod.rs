//! `customer-gateway export`: exports a whole list from a running gateway to a
//! file, and resumes an interrupted export.

mod client;
mod partial_export;
mod progress;

use std::{
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use client::GatewayClient;
use partial_export::{Checkpoint, PartialExport};
use url::Url;

use super::print_line;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Path and query of the list, such as `/customers?status=active`.
    #[arg(value_name = "QUERY", default_value = "/customers")]
    query: String,
    /// File to write. Resumes an unfinished export in this file.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Format of the rows.
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// Base URL of the gateway. The environment variable `GATEWAY_KEY` sets the key.
    #[arg(long, env = "GATEWAY_URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// Discard the contents of the file, and start from the beginning.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line of JSON per row.
    Ndjson,
    /// One line of comma-separated values per row.
    Csv,
}

pub(super) async fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let (output, path) = (args.output.as_path(), args.output.display());
    if args.overwrite && output.exists() {
        std::fs::remove_file(output).with_context(|| format!("cannot remove {path}"))?;
    }
    let client = GatewayClient::new(args)?;
    let mut partial = PartialExport::read(output, args.format)?;
    if partial.checkpoint.is_none() && partial.length > 0 {
        bail!("{path} is not a resumable export; choose another file or pass --overwrite");
    }
    if let Some(Checkpoint::Complete) = partial.checkpoint {
        return print_line(format_args!(
            "{path} is already complete with {} rows; pass --overwrite to export again",
            partial.rows
        ));
    }
    let progress = progress::bar(client.total().await, partial.rows);
    loop {
        let streamed = client.stream(&partial, args, &progress).await;
        let current = PartialExport::read(output, args.format)?;
        // Removes rows after the last checkpoint, because the next stream repeats them.
        if current.length > current.end && matches!(current.checkpoint, None | Some(Checkpoint::Continues { .. })) {
            open_at(output, current.end)?;
        }
        let has_advanced = current.end > partial.end;
        partial = current;
        match (&partial.checkpoint, streamed) {
            (Some(Checkpoint::Complete), _) => break,
            (Some(Checkpoint::Incomplete { failure, .. }), _) => {
                bail!("{failure}; {path} contains {} rows, run the same command again to resume", partial.rows)
            }
            // An interrupted stream is repeated as long as each stream adds rows.
            (_, Ok(()) | Err(_)) if has_advanced => {}
            (_, Err(error)) => return Err(error),
            (_, Ok(())) => bail!("the stream ended without a completion record; is --url a customer gateway?"),
        }
    }
    progress.finish_and_clear();
    print_line(format_args!("exported {} rows to {path}", partial.rows))
}

/// Opens a file for writing at `end`, and discards everything after that.
fn open_at(path: &Path, end: u64) -> anyhow::Result<File> {
    let open = || {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        file.set_len(end)?;
        file.seek(SeekFrom::End(0))?;
        std::io::Result::Ok(file)
    };
    open().with_context(|| format!("cannot write {}", path.display()))
}
