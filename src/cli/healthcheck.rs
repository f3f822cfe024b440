//! `customer-gateway healthcheck`: for a container without a shell.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

/// How long the gateway may take to say that it is ready.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// What to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080/readyz")]
    url: String,
}

pub(super) async fn run(args: &HealthcheckArgs) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
    let response = client.get(&args.url).send().await.with_context(|| format!("{} does not answer", args.url))?;
    if !response.status().is_success() {
        bail!("{} answers {}", args.url, response.status());
    }
    Ok(())
}
