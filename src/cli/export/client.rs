//! Client of a running gateway.

use std::io::Write;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use reqwest::{Client, RequestBuilder, Response, header::ACCEPT};
use serde_json::Value;
use url::Url;

use super::{
    ExportArgs, Format, open_at,
    partial_export::{Checkpoint, PartialExport},
};

/// Client for one list of a gateway.
pub(super) struct GatewayClient {
    client: Client,
    url: Url,
    key: Option<String>,
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

impl GatewayClient {
    pub(super) fn new(args: &ExportArgs) -> anyhow::Result<Self> {
        let url = args.url.join(&args.query).with_context(|| format!("`{}` is not a path and query", args.query))?;
        let key = std::env::var("GATEWAY_KEY").ok().filter(|key| !key.is_empty());
        Ok(Self { client: Client::builder().build()?, url, key })
    }

    /// Returns the number of rows, if the gateway knows it. Errors are ignored,
    /// because the export itself reports them.
    pub(super) async fn total(&self) -> Option<u64> {
        let page = self.get(&[("limit", "1")]).send().await.ok()?.bytes().await.ok()?;
        serde_json::from_slice::<Value>(&page).ok()?["page"]["total"].as_u64()
    }

    /// Appends a stream to the file, after the last checkpoint.
    pub(super) async fn stream(
        &self,
        partial: &PartialExport,
        args: &ExportArgs,
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        let mut file = open_at(&args.output, partial.end)?;
        let cursor = match &partial.checkpoint {
            Some(Checkpoint::Continues { cursor } | Checkpoint::Incomplete { cursor: Some(cursor), .. }) => {
                vec![("cursor", cursor.as_str())]
            }
            _ => Vec::new(),
        };
        let request = self.get(&cursor).header(ACCEPT, args.format.media_type());
        let mut response = checked(request.send().await.context("no response from the gateway")?).await?;
        // A resumed CSV stream repeats the header.
        let mut skips_header = args.format == Format::Csv && partial.end > 0;
        while let Some(chunk) = response.chunk().await.context("the stream was interrupted")? {
            let mut rows = &chunk[..];
            if skips_header {
                // No name in the header contains a line break.
                let end = rows.iter().position(|byte| *byte == b'\n');
                skips_header = end.is_none();
                rows = end.map_or(&[], |end| &rows[end + 1..]);
            }
            file.write_all(rows).context("cannot write the file")?;
            progress.inc(rows.split(|byte| *byte == b'\n').skip(1).count() as u64);
        }
        file.sync_all().context("cannot write the file")
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
}

/// Returns a successful response, or the problem of a failed one.
async fn checked(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem: Value = serde_json::from_slice(&response.bytes().await.unwrap_or_default()).unwrap_or_default();
    match (problem["code"].as_str(), problem["detail"].as_str()) {
        (Some(code), Some(detail)) => bail!("the gateway returned {} `{code}`: {detail}", status.as_u16()),
        _ => bail!("the gateway returned {status}"),
    }
}
