//! The one way out to a vendor: deadline → budget → send. Retries and the
//! breaker find their place between the budget and the sending.
//!
//! Only this module knows the HTTP client. Bodies are bounded, redirects are
//! not followed, and the credential is in no error and no debug print.

mod budget;
mod credential;

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, AUTHORIZATION};
use reqwest::{Client, Response, redirect};
use url::Url;

use crate::vendors::{VendorRequest, VendorResponse};
pub use budget::{Budget, Budgets, RateLimit};
pub use credential::Credential;

/// Idle connections are closed before the vendor does it, which would race
/// with the next request (hyper#2136).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// How one connection reaches its vendor.
#[derive(Debug)]
pub struct Upstream {
    client: Client,
    base_url: String,
    credential: Credential,
    budget: Budget,
    limits: Limits,
}

/// What bounds one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the moment it is asked for to the last byte of its body.
    pub timeout: Duration,
    /// The largest body, decompressed, in bytes.
    pub max_body: usize,
}

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The budget has no place for the call before its deadline.
    #[error("the credential's budget is spent; there is room again in {retry_after:?}")]
    BudgetSpent {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The deadline passed.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The vendor cannot be reached.
    #[error("the vendor cannot be reached: {0}")]
    Unreachable(String),
    /// The answer broke off.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    /// The body is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// The HTTP client that all connections share, so that they share its pool.
pub fn client() -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("customer-gateway/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .build()
}

impl Upstream {
    /// The way to the vendor at `base_url`, with or without its last slash.
    #[must_use]
    pub fn new(client: Client, base_url: &Url, credential: Credential, budget: Budget, limits: Limits) -> Self {
        let base_url = base_url.as_str().trim_end_matches('/').to_owned();
        Self { client, base_url, credential, budget, limits }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: &VendorRequest) -> Result<VendorResponse, SendError> {
        let answer = async {
            self.budget.admit(self.limits.timeout).await?;
            self.send_once(request).await
        };
        tokio::time::timeout(self.limits.timeout, answer).await.unwrap_or(Err(SendError::TimedOut(self.limits.timeout)))
    }

    /// Text of the vendor's without the credential, should it repeat it.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.credential.redact(text)
    }

    async fn send_once(&self, request: &VendorRequest) -> Result<VendorResponse, SendError> {
        let mut url = format!("{}{}", self.base_url, request.path);
        if !request.query.is_empty() {
            url.push('?');
            url.push_str(&request.query);
        }
        let response = self
            .client
            .get(url)
            .header(AUTHORIZATION, self.credential.bearer())
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| SendError::Unreachable(cause(error)))?;
        let status = response.status().as_u16();
        let body = self.read(response).await?;
        Ok(VendorResponse { status, body })
    }

    async fn read(&self, mut response: Response) -> Result<Bytes, SendError> {
        let too_large = SendError::TooLarge(self.limits.max_body);
        let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
        if announced > self.limits.max_body {
            return Err(too_large);
        }
        let mut body = BytesMut::with_capacity(announced);
        while let Some(chunk) = response.chunk().await.map_err(|error| SendError::BrokenOff(cause(error)))? {
            if body.len() + chunk.len() > self.limits.max_body {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// What went wrong at the bottom of an error, without the URL: a query may
/// hold a customer's name.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut deepest: &dyn Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
