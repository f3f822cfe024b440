//! Cache status of a response (RFC 9211).

use std::{fmt, time::Duration};

use jiff::SignedDuration;

/// Cache status of a lookup or of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus {
    /// Fetch from the vendor, successful or not; `None` for a hit.
    pub forward: Option<Forward>,
    /// Remaining freshness lifetime; negative for the time since expiry.
    pub ttl: SignedDuration,
    /// Reason for serving a stale entry.
    pub detail: Option<&'static str>,
}

/// Fetch from the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// Reason for the fetch.
    pub reason: Reason,
    /// HTTP status of the vendor's response, if any.
    pub status: Option<u16>,
    /// True if another request started the fetch.
    pub collapsed: bool,
    /// True if the response was stored.
    pub stored: bool,
}

/// Reason for a fetch (RFC 9211, section 2.2), in ascending order of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The entry was stale.
    Stale,
    /// The request did not allow the entry.
    Request,
    /// No entry was cached.
    Miss,
}

impl CacheStatus {
    /// Returns the status of a fresh hit with a remaining lifetime.
    #[must_use]
    pub fn fresh(ttl: Duration) -> Self {
        Self { forward: None, ttl: signed(ttl), detail: None }
    }

    /// Returns the status of a stale hit that expired `by` ago.
    pub(super) fn stale(by: Duration) -> Self {
        Self { forward: None, ttl: -signed(by), detail: Some("stale-while-revalidate") }
    }

    /// Returns the status of a successful fetch.
    pub(super) fn forwarded(forward: Forward, ttl: Duration) -> Self {
        Self { forward: Some(forward), ttl: signed(ttl), detail: None }
    }

    /// Returns the status of a stale entry that replaced a failed fetch.
    pub(super) fn stale_if_error(forward: Forward, by: Duration) -> Self {
        Self { forward: Some(forward), ttl: -signed(by), detail: Some("stale-if-error") }
    }

    /// Returns true if the request waited for a vendor call.
    #[must_use]
    pub fn is_forwarded(&self) -> bool {
        self.forward.is_some()
    }

    /// Returns true for a hit on a fresh entry.
    #[must_use]
    pub fn is_fresh_hit(&self) -> bool {
        self.forward.is_none() && self.detail.is_none()
    }

    /// Returns the status of a response made of both: the worse of the two,
    /// with the smaller `ttl`.
    #[must_use]
    pub fn combine(self, other: Self) -> Self {
        let rank = |status: &Self| (status.forward.map(|forward| forward.reason), status.detail.is_some(), -status.ttl);
        let worse = if rank(&other) > rank(&self) { other } else { self };
        Self { ttl: self.ttl.min(other.ttl), detail: self.detail.or(other.detail), ..worse }
    }
}

/// Formats the member of a `Cache-Status` header.
impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("customer-gateway")?;
        match self.forward {
            None => f.write_str("; hit")?,
            Some(forward) => {
                let reason = match forward.reason {
                    Reason::Miss => "miss",
                    Reason::Stale => "stale",
                    Reason::Request => "request",
                };
                write!(f, "; fwd={reason}")?;
                if let Some(status) = forward.status {
                    write!(f, "; fwd-status={status}")?;
                }
                if forward.stored {
                    f.write_str("; stored")?;
                }
                if forward.collapsed {
                    f.write_str("; collapsed")?;
                }
            }
        }
        // Rounded up, because `Age` is rounded down: their sum is the lifetime.
        write!(f, "; ttl={}", self.ttl.as_secs() + i64::from(self.ttl.subsec_nanos() > 0))?;
        match self.detail {
            Some(detail) => write!(f, "; detail={detail}"),
            None => Ok(()),
        }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
