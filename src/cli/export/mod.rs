//! `customer-gateway export`: a whole list of a running gateway, into a file,
//! going on where an earlier run stopped.

mod held;

use std::{
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use held::{Checkpoint, PartialExport};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::{Client, RequestBuilder, Response, Url, header::ACCEPT};
use serde_json::Value;

use super::print_line;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// What to export: a list's path and query, such as
    /// `/customers?status=active`. All customers, if left out.
    #[arg(default_value = "/customers")]
    question: String,
    /// The file to write. One that an earlier run left unfinished is gone on
    /// with.
    #[arg(long, short)]
    output: PathBuf,
    /// How rows are written.
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// The gateway. Its key is read from the environment variable
    /// `GATEWAY_KEY`.
    #[arg(long, env = "GATEWAY_URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// Begin anew, whatever the file holds.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line of JSON for each row.
    Ndjson,
    /// A line of comma-separated values for each row.
    Csv,
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

pub(super) async fn run(args: &ExportArgs) -> anyhow::Result<()> {
    if args.overwrite && args.output.exists() {
        std::fs::remove_file(&args.output).with_context(|| format!("cannot remove {}", args.output.display()))?;
    }
    let gateway = Gateway::of(args)?;
    let mut held = PartialExport::read(&args.output, args.format)?;
    if held.mark.is_none() && held.length > 0 {
        bail!(
            "{} holds no export that could be gone on with; name another file, or say --overwrite",
            args.output.display()
        );
    }
    if let Some(Checkpoint::Complete) = held.mark {
        return print_line(format_args!(
            "{} holds all {} rows; --overwrite begins anew",
            args.output.display(),
            held.rows
        ));
    }
    let bar = bar(gateway.total().await, held.rows);
    loop {
        let ended = gateway.stream(&held, args, &bar).await;
        let now = PartialExport::read(&args.output, args.format)?;
        // What is not whole would only be in the way.
        if now.length > now.end && matches!(now.mark, None | Some(Checkpoint::Continues { .. })) {
            opened(&args.output, now.end)?;
        }
        let advanced = now.end > held.end;
        held = now;
        match (&held.mark, ended) {
            (Some(Checkpoint::Complete), _) => break,
            (Some(Checkpoint::Incomplete { problem, .. }), _) => bail!(
                "{problem}; {} rows are in {}, and the same command goes on from there",
                held.rows,
                args.output.display()
            ),
            // A connection that broke off is worth another, as long as that helps.
            (_, Ok(()) | Err(_)) if advanced => {}
            (_, Err(error)) => return Err(error),
            (_, Ok(())) => bail!("the gateway ended the stream without a word; is it one?"),
        }
    }
    bar.finish_and_clear();
    print_line(format_args!("{} rows are in {}", held.rows, args.output.display()))
}

/// The gateway that is asked.
struct Gateway {
    client: Client,
    url: Url,
    key: Option<String>,
}

impl Gateway {
    fn of(args: &ExportArgs) -> anyhow::Result<Self> {
        let url = args.url.join(&args.question).with_context(|| format!("`{}` is no path and query", args.question))?;
        let key = std::env::var("GATEWAY_KEY").ok().filter(|key| !key.is_empty());
        Ok(Self { client: Client::builder().build()?, url, key })
    }

    fn get(&self, parameters: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.url.clone();
        for (name, value) in parameters {
            url.query_pairs_mut().append_pair(name, value);
        }
        let request = self.client.get(url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// How many rows there are, where the gateway knows; what is wrong with the
    /// question, the export itself will tell.
    async fn total(&self) -> Option<u64> {
        let page = self.get(&[("limit", "1")]).send().await.ok()?.bytes().await.ok()?;
        serde_json::from_slice::<Value>(&page).ok()?["page"]["total"].as_u64()
    }

    /// Streams rows into the file, behind those that it holds.
    async fn stream(&self, held: &PartialExport, args: &ExportArgs, bar: &ProgressBar) -> anyhow::Result<()> {
        let mut file = opened(&args.output, held.end)?;
        let cursor = match &held.mark {
            Some(Checkpoint::Continues { cursor } | Checkpoint::Incomplete { cursor: Some(cursor), .. }) => {
                vec![("cursor", cursor.as_str())]
            }
            _ => Vec::new(),
        };
        let request = self.get(&cursor).header(ACCEPT, args.format.media_type());
        let mut response = answered(request.send().await.context("the gateway does not answer")?).await?;
        // A stream that goes on begins with the header too.
        let mut skips_header = args.format == Format::Csv && held.end > 0;
        while let Some(chunk) = response.chunk().await.context("the stream broke off")? {
            let mut rows = &chunk[..];
            if skips_header {
                // The header's names hold no line break.
                let end = rows.iter().position(|byte| *byte == b'\n');
                skips_header = end.is_none();
                rows = end.map_or(&[], |end| &rows[end + 1..]);
            }
            file.write_all(rows).context("the file cannot be written")?;
            bar.inc(rows.split(|byte| *byte == b'\n').skip(1).count() as u64);
        }
        file.sync_all().context("the file cannot be written")
    }
}

/// A successful answer; any other says why.
async fn answered(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem: Value = serde_json::from_slice(&response.bytes().await.unwrap_or_default()).unwrap_or_default();
    match (problem["code"].as_str(), problem["detail"].as_str()) {
        (Some(code), Some(detail)) => bail!("the gateway answers {} `{code}`: {detail}", status.as_u16()),
        _ => bail!("the gateway answers {status}"),
    }
}

/// The file, cut to what of it is whole.
fn opened(path: &Path, end: u64) -> anyhow::Result<File> {
    let open = || {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        file.set_len(end)?;
        file.seek(SeekFrom::End(0))?;
        std::io::Result::Ok(file)
    };
    open().with_context(|| format!("cannot write {}", path.display()))
}

/// A bar on a terminal, and nothing elsewhere.
fn bar(total: Option<u64>, rows: u64) -> ProgressBar {
    let target = ProgressDrawTarget::stderr();
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::with_draw_target(Some(total), target),
            "{bar:40} {human_pos} of {human_len} rows, {eta} to go",
        ),
        None => (ProgressBar::with_draw_target(None, target), "{spinner} {human_pos} rows"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_position(rows);
    bar
}
