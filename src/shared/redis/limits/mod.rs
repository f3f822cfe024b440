//! Rate limits on the server: one credential or caller per hash tag.

mod peers;
mod reply;

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use ::redis::{Script, ScriptInvocation};
use async_trait::async_trait;
use metrics::{Counter, Gauge};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use crate::{
    shared::{
        BlockEvent, Fingerprint, OnLoss, Peers, Restored, ServerTime, Settings, SharedBlock, SharedLimit, Slot,
        SlotReply, SlotRequest, Unavailable, limits::micros,
    },
    telemetry::metrics::Registry,
};

use super::{
    link::Link,
    replicas::{BEAT_INTERVAL, Heart, MISSING_AFTER},
};
use peers::PeerMemory;
use reply::{LastReply, block_of};

/// Calls that one script enters.
const MAX_RESTORED: usize = 500;
/// Age of the last beat above which this replica does not know which others live. One
/// beat may fail.
const MAX_BEAT_AGE: Duration = BEAT_INTERVAL.saturating_mul(2);
/// Attempts to change the send time of a call, which is necessary to keep the limit.
const CORRECTIONS: u32 = 3;
/// Pause between two attempts.
const CORRECTION_PAUSE: Duration = Duration::from_millis(20);

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static CORRECT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("correct.lua")));
static RESTORE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("restore.lua")));
static BLOCK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("block.lua")));

/// Rate limits of all credentials.
pub(super) struct Limits {
    link: Link,
    heart: Heart,
    settings: Settings,
    peers: Mutex<PeerMemory>,
    /// Number of limits of which this replica uses its part.
    divided: Mutex<u32>,
    metrics: LimitMetrics,
}

struct LimitMetrics {
    granted: Counter,
    waited: Counter,
    failed: Counter,
    returned: Counter,
    parts: Gauge,
}

/// Limit of one credential, or of one caller's share of it.
struct RedisLimit {
    limits: Arc<Limits>,
    /// Hash tag and prefix of the keys.
    name: String,
    /// Keys of the send times, the state, the queue and its deadlines.
    keys: [String; 4],
    seen: Mutex<LastReply>,
    /// True if this replica uses its part of the limit.
    is_divided: AtomicBool,
}

impl Limits {
    pub(super) fn new(link: Link, heart: Heart, settings: Settings, registry: &Registry) -> Arc<Self> {
        let peers = Mutex::new(PeerMemory::new(Instant::now()));
        Arc::new(Self { link, heart, settings, peers, divided: Mutex::new(0), metrics: LimitMetrics::new(registry) })
    }

    /// Returns the limit of a credential.
    pub(super) fn limit(self: &Arc<Self>, credential: &Fingerprint) -> Arc<dyn SharedLimit> {
        let name = format!("{}:v1:{{{credential}}}:limit", self.settings.prefix);
        Arc::new(RedisLimit::new(Arc::clone(self), name))
    }
}

impl RedisLimit {
    fn new(limits: Arc<Limits>, name: String) -> Self {
        let keys = ["sent", "state", "waiting", "lapses"].map(|part| format!("{name}:{part}"));
        Self { limits, name, keys, seen: Mutex::default(), is_divided: AtomicBool::new(false) }
    }

    fn member(&self, entry: u64) -> String {
        format!("{}:{entry}", self.limits.heart.id())
    }

    fn take_invocation(&self, request: &SlotRequest) -> ScriptInvocation<'static> {
        let mut script = TAKE.prepare_invoke();
        for key in &self.keys {
            script.key(key);
        }
        script.arg(&**self.limits.heart.id()).arg(request.entry);
        for duration in [request.lateness, request.margin, request.pace] {
            script.arg(micros(duration));
        }
        script.arg(request.demand.max(1));
        for flag in [request.is_background, request.starts_exhausted] {
            script.arg(u8::from(flag));
        }
        self.seen.lock().append_to(&mut script);
        for window in &request.windows {
            script.arg(window.requests.get()).arg(micros(window.per));
        }
        script
    }

    /// Changes or removes a call in the background.
    fn change(&self, entry: u64, at: Option<ServerTime>, is_final: bool) {
        let mut script = CORRECT.prepare_invoke();
        script.key(&self.keys[0]).key(&self.keys[1]).arg(self.member(entry));
        script.arg(at.map_or_else(String::new, |at| at.0.to_string())).arg(u8::from(is_final));
        let link = self.limits.link.clone();
        tokio::spawn(async move {
            for _ in 0..CORRECTIONS {
                if link.run::<i64>(&script).await.is_ok() {
                    return;
                }
                tokio::time::sleep(CORRECTION_PAUSE).await;
            }
        });
    }
}

#[async_trait]
impl SharedLimit for RedisLimit {
    async fn take(&self, request: &SlotRequest) -> Result<SlotReply, Unavailable> {
        let script = self.take_invocation(request);
        let sent = Instant::now();
        let reply: Result<Vec<i64>, _> = self.limits.link.run(&script).await;
        let reply = reply.and_then(|reply| self.seen.lock().read(&reply, sent).ok_or(Unavailable::Unreadable));
        let metrics = &self.limits.metrics;
        let counter = match &reply {
            Ok(SlotReply { slot: Slot::Granted { .. }, .. }) => &metrics.granted,
            Ok(_) => &metrics.waited,
            Err(_) => &metrics.failed,
        };
        counter.increment(1);
        reply
    }

    async fn restore(&self, calls: &[(u64, Duration)], periods: &[Duration]) -> Result<Restored, Unavailable> {
        let mut restored = Restored { is_reset: false, used: Vec::new() };
        // Without calls, one script records the first use of the limit.
        for start in (0..calls.len().max(1)).step_by(MAX_RESTORED) {
            let mut script = RESTORE.prepare_invoke();
            script.key(&self.keys[0]).key(&self.keys[1]).arg(&**self.limits.heart.id());
            script.arg(periods.len());
            for period in periods {
                script.arg(micros(*period));
            }
            for (entry, age) in calls.iter().skip(start).take(MAX_RESTORED) {
                script.arg(*entry).arg(micros(*age));
            }
            let reply: Vec<i64> = self.limits.link.run(&script).await?;
            let (since, used) = reply.split_first().ok_or(Unavailable::Unreadable)?;
            restored.is_reset |= self.seen.lock().is_reset(*since);
            restored.used = used.iter().map(|calls| u32::try_from(*calls).unwrap_or(u32::MAX)).collect();
        }
        Ok(restored)
    }

    async fn block(&self, event: BlockEvent) -> Result<SharedBlock, Unavailable> {
        let (name, age, requested, jitter) = match event {
            BlockEvent::RateLimited { age, requested, jitter } => ("limited", age, requested, jitter),
            BlockEvent::Pause { requested } => ("pause", Duration::ZERO, requested, 1.0),
            BlockEvent::Succeeded { age } => ("succeeded", age, Duration::ZERO, 1.0),
        };
        let mut script = BLOCK.prepare_invoke();
        script.key(&self.keys[1]).arg(name).arg(micros(age)).arg(micros(requested)).arg(jitter);
        let reply: Vec<i64> = self.limits.link.run(&script).await?;
        block_of(&reply).ok_or(Unavailable::Unreadable)
    }

    fn leave(&self) {
        let mut leave = ::redis::pipe();
        for key in &self.keys[2..] {
            leave.cmd("ZREM").arg(key).arg(&**self.limits.heart.id()).ignore();
        }
        let link = self.limits.link.clone();
        // Without the server, the place lapses.
        tokio::spawn(async move { link.pipeline::<()>(&leave).await });
    }

    fn give_back(&self, entry: u64) {
        self.limits.metrics.returned.increment(1);
        self.change(entry, None, true);
    }

    fn correct(&self, entry: u64, at: ServerTime, is_final: bool) {
        self.change(entry, Some(at), is_final);
    }

    fn share(&self, caller: &str) -> Arc<dyn SharedLimit> {
        // The name of a caller may contain any character.
        let caller = Fingerprint::new(&self.limits.settings.key, [caller.as_bytes()]);
        Arc::new(Self::new(Arc::clone(&self.limits), format!("{}:share:{caller}", self.name)))
    }

    fn connection(&self) -> watch::Receiver<bool> {
        self.limits.link.watch()
    }

    fn peers(&self) -> Peers {
        let Limits { link, heart, settings, peers, .. } = &*self.limits;
        let mut peers = peers.lock().update(heart.replicas(), link.is_up(), settings.replicas, Instant::now());
        if peers.since_beat > MAX_BEAT_AGE + settings.timeout {
            // Others may be missing since then.
            peers.missing = peers.parts.saturating_sub(1);
        }
        peers
    }

    fn on_loss(&self) -> OnLoss {
        self.limits.settings.on_loss
    }

    fn missed_after(&self) -> Duration {
        MISSING_AFTER + MAX_BEAT_AGE + self.limits.settings.timeout
    }

    fn timeout(&self) -> Duration {
        self.limits.settings.timeout
    }

    fn record_scope(&self, is_part: bool) {
        if self.is_divided.swap(is_part, Relaxed) == is_part {
            return;
        }
        let mut divided = self.limits.divided.lock();
        let before = *divided;
        *divided = if is_part { before + 1 } else { before.saturating_sub(1) };
        self.limits.metrics.parts.set(f64::from(u8::from(*divided > 0)));
        // One line for all limits.
        match (before, *divided, self.limits.settings.on_loss) {
            (0, 1, OnLoss::Share) => tracing::warn!("rate limits divided among replicas"),
            (0, 1, OnLoss::Reject) => tracing::warn!("vendor calls rejected without redis"),
            (1, 0, _) => tracing::info!("rate limits shared again"),
            _ => {}
        }
    }
}

impl LimitMetrics {
    fn new(registry: &Registry) -> Self {
        let outcome = |outcome| {
            registry.counter(
                "gateway_shared_slots_total",
                "Requests for a slot of a shared rate limit, by outcome.",
                &[("outcome", outcome)],
            )
        };
        let parts = registry.gauge(
            "gateway_shared_limits_divided",
            "1 if this replica uses its part of each rate limit, because Redis is unavailable.",
            &[],
        );
        parts.set(0.0);
        Self {
            granted: outcome("granted"),
            waited: outcome("wait"),
            failed: outcome("failed"),
            returned: registry.counter(
                "gateway_shared_slots_returned_total",
                "Slots of a shared rate limit that were given back, because the call was not sent.",
                &[],
            ),
            parts,
        }
    }
}
