//! Quota of the caller in responses: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{HeaderMap, HeaderName};
use sfv::{Integer, KeyRef, ListSerializer, StringRef};

use crate::{callers::QuotaStatus, clock::ceil_seconds};

use super::freshness::header_value;

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Name of the policy.
const QUOTA: &StringRef = StringRef::constant("quota");

/// Quota after the charge of a request. The layer `request` puts the slot into the
/// request's extensions and adds the headers, so responses of all inner layers have
/// the headers, also after a timeout or a panic.
#[derive(Debug, Clone, Default)]
pub(crate) struct QuotaSlot(Arc<OnceLock<QuotaStatus>>);

impl QuotaSlot {
    /// Records the quota, once per request.
    pub(crate) fn set(&self, status: QuotaStatus) {
        let _ = self.0.set(status);
    }

    /// Adds the headers to a response if the caller has a quota.
    pub(crate) fn add_headers(&self, response: &mut HeaderMap) {
        if let Some(status) = self.0.get() {
            add_headers(response, status);
        }
    }
}

/// Adds the headers of a quota to a response. `q` requests are admitted in `w`
/// seconds, and `r` of them now. More are admitted in `t` seconds.
pub(crate) fn add_headers(response: &mut HeaderMap, status: &QuotaStatus) {
    let QuotaStatus { quota, remaining, next } = status;
    let policy = [("q", quota.requests.get().into()), ("w", seconds(quota.per))];
    response.insert(RATE_LIMIT_POLICY, header_value(&item(policy)));
    response.insert(RATE_LIMIT, header_value(&item([("r", (*remaining).into()), ("t", seconds(*next))])));
}

/// Returns a list with the policy's name and these parameters.
fn item(parameters: [(&'static str, Integer); 2]) -> String {
    let mut list = ListSerializer::new();
    let item = list.bare_item(QUOTA);
    let _ = parameters.into_iter().fold(item, |item, (name, value)| item.parameter(KeyRef::constant(name), value));
    list.finish().unwrap_or_default()
}

/// Rounds up, because the draft has whole seconds: a client never expects a request
/// too early.
fn seconds(duration: Duration) -> Integer {
    Integer::try_from(ceil_seconds(duration)).unwrap_or(Integer::MAX)
}
