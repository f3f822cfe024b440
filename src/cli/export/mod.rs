//! `customer-gateway export`: exports a whole list from a running gateway to a
//! file, and resumes an interrupted export.

mod client;
mod output;
mod output_file;
mod progress;
mod records;
mod state;
mod target;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use url::Url;

use super::print_line;
use client::GatewayClient;
use output::Output;
use records::{Checkpoint, ExportFailure, Record, RecordParser, Source};
use state::ExportState;
use target::Target;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Path and query of the list, such as `/customers?status=active`.
    #[arg(value_name = "QUERY", default_value = "/customers")]
    query: String,
    /// File to write, or `-` for standard output. Resumes an unfinished export in
    /// this file.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Format of the rows. By default, the extension of the file determines the
    /// format: `.csv`, `.ndjson` or `.jsonl`; otherwise ndjson.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Base URL of the gateway. The environment variable `GATEWAY_KEY` sets the key.
    #[arg(long, env = "GATEWAY_URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// CA certificates in PEM format, which replace those of the system.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Replace the file, also if it contains a finished export.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// One line of JSON per row.
    Ndjson,
    /// One line of comma-separated values per row.
    Csv,
}

/// End of a stream.
enum StreamEnd {
    /// The stream contains all rows.
    Complete {
        /// Connections without rows.
        omitted: Vec<String>,
    },
    /// The gateway ended the export early.
    Incomplete(ExportFailure),
}

/// An export in progress.
struct Export {
    client: GatewayClient,
    format: Format,
    output: Output,
    progress: ProgressBar,
}

pub(super) async fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let target = Target::new(&args.url, &args.query)?;
    let format = args.format.unwrap_or_else(|| Format::from_extension(&args.output));
    let output = if args.output == Path::new("-") {
        Output::stdout()
    } else {
        let initial = ExportState { url: target.as_str().to_owned(), format, offset: 0, rows: 0, cursor: None };
        Output::file(&args.output, initial, args.overwrite)?
    };
    let client = GatewayClient::new(target, args.cacert.as_deref())?;
    let progress = progress::bar(client.total().await, output.rows());
    let mut export = Export { client, format, output, progress };
    let omitted = export.run().await?;
    export.progress.finish_and_clear();
    let omitted = if omitted.is_empty() { String::new() } else { format!("; no rows from {}", omitted.join(", ")) };
    let summary = format!("exported {} rows to {}{omitted}", export.output.rows(), export.output);
    match export.output {
        Output::File(_) => print_line(summary),
        // Standard output contains only the rows.
        Output::Stdout { .. } => writeln!(std::io::stderr(), "{summary}").context("cannot write to standard error"),
    }
}

impl Export {
    /// Runs the export to its end. Returns the connections without rows.
    async fn run(&mut self) -> anyhow::Result<Vec<String>> {
        loop {
            let before = self.output.state().cloned();
            let end = self.stream().await;
            if !matches!(end, Ok(StreamEnd::Complete { .. })) {
                self.output.rewind()?;
            }
            let has_advanced = self.output.state() != before.as_ref();
            match end {
                Ok(StreamEnd::Complete { omitted }) => return Ok(omitted),
                Ok(StreamEnd::Incomplete(failure)) => bail!("{failure}; {}", self.output.remedy()),
                // An interrupted stream is repeated as long as each stream adds rows.
                Err(_) if has_advanced => self.progress.set_position(self.output.rows()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes one stream to the output, after the last checkpoint.
    async fn stream(&mut self) -> anyhow::Result<StreamEnd> {
        let cursor = self.output.state().and_then(|state| state.cursor.clone());
        let mut response = self.client.stream(cursor.as_deref(), self.format).await?;
        let mut parser = RecordParser::new(self.format);
        while let Some(chunk) = response.chunk().await.context("the stream was interrupted")? {
            for record in parser.push(&chunk)? {
                match record {
                    Record::Header(header) => self.output.write_header(&header)?,
                    Record::Row(row) => {
                        self.output.write_row(&row)?;
                        self.progress.inc(1);
                    }
                    Record::Checkpoint(Checkpoint::Continues { cursor }) => self.output.save(&cursor)?,
                    Record::Checkpoint(Checkpoint::Complete { sources }) => {
                        self.output.finish()?;
                        let omitted = sources.iter().filter_map(Source::omitted).map(str::to_owned).collect();
                        return Ok(StreamEnd::Complete { omitted });
                    }
                    Record::Checkpoint(Checkpoint::Incomplete { cursor, failure }) => {
                        if let Some(cursor) = cursor {
                            self.output.save(&cursor)?;
                        }
                        return Ok(StreamEnd::Incomplete(failure));
                    }
                }
            }
        }
        bail!("the stream ended without a completion record; is --url a customer gateway?")
    }
}

impl Format {
    fn from_extension(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        if extension == "csv" { Self::Csv } else { Self::Ndjson }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ndjson => "NDJSON",
            Self::Csv => "CSV",
        })
    }
}
