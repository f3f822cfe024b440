//! How an answer was come by, in the words of RFC 9211.

use std::{fmt, time::Duration};

/// How an answer was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus {
    /// How it was fetched, if it was, or if that was tried.
    pub forward: Option<Forward>,
    /// How long it stays fresh, in seconds; negative for how long it has been
    /// stale.
    pub ttl: i64,
    /// Why a stale answer was used.
    pub detail: Option<&'static str>,
}

/// A fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// Why nothing that was kept was used.
    pub reason: Reason,
    /// The vendor's status, where it answered.
    pub status: Option<u16>,
    /// Whether another request's fetch was waited for.
    pub collapsed: bool,
    /// Whether what came was kept.
    pub stored: bool,
}

/// Why nothing that was kept was used (RFC 9211, section 2.2), from the least
/// to the most that a caller pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// What was kept was stale.
    Stale,
    /// The request did not allow it.
    Request,
    /// Nothing was kept.
    Miss,
}

impl CacheStatus {
    /// That of an answer that is kept and fresh for so long.
    #[must_use]
    pub fn fresh(ttl: Duration) -> Self {
        Self { forward: None, ttl: seconds(ttl), detail: None }
    }

    pub(super) fn stale(by: Duration) -> Self {
        Self { forward: None, ttl: -seconds(by), detail: Some("stale-while-revalidate") }
    }

    pub(super) fn forwarded(forward: Forward, ttl: Duration) -> Self {
        Self { forward: Some(forward), ttl: seconds(ttl), detail: None }
    }

    pub(super) fn stale_if_error(forward: Forward, by: Duration) -> Self {
        Self { forward: Some(forward), ttl: -seconds(by), detail: Some("stale-if-error") }
    }

    /// Whether a vendor call was made or waited for.
    #[must_use]
    pub fn is_forwarded(&self) -> bool {
        self.forward.is_some()
    }

    /// Whether it was kept and fresh, and nothing was fetched.
    #[must_use]
    pub fn is_fresh_hit(&self) -> bool {
        self.forward.is_none() && self.detail.is_none()
    }

    /// The worse of two: of an answer that was made of both.
    #[must_use]
    pub fn combine(self, other: Self) -> Self {
        let rank = |status: &Self| (status.forward.map(|forward| forward.reason), status.detail.is_some(), -status.ttl);
        let combine = if rank(&other) > rank(&self) { other } else { self };
        Self { ttl: self.ttl.min(other.ttl), detail: self.detail.or(other.detail), ..combine }
    }
}

/// The member of a `Cache-Status` header.
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
        write!(f, "; ttl={}", self.ttl)?;
        match self.detail {
            Some(detail) => write!(f, "; detail={detail}"),
            None => Ok(()),
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    duration.as_secs().try_into().unwrap_or(i64::MAX)
}
