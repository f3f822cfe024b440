//! Client of a running gateway.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use reqwest::{Certificate, Client, RequestBuilder, Response, header::ACCEPT, redirect::Policy};
use serde_json::Value;
use url::Url;

use crate::files;

use super::{Format, target::Target};

/// Maximum size of a response that is not a stream.
const MAX_BODY: usize = 8 << 20;

/// Client for one list of a gateway.
pub(super) struct GatewayClient {
    client: Client,
    target: Target,
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
    /// Creates a client. With `cacert`, only certificates that this file signs are
    /// trusted.
    pub(super) fn new(target: Target, cacert: Option<&Path>) -> anyhow::Result<Self> {
        // A redirect could lead to another host.
        let mut builder = Client::builder().redirect(Policy::none());
        if let Some(path) = cacert {
            builder =
                builder.tls_certs_only(certificates(path).with_context(|| format!("--cacert {}", path.display()))?);
        }
        let key = std::env::var("GATEWAY_KEY").ok().filter(|key| !key.is_empty());
        Ok(Self { client: builder.build()?, target, key })
    }

    /// Returns the number of rows, if the gateway knows it. Errors are ignored,
    /// because the export itself reports them.
    pub(super) async fn total(&self) -> Option<u64> {
        let page = self.get(self.target.with("limit", "1")).send().await.ok()?;
        serde_json::from_slice::<Value>(&read_body(page).await).ok()?["page"]["total"].as_u64()
    }

    /// Starts a stream after a cursor.
    pub(super) async fn stream(&self, cursor: Option<&str>, format: Format) -> anyhow::Result<Response> {
        let url = cursor.map_or_else(|| self.target.url(), |cursor| self.target.with("cursor", cursor));
        let request = self.get(url).header(ACCEPT, format.media_type());
        let response = request.send().await.context("no response from the gateway")?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem: Value = serde_json::from_slice(&read_body(response).await).unwrap_or_default();
        match (problem["code"].as_str(), problem["detail"].as_str()) {
            (Some(code), Some(detail)) => bail!("the gateway returned {} `{code}`: {detail}", status.as_u16()),
            _ => bail!("the gateway returned {status}"),
        }
    }

    fn get(&self, url: Url) -> RequestBuilder {
        let request = self.client.get(url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let certificates = Certificate::from_pem_bundle(&files::read(path)?)?;
    ensure!(!certificates.is_empty(), "the file contains no certificate in PEM format");
    Ok(certificates)
}

/// Reads the beginning of a body. A failed or oversized body is truncated.
async fn read_body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > MAX_BODY {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    body
}
