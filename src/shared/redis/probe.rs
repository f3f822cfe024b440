//! Lease of a probe on the server.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use ::redis::{Script, ScriptInvocation};
use async_trait::async_trait;

use crate::shared::{Fingerprint, ProbeLease, Unavailable};

use super::link::Link;

static PROBE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("probe.lua")));

/// Lease of one account's probe.
pub(super) struct RedisProbe {
    link: Link,
    key: String,
    replica: Arc<str>,
}

impl RedisProbe {
    pub(super) fn new(link: Link, prefix: &str, account: &Fingerprint, replica: Arc<str>) -> Self {
        Self { link, key: format!("{prefix}:v1:{{{account}}}:probe"), replica }
    }

    fn invocation(&self, lifetime: Duration) -> ScriptInvocation<'static> {
        let mut script = PROBE.prepare_invoke();
        script.key(&self.key).arg(&*self.replica);
        script.arg(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX));
        script
    }
}

#[async_trait]
impl ProbeLease for RedisProbe {
    async fn acquire(&self, lifetime: Duration) -> Result<bool, Unavailable> {
        let lifetime = lifetime.max(Duration::from_millis(1));
        self.link.run::<i64>(&self.invocation(lifetime)).await.map(|acquired| acquired == 1)
    }

    fn release(&self) {
        let (script, link) = (self.invocation(Duration::ZERO), self.link.clone());
        // Without the server, the lease expires.
        tokio::spawn(async move { link.run::<i64>(&script).await });
    }
}
