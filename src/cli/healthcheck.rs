//! `customer-gateway healthcheck`: for a container without a shell.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use url::Url;

/// How long the gateway may take to say that it is ready.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// What to ask. By https on this machine, any certificate will do.
    #[arg(long, default_value = "http://127.0.0.1:8080/readyz")]
    url: String,
}

pub(super) async fn run(args: &HealthcheckArgs) -> anyhow::Result<()> {
    let url = Url::parse(&args.url).with_context(|| format!("{} is no URL", args.url))?;
    // A certificate is for the name that callers use. From the same machine it
    // would prove nothing.
    let is_here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let client =
        reqwest::Client::builder().no_proxy().timeout(TIMEOUT).tls_danger_accept_invalid_certs(is_here).build()?;
    let response = client.get(url).send().await.with_context(|| format!("{} does not answer", args.url))?;
    if !response.status().is_success() {
        bail!("{} answers {}", args.url, response.status());
    }
    Ok(())
}
