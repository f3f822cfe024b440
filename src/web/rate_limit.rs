//! Quota of the caller in responses: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::sync::{Arc, OnceLock};

use arrayvec::ArrayString;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{callers::QuotaStatus, clock::ceil_seconds, web::freshness::header_value};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Header with the state of a quota.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Largest integer of structured fields (RFC 9651, section 3.3.1).
const MAX_INTEGER: u64 = 999_999_999_999_999;
/// Capacity for an item with two integers.
const MAX_ITEM: usize = 64;

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

/// Adds the headers of a quota to a response.
pub(crate) fn add_headers(response: &mut HeaderMap, status: &QuotaStatus) {
    response.insert(RATE_LIMIT_POLICY, policy(status));
    response.insert(RATE_LIMIT, rate_limit(status));
}

/// Returns the value of the header with the state of a quota: `r` requests are admitted
/// now. More are admitted in `t` seconds.
pub(crate) fn rate_limit(QuotaStatus { remaining, next, .. }: &QuotaStatus) -> HeaderValue {
    item(["r", "t"], [(*remaining).into(), ceil_seconds(*next)])
}

/// Returns the policy: `q` requests are admitted in `w` seconds.
fn policy(QuotaStatus { quota, .. }: &QuotaStatus) -> HeaderValue {
    item(["q", "w"], [quota.requests.get().into(), ceil_seconds(quota.per)])
}

/// Returns a list with the policy's name and these parameters (RFC 9651, section
/// 4.1.1). Seconds are rounded up, because the draft has whole seconds: a client never
/// expects a request too early.
fn item(names: [&str; 2], values: [u64; 2]) -> HeaderValue {
    let mut text = ArrayString::<MAX_ITEM>::new();
    // The text of two integers is shorter than the buffer.
    text.push_str("\"quota\"");
    for (name, value) in names.into_iter().zip(values) {
        text.push(';');
        text.push_str(name);
        text.push('=');
        text.push_str(itoa::Buffer::new().format(value.min(MAX_INTEGER)));
    }
    header_value(&text)
}
