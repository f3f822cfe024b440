//! Whether a kept answer may be used: the operator's policy, and what a caller
//! asks on top of it. A caller may ask for fresher, never for longer.

use std::time::Duration;

use super::Reason;

/// How long answers may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// An answer is used without asking again for so long (RFC 9111, section
    /// 4.2: its freshness lifetime).
    pub fresh: Duration,
    /// For so long after that it is used while it is fetched anew (RFC 5861,
    /// section 3).
    pub stale_while_revalidate: Duration,
    /// For so long after its freshness it stands in for an error (RFC 5861,
    /// section 4).
    pub stale_if_error: Duration,
    /// The freshness lifetime of "there is no such row".
    pub not_found: Duration,
}

/// A request's `Cache-Control` (RFC 9111, section 5.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheDirectives {
    /// `no-cache`: nothing kept is used.
    pub no_cache: bool,
    /// `no-store`: what is fetched for this request is not kept.
    pub no_store: bool,
    /// `only-if-cached`: nothing is fetched for this request.
    pub only_if_cached: bool,
    /// `max-age`: nothing older is used.
    pub max_age: Option<Duration>,
    /// `max-stale`: what has been stale for no longer than this is used
    /// without asking again, as long as the policy keeps it at all; what has
    /// been stale for longer is not used.
    pub max_stale: Option<Duration>,
}

impl Policy {
    /// For how long after its freshness an answer may be used at all.
    pub(super) fn stale(&self) -> Duration {
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

/// How a kept answer stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryState {
    pub(super) age: Duration,
    pub(super) lifetime: Duration,
    /// Whether the answer may be used when it is stale: that a row is missing
    /// is worth its short time and no more.
    pub(super) may_serve_stale: bool,
    pub(super) policy: Policy,
}

/// What to do with a kept answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Use it; it stays fresh for so long.
    Fresh { ttl: Duration },
    /// Use it, and fetch it anew meanwhile; it has been stale for so long.
    Stale { by: Duration },
    /// Fetch it anew.
    Forward(Reason),
}

impl EntryState {
    pub(super) fn verdict(&self, directives: &CacheDirectives) -> Verdict {
        let is_refused = directives.no_cache || self.is_too_old(directives);
        let ttl = self.lifetime.saturating_sub(self.age);
        if !ttl.is_zero() {
            return if is_refused { Verdict::Forward(Reason::Request) } else { Verdict::Fresh { ttl } };
        }
        let window =
            if directives.max_stale.is_some() { self.policy.stale() } else { self.policy.stale_while_revalidate };
        let by = self.stale_by();
        if !is_refused && self.may_serve_stale && by < window && directives.max_stale.is_none_or(|most| by <= most) {
            return Verdict::Stale { by };
        }
        Verdict::Forward(Reason::Stale)
    }

    /// For how long the answer has been stale, if it may stand in for an error.
    pub(super) fn usable_on_error(&self, directives: &CacheDirectives) -> Option<Duration> {
        let by = self.stale_by();
        let usable = !directives.no_cache
            && !self.is_too_old(directives)
            && self.may_serve_stale
            && by < self.policy.stale_if_error
            && directives.max_stale.is_none_or(|most| by <= most);
        usable.then_some(by)
    }

    fn stale_by(&self) -> Duration {
        self.age.saturating_sub(self.lifetime)
    }

    fn is_too_old(&self, directives: &CacheDirectives) -> bool {
        directives.max_age.is_some_and(|most| self.age > most)
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
        fn standing()(
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
        fn what_is_used_is_within_the_policy_and_the_demand(standing in standing(), directives in directives()) {
            let EntryState { age, lifetime, may_serve_stale, policy } = standing;
            let verdict = standing.verdict(&directives);
            match verdict {
                Verdict::Fresh { ttl } => prop_assert!(!ttl.is_zero() && age + ttl == lifetime),
                Verdict::Stale { by } => {
                    prop_assert!(may_serve_stale && age == lifetime + by);
                    prop_assert!(by < policy.stale_while_revalidate.max(policy.stale_if_error));
                    prop_assert!(by < policy.stale_while_revalidate || directives.max_stale.is_some());
                    prop_assert!(directives.max_stale.is_none_or(|most| by <= most));
                }
                Verdict::Forward(reason) => {
                    prop_assert_eq!(reason == Reason::Request, age < lifetime);
                    prop_assert_ne!(reason, Reason::Miss);
                }
            }
            if !matches!(verdict, Verdict::Forward(_)) {
                prop_assert!(!directives.no_cache && directives.max_age.is_none_or(|most| age <= most));
            }
            if let Some(by) = standing.usable_on_error(&directives) {
                prop_assert!(may_serve_stale && !directives.no_cache && by < policy.stale_if_error);
                prop_assert!(directives.max_age.is_none_or(|most| age <= most));
                prop_assert!(directives.max_stale.is_none_or(|most| by <= most));
            }
        }

        #[test]
        fn nobody_gets_older_by_asking_for_fresher(standing in standing(), directives in directives()) {
            let strict = CacheDirectives { max_stale: None, ..directives };
            let used = |directives: &CacheDirectives| !matches!(standing.verdict(directives), Verdict::Forward(_));
            prop_assert!(used(&CacheDirectives::default()) || !used(&strict));
            let on_error = |directives: &CacheDirectives| standing.usable_on_error(directives).is_some();
            prop_assert!(on_error(&CacheDirectives::default()) || !on_error(&directives));
        }
    }
}
