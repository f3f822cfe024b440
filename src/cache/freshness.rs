//! Freshness decisions: the operator's policy and the caller's directives.
//!
//! A caller's directives may require a fresher entry than the policy. They
//! never extend the policy.

use std::time::Duration;

use super::{CacheStatus, Forward, Reason};

/// Times for which entries may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Freshness lifetime (RFC 9111, section 4.2).
    pub fresh: Duration,
    /// Window after expiry in which the stale entry is served while it is
    /// refreshed (RFC 5861, section 3).
    pub stale_while_revalidate: Duration,
    /// Window after expiry in which the stale entry is served if the vendor
    /// fails (RFC 5861, section 4).
    pub stale_if_error: Duration,
    /// Freshness lifetime of "not found" entries.
    pub not_found: Duration,
}

/// Directives of a request's `Cache-Control` (RFC 9111, section 5.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheDirectives {
    /// `no-cache`: no cached entry is used.
    pub no_cache: bool,
    /// `no-store`: pages fetched for this request are not stored.
    pub no_store: bool,
    /// `only-if-cached`: no vendor call is made for this request.
    pub only_if_cached: bool,
    /// `max-age`: maximum age of an entry.
    pub max_age: Option<Duration>,
    /// `max-stale`: maximum time since expiry. Within this time and the
    /// policy's longer stale window, the entry is served without waiting for
    /// the vendor.
    pub max_stale: Option<Duration>,
}

impl Policy {
    /// Returns the longer stale window.
    pub(super) fn max_stale(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(30),
            stale_while_revalidate: Duration::from_mins(5),
            stale_if_error: Duration::from_hours(1),
            not_found: Duration::from_secs(10),
        }
    }
}

/// Inputs of a freshness decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryState {
    pub(super) age: Duration,
    pub(super) lifetime: Duration,
    /// True if the entry may be served stale. False for "not found" entries.
    pub(super) may_serve_stale: bool,
    pub(super) policy: Policy,
}

/// Freshness decision for an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Serve the entry. `ttl` is its remaining freshness lifetime.
    Fresh { ttl: Duration },
    /// Serve the entry and refresh it. `by` is the time since its expiry.
    Stale { by: Duration },
    /// Fetch the page from the vendor.
    Forward(Reason),
}

impl EntryState {
    /// Decides how the entry is used.
    pub(super) fn verdict(&self, directives: &CacheDirectives) -> Verdict {
        let is_refused = directives.no_cache || self.is_too_old(directives);
        let ttl = self.lifetime.saturating_sub(self.age);
        if !ttl.is_zero() {
            return if is_refused { Verdict::Forward(Reason::Request) } else { Verdict::Fresh { ttl } };
        }
        let window =
            if directives.max_stale.is_some() { self.policy.max_stale() } else { self.policy.stale_while_revalidate };
        let by = self.stale_by();
        if !is_refused && self.may_serve_stale && by < window && directives.max_stale.is_none_or(|limit| by <= limit) {
            return Verdict::Stale { by };
        }
        Verdict::Forward(Reason::Stale)
    }

    /// Returns the time since expiry if the entry may replace a failed fetch.
    pub(super) fn usable_on_error(&self, directives: &CacheDirectives) -> Option<Duration> {
        let by = self.stale_by();
        let usable = !directives.no_cache
            && !self.is_too_old(directives)
            && self.may_serve_stale
            && by < self.policy.stale_if_error
            && directives.max_stale.is_none_or(|limit| by <= limit);
        usable.then_some(by)
    }

    fn stale_by(&self) -> Duration {
        self.age.saturating_sub(self.lifetime)
    }

    fn is_too_old(&self, directives: &CacheDirectives) -> bool {
        directives.max_age.is_some_and(|limit| self.age > limit)
    }
}

/// Use of a stored list for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListVerdict {
    /// The list answers.
    Serve(CacheStatus),
    /// The list answers if the vendor fails (RFC 5861, section 4).
    OnError(CacheStatus),
    /// Only the vendor answers.
    Refuse,
}

impl CacheStatus {
    /// Decides about a stored list of an age with this freshness lifetime. A list is not
    /// refreshed for a request, so it is not served during a revalidation.
    #[must_use]
    pub fn of_list(age: Duration, lifetime: Duration, policy: &Policy, directives: &CacheDirectives) -> ListVerdict {
        let stale_while_revalidate = Duration::ZERO;
        let policy = Policy { fresh: lifetime, stale_while_revalidate, ..*policy };
        let state = EntryState { age, lifetime, may_serve_stale: true, policy };
        match state.verdict(directives) {
            Verdict::Fresh { ttl } => ListVerdict::Serve(Self::fresh(ttl)),
            Verdict::Stale { by } => ListVerdict::Serve(Self::stale(by)),
            Verdict::Forward(reason) => state.usable_on_error(directives).map_or(ListVerdict::Refuse, |by| {
                let forward = Forward { reason, status: None, collapsed: false, stored: false };
                ListVerdict::OnError(Self::stale_if_error(forward, by))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn seconds() -> impl Strategy<Value = Duration> {
        (0_u64..8).prop_map(Duration::from_secs)
    }

    prop_compose! {
        fn state()(
            age in seconds(), fresh in seconds(), while_revalidating in seconds(), on_error in seconds(),
            not_found in seconds(), may_serve_stale in any::<bool>()
        ) -> EntryState {
            let policy = Policy {
                fresh, stale_while_revalidate: while_revalidating, stale_if_error: on_error, not_found,
            };
            EntryState { age, lifetime: if may_serve_stale { fresh } else { not_found }, may_serve_stale, policy }
        }
    }

    prop_compose! {
        fn directives()(
            no_cache in any::<bool>(), max_age in prop::option::of(seconds()),
            max_stale in prop::option::of(prop_oneof![seconds(), select(vec![Duration::MAX])])
        ) -> CacheDirectives {
            CacheDirectives { no_cache, max_age, max_stale, ..CacheDirectives::default() }
        }
    }

    proptest! {
        #[test]
        fn used_entry_meets_policy_and_directives(state in state(), directives in directives()) {
            let EntryState { age, lifetime, may_serve_stale, policy } = state;
            let verdict = state.verdict(&directives);
            match verdict {
                Verdict::Fresh { ttl } => prop_assert!(!ttl.is_zero() && age + ttl == lifetime),
                Verdict::Stale { by } => {
                    prop_assert!(may_serve_stale && age == lifetime + by);
                    prop_assert!(by < policy.stale_while_revalidate.max(policy.stale_if_error));
                    prop_assert!(by < policy.stale_while_revalidate || directives.max_stale.is_some());
                    prop_assert!(directives.max_stale.is_none_or(|limit| by <= limit));
                }
                Verdict::Forward(reason) => {
                    prop_assert_eq!(reason == Reason::Request, age < lifetime);
                    prop_assert_ne!(reason, Reason::Miss);
                }
            }
            if !matches!(verdict, Verdict::Forward(_)) {
                prop_assert!(!directives.no_cache && directives.max_age.is_none_or(|limit| age <= limit));
            }
            if let Some(by) = state.usable_on_error(&directives) {
                prop_assert!(may_serve_stale && !directives.no_cache && by < policy.stale_if_error);
                prop_assert!(directives.max_age.is_none_or(|limit| age <= limit));
                prop_assert!(directives.max_stale.is_none_or(|limit| by <= limit));
            }
        }

        #[test]
        fn directives_never_extend_the_policy(state in state(), directives in directives()) {
            let strict = CacheDirectives { max_stale: None, ..directives };
            let used = |directives: &CacheDirectives| !matches!(state.verdict(directives), Verdict::Forward(_));
            prop_assert!(used(&CacheDirectives::default()) || !used(&strict));
            let on_error = |directives: &CacheDirectives| state.usable_on_error(directives).is_some();
            prop_assert!(on_error(&CacheDirectives::default()) || !on_error(&directives));
        }
    }
}
