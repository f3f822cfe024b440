//! Quota of the caller in responses: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::sync::{Arc, OnceLock};

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{callers::QuotaStatus, clock::ceil_seconds};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Largest integer of structured fields (RFC 9651, section 3.3.1).
const MAX_INTEGER: u64 = 999_999_999_999_999;

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
    set_rate_limit(response, status);
}

/// Sets the header with the state of a quota: `r` requests are admitted now. More are
/// admitted in `t` seconds.
pub(crate) fn set_rate_limit(response: &mut HeaderMap, QuotaStatus { remaining, next, .. }: &QuotaStatus) {
    response.insert(RATE_LIMIT, item(["r", "t"], [(*remaining).into(), ceil_seconds(*next)]));
}

/// Returns the policy: `q` requests are admitted in `w` seconds.
fn policy(QuotaStatus { quota, .. }: &QuotaStatus) -> HeaderValue {
    item(["q", "w"], [quota.requests.get().into(), ceil_seconds(quota.per)])
}

/// Returns a list with the policy's name and these parameters (RFC 9651, section
/// 4.1.1). Seconds are rounded up, because the draft has whole seconds: a client never
/// expects a request too early.
fn item(names: [&str; 2], values: [u64; 2]) -> HeaderValue {
    let mut text = BytesMut::with_capacity(48);
    text.extend_from_slice(b"\"quota\"");
    for (name, value) in names.into_iter().zip(values) {
        text.extend_from_slice(b";");
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"=");
        text.extend_from_slice(itoa::Buffer::new().format(value.min(MAX_INTEGER)).as_bytes());
    }
    HeaderValue::from_maybe_shared(text.freeze()).unwrap_or_else(|_| HeaderValue::from_static(""))
}
