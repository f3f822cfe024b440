//! Small values, each in a key of its own.

use std::sync::Arc;

use ::redis::{Cmd, Pipeline};
use async_trait::async_trait;
use metrics::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    shared::{Fingerprint, Seal, Settings, SharedKey, Unavailable, VALUE_LIFETIME, ValueKind, Values},
    telemetry::metrics::Registry,
};

use super::link::Link;

/// First byte of a value, before it is sealed.
const VERSION: u8 = 1;
/// Longest value, in bytes. A cursor over a hundred connections with long vendor
/// cursors is shorter.
const MAX_VALUE: usize = 1 << 20;
/// Memory of the values that wait to be stored, in bytes.
const MAX_WAITING: usize = 8 << 20;
/// Memory of a waiting value in addition to its bytes.
const WAITING_BYTES: usize = 256;
/// Values that are stored in one round trip.
const BATCH: usize = 64;

/// Values on a server.
pub(super) struct RedisValues {
    link: Link,
    prefix: String,
    key: SharedKey,
    seal: Seal,
    waiting: mpsc::UnboundedSender<Waiting>,
    /// Free memory of the waiting values, in bytes.
    memory: Arc<Semaphore>,
    metrics: Metrics,
}

/// Value that waits to be stored.
struct Waiting {
    key_name: String,
    value: Vec<u8>,
    _memory: OwnedSemaphorePermit,
}

#[derive(Clone)]
struct Metrics {
    stored: Counter,
    dropped: Counter,
    hit: Counter,
    miss: Counter,
    unreadable: Counter,
    failed: Counter,
}

impl RedisValues {
    /// Creates the values of the settings. Must be called within a runtime.
    pub(super) fn new(link: Link, settings: &Settings, registry: &Registry) -> Self {
        let (waiting, receiver) = mpsc::unbounded_channel();
        let seal = Seal::new(&settings.key, "customer-gateway 2026-11 shared values");
        let metrics = Metrics::new(registry);
        tokio::spawn(store_waiting(receiver, link.clone(), seal.clone(), metrics.clone()));
        let (prefix, key) = (settings.prefix.clone(), settings.key.clone());
        Self { link, prefix, key, seal, waiting, memory: Arc::new(Semaphore::new(MAX_WAITING)), metrics }
    }

    fn key_name(&self, kind: ValueKind, name: &[&[u8]]) -> String {
        let kind = match kind {
            ValueKind::Cursor => "cursor",
            ValueKind::Step => "step",
        };
        let name = Fingerprint::new(&self.key, [kind.as_bytes()].into_iter().chain(name.iter().copied()));
        format!("{}:v1:{{{name}}}:{kind}", self.prefix)
    }
}

impl std::fmt::Debug for RedisValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisValues").finish_non_exhaustive()
    }
}

#[async_trait]
impl Values for RedisValues {
    async fn put(&self, kind: ValueKind, name: &[&[u8]], value: Vec<u8>) {
        if value.len() > MAX_VALUE {
            self.metrics.dropped.increment(1);
            return;
        }
        let stored = self.link.query(&set(&self.key_name(kind, name), value, &self.seal)).await;
        self.metrics.count_stored(1, &stored);
    }

    fn put_in_background(&self, kind: ValueKind, name: &[&[u8]], value: Vec<u8>) {
        let size = u32::try_from(value.len() + WAITING_BYTES).ok().filter(|_| value.len() <= MAX_VALUE);
        let memory = size.and_then(|size| Arc::clone(&self.memory).try_acquire_many_owned(size).ok());
        let waiting = memory.map(|memory| Waiting { key_name: self.key_name(kind, name), value, _memory: memory });
        if waiting.and_then(|waiting| self.waiting.send(waiting).ok()).is_none() {
            self.metrics.dropped.increment(1);
        }
    }

    async fn get(&self, kind: ValueKind, name: &[&[u8]]) -> Option<Vec<u8>> {
        let key_name = self.key_name(kind, name);
        let mut command = ::redis::cmd("GETEX");
        command.arg(&key_name).arg("PX").arg(lifetime_millis());
        let sealed: Result<Option<Vec<u8>>, _> = self.link.query(&command).await;
        let value = match sealed {
            Ok(Some(sealed)) => self.seal.open(&key_name, &sealed).and_then(without_version),
            Ok(None) => {
                self.metrics.miss.increment(1);
                return None;
            }
            // A key of another type.
            Err(Unavailable::Rejected(code)) if code == "WRONGTYPE" => None,
            Err(_) => {
                self.metrics.failed.increment(1);
                return None;
            }
        };
        if value.is_some() { &self.metrics.hit } else { &self.metrics.unreadable }.increment(1);
        value
    }
}

/// Stores values until their sender is dropped.
async fn store_waiting(mut receiver: mpsc::UnboundedReceiver<Waiting>, link: Link, seal: Seal, metrics: Metrics) {
    let mut waiting = Vec::new();
    loop {
        let count = receiver.recv_many(&mut waiting, BATCH).await;
        if count == 0 {
            return;
        }
        let mut pipeline = Pipeline::with_capacity(count);
        for Waiting { key_name, value, .. } in waiting.drain(..) {
            pipeline.add_command(set(&key_name, value, &seal)).ignore();
        }
        let stored = link.pipeline(&pipeline).await;
        metrics.count_stored(count, &stored);
    }
}

/// Returns the command that stores a value, whatever the key contains.
fn set(key_name: &str, mut value: Vec<u8>, seal: &Seal) -> Cmd {
    value.insert(0, VERSION);
    let mut command = ::redis::cmd("SET");
    command.arg(key_name).arg(seal.seal(key_name, &value)).arg("PX").arg(lifetime_millis());
    command
}

/// Removes the version; `None` if it is not [`VERSION`].
fn without_version(mut value: Vec<u8>) -> Option<Vec<u8>> {
    (value.first() == Some(&VERSION)).then(|| {
        value.remove(0);
        value
    })
}

fn lifetime_millis() -> u64 {
    u64::try_from(VALUE_LIFETIME.as_millis()).unwrap_or(u64::MAX)
}

impl Metrics {
    fn new(registry: &Registry) -> Self {
        let counter = |outcome| {
            let help = "Kept cursors and steps of walks that were stored on Redis or read from it, by outcome.";
            registry.counter("gateway_shared_values_total", help, &[("outcome", outcome)])
        };
        Self {
            stored: counter("stored"),
            dropped: counter("dropped"),
            hit: counter("hit"),
            miss: counter("miss"),
            unreadable: counter("unreadable"),
            failed: counter("failed"),
        }
    }

    fn count_stored(&self, count: usize, result: &Result<(), Unavailable>) {
        let counter = if result.is_ok() { &self.stored } else { &self.failed };
        counter.increment(u64::try_from(count).unwrap_or(u64::MAX));
    }
}
