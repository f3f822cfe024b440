//! `customer-gateway healthcheck`: a readiness probe for containers without a shell.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use url::Url;

/// Maximum duration of the check.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// URL to request. For https on this machine, any certificate is accepted.
    #[arg(long, default_value = "http://127.0.0.1:8080/readyz")]
    url: String,
}

pub(super) async fn run(args: &HealthcheckArgs) -> anyhow::Result<()> {
    let url = Url::parse(&args.url).with_context(|| format!("invalid URL {}", args.url))?;
    // The certificate is for the name that callers use. On the same machine, its
    // validation would prove nothing.
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let client =
        reqwest::Client::builder().no_proxy().timeout(TIMEOUT).tls_danger_accept_invalid_certs(is_local).build()?;
    let response = client.get(url).send().await.with_context(|| format!("no response from {}", args.url))?;
    if !response.status().is_success() {
        bail!("{} returned {}", args.url, response.status());
    }
    Ok(())
}
