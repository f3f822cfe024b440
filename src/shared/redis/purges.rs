//! Purges of pages: numbers and customers per account for the pages on the server, and a
//! stream for the caches of the replicas.
//!
//! `{prefix}:v1:{purges}` is the stream. Its entries are sealed. Each replica remembers
//! the last entry that it has read. If the server no longer has that entry, purges may
//! be lost, and all shared pages count as purged. A replica confirms entry `id` in the
//! set `{prefix}:v1:{purges}:applied:{id}`.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use ::redis::Script;
use async_trait::async_trait;
use futures_util::future::try_join_all;
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use crate::shared::{Announced, Confirmations, Fingerprint, Purge, Seal, SharedPurges, Unavailable};

use super::{announcements::PURGE, millis, page_server::PageServer, pages::PURGES_TTL, replicas::Heart};

/// Number of purged customers of an account above which all its pages are purged.
const MAX_CUSTOMERS: usize = 1_000;
/// Approximate number of entries of the stream.
const MAX_ENTRIES: usize = 10_000;
/// Number of purges above which the purges that wait for the server are combined.
const MAX_PENDING: usize = 1_000;
/// Scripts that are sent at once, so the timeout applies to few.
const MAX_CONCURRENT: usize = 64;
/// Longest time to wait for confirmations.
const CONFIRM_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Time between two looks at the confirmations.
const CONFIRM_INTERVAL: Duration = Duration::from_millis(10);

/// Purges of all accounts.
pub(super) struct Purges {
    pub(super) server: Arc<PageServer>,
    heart: Heart,
    pub(super) stream: String,
    pub(super) seal: Seal,
    purge: Script,
    pub(super) tail: Script,
    /// Purges that the server has not accepted.
    pub(super) pending: Mutex<Vec<Purge>>,
    pub(super) retry: Notify,
}

impl Purges {
    pub(super) fn new(server: Arc<PageServer>, heart: Heart) -> Self {
        Self {
            stream: format!("{}:v1:{{purges}}", server.prefix),
            seal: Seal::new(&server.key, "customer-gateway 2026-11 shared purges"),
            purge: Script::new(include_str!("purge.lua")),
            tail: Script::new(include_str!("purge_tail.lua")),
            pending: Mutex::default(),
            retry: Notify::new(),
            server,
            heart,
        }
    }

    /// Purges pages on the server.
    async fn apply(&self, purges: &[Purge]) -> Result<(), Unavailable> {
        for chunk in purges.chunks(MAX_CONCURRENT) {
            let apply = chunk.iter().map(async |Purge { account, customer }| {
                let key = self.server.account_key(*account, "purges");
                let sealed = customer.as_ref().map(|id| self.server.seal_customer(&key, id)).unwrap_or_default();
                let mut invocation = self.purge.key(key);
                invocation.arg(sealed).arg(MAX_CUSTOMERS).arg(millis(PURGES_TTL));
                self.server.link.run::<u64>(&invocation).await
            });
            try_join_all(apply).await?;
        }
        Ok(())
    }

    /// Purges pages on the server, then announces the purges. Returns the id of the
    /// last entry.
    async fn send(&self, purges: &[Purge]) -> Result<Option<String>, Unavailable> {
        self.apply(purges).await?;
        let mut entries = ::redis::pipe();
        entries.atomic();
        for purge in purges {
            let sealed = self.seal.seal(&self.stream, &encode(&self.server.id, purge));
            entries.cmd("XADD").arg(&self.stream).arg("MAXLEN").arg("~").arg(MAX_ENTRIES).arg("*").arg("p").arg(sealed);
        }
        let mut ids: Vec<String> = self.server.link.pipeline(&entries).await?;
        let mut announce = ::redis::cmd("PUBLISH");
        announce.arg(&*self.server.announcements.channel).arg(PURGE);
        // The replicas also poll.
        let _ = self.server.link.query::<i64>(&announce).await;
        self.server.metrics.purge_sent.increment(purges.len() as u64);
        Ok(ids.pop())
    }

    /// Waits until all known replicas have confirmed an entry, at most 1.5 seconds.
    async fn wait_for_replicas(&self, id: &str) -> u32 {
        let mut count = ::redis::cmd("SCARD");
        count.arg(self.applied_key(id));
        let start = Instant::now();
        loop {
            let others = self.server.link.query::<u32>(&count).await.unwrap_or(0);
            let confirmed = others.saturating_add(1);
            if confirmed >= self.known_replicas() || start.elapsed() >= CONFIRM_TIMEOUT {
                return confirmed;
            }
            sleep(CONFIRM_INTERVAL).await;
        }
    }

    fn known_replicas(&self) -> u32 {
        self.heart.replicas().known
    }

    pub(super) fn applied_key(&self, id: &str) -> String {
        format!("{}:applied:{id}", self.stream)
    }

    /// Remembers purges that the server has not accepted. No page is read from the
    /// server until it has.
    fn postpone(&self, purges: Vec<Purge>) {
        let mut pending = self.pending.lock();
        self.server.is_current.store(false, Relaxed);
        pending.extend(purges);
        if pending.len() > MAX_PENDING {
            let accounts: HashSet<_> = pending.iter().map(|purge| purge.account).collect();
            *pending = accounts.into_iter().map(|account| Purge { account, customer: None }).collect();
        }
        drop(pending);
        self.retry.notify_one();
    }

    /// Repeats the purges that the server has not accepted. Only the feed calls this
    /// function, and permits no load before it has returned.
    pub(super) async fn send_pending(&self) -> Result<(), Unavailable> {
        let pending = std::mem::take(&mut *self.pending.lock());
        if pending.is_empty() {
            return Ok(());
        }
        let sent = self.send(&pending).await;
        if sent.is_err() {
            self.pending.lock().extend(pending);
        }
        sent.map(drop)
    }
}

#[async_trait]
impl SharedPurges for Purges {
    async fn announce(&self, purges: Vec<Purge>) -> Announced {
        let id = self.send(&purges).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "purge postponed");
            self.postpone(purges);
            None
        });
        Announced { id }
    }

    async fn confirmations(&self, announced: Announced) -> Confirmations {
        let confirmed = match announced.id {
            Some(id) => self.wait_for_replicas(&id).await,
            None => 1,
        };
        Confirmations { replicas: self.known_replicas().max(confirmed), confirmed }
    }

    async fn forget(&self, accounts: Vec<Fingerprint>) {
        let purges: Vec<_> = accounts.into_iter().map(|account| Purge { account, customer: None }).collect();
        if self.apply(&purges).await.is_err() {
            self.postpone(purges);
        }
    }
}

/// Encodes a purge: `length of the replica's id ‖ id ‖ account ‖ customer`. An entry
/// without a customer purges all pages.
fn encode(replica: &str, purge: &Purge) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(replica.len()).unwrap_or(u8::MAX)];
    bytes.extend_from_slice(replica.as_bytes());
    bytes.extend_from_slice(purge.account.as_bytes());
    if let Some(customer) = &purge.customer {
        bytes.push(b'c');
        bytes.extend_from_slice(customer.as_bytes());
    }
    bytes
}

/// Decodes the id of the replica, and the purge. `None` for another encoding.
pub(super) fn decode(bytes: &[u8]) -> Option<(&[u8], Purge)> {
    let (length, rest) = bytes.split_first()?;
    let (replica, rest) = rest.split_at_checked(usize::from(*length))?;
    let (account, customer) = rest.split_first_chunk()?;
    let customer = match customer.split_first() {
        None => None,
        Some((b'c', id)) => Some(String::from_utf8(id.to_vec()).ok()?),
        Some(_) => return None,
    };
    Some((replica, Purge { account: Fingerprint::from_bytes(*account), customer }))
}
