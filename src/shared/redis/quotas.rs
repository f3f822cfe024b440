//! Quotas of callers, each in a key of its own.

use std::time::Duration;

use ::redis::Script;
use async_trait::async_trait;
use metrics::Counter;

use crate::{
    shared::{Fingerprint, QuotaReport, Quotas, Settings, SharedKey, Unavailable},
    telemetry::metrics::Registry,
};

use super::{link::Link, replicas::Heart};

/// Quotas on a server.
pub(super) struct RedisQuotas {
    link: Link,
    heart: Heart,
    /// Configured minimum of replicas.
    min_replicas: u32,
    prefix: String,
    key: SharedKey,
    script: Script,
    reported: Counter,
    failed: Counter,
}

impl RedisQuotas {
    /// Creates the quotas of the settings.
    pub(super) fn new(link: Link, heart: Heart, settings: &Settings, registry: &Registry) -> Self {
        let counter = |outcome| {
            let help = "Requests that count for a quota and were reported to Redis, by outcome.";
            registry.counter("gateway_shared_quota_requests_total", help, &[("outcome", outcome)])
        };
        let (prefix, key) = (settings.prefix.clone(), settings.key.clone());
        let min_replicas = settings.replicas.get();
        let script = Script::new(include_str!("quota.lua"));
        Self {
            link,
            heart,
            min_replicas,
            prefix,
            key,
            script,
            reported: counter("reported"),
            failed: counter("failed"),
        }
    }
}

#[async_trait]
impl Quotas for RedisQuotas {
    async fn report(&self, name: &[&[u8]], report: QuotaReport) -> Result<Duration, Unavailable> {
        let name = Fingerprint::new(&self.key, [&b"quota"[..]].into_iter().chain(name.iter().copied()));
        let QuotaReport { requests, interval, capacity, own_wait } = report;
        // Each replica may admit a burst before its first report, and later requests wait
        // for all of them.
        let replicas = self.heart.replicas().known.max(self.min_replicas);
        let longest = capacity.saturating_mul(replicas.saturating_add(1));
        let mut invocation = self.script.key(format!("{}:v1:{{{name}}}:quota", self.prefix));
        invocation.arg(micros(interval.saturating_mul(requests))).arg(micros(longest)).arg(micros(own_wait));
        let wait = self.link.run::<u64>(&invocation).await;
        if wait.is_ok() { &self.reported } else { &self.failed }.increment(requests.into());
        Ok(Duration::from_micros(wait?).min(longest))
    }
}

impl std::fmt::Debug for RedisQuotas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisQuotas").finish_non_exhaustive()
    }
}

/// Returns a duration in microseconds, with three decimals.
fn micros(duration: Duration) -> String {
    format!("{}.{:03}", duration.as_micros(), duration.subsec_nanos() % 1000)
}
