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
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use crate::shared::{
    Announced, Confirmations, Fingerprint, Purge, PurgeFeed, ReceivedPurges, SharedPurges, Unavailable,
};

use super::{
    announcements::{Listener, PURGE},
    millis,
    pages::{PURGES_TTL, PageServer},
    replicas::Heart,
    seal::Seal,
};

/// Number of purged customers of an account above which all its pages are purged.
const MAX_CUSTOMERS: usize = 1_000;
/// Approximate number of entries of the stream.
const MAX_ENTRIES: usize = 10_000;
/// Maximum number of entries that are read at once.
const BATCH: usize = 500;
/// Number of purges above which the purges that wait for the server are combined.
const MAX_PENDING: usize = 1_000;
/// Longest time between two reads.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Longest time to wait for confirmations.
const CONFIRM_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Time between two looks at the confirmations.
const CONFIRM_INTERVAL: Duration = Duration::from_millis(10);
/// Time after which confirmations are forgotten.
const CONFIRM_TTL: Duration = Duration::from_secs(10);

/// Purges of all accounts.
pub(super) struct Purges {
    server: Arc<PageServer>,
    heart: Heart,
    /// Minimum number of replicas in a report.
    min_replicas: u32,
    stream: String,
    seal: Seal,
    purge: Script,
    tail: Script,
    /// Purges that the server has not accepted.
    pending: Mutex<Vec<Purge>>,
    retry: Notify,
}

/// Purges as this replica reads them.
pub(super) struct Feed {
    purges: Arc<Purges>,
    announced: Listener,
    is_up: watch::Receiver<bool>,
    /// Id of the last entry that was read.
    last: Option<String>,
    /// Ids of the entries that the replica applies now.
    applying: Vec<String>,
}

/// Entry of the stream: its id, and its field with the value.
type Entry = (String, Vec<Vec<u8>>);

impl Purges {
    pub(super) fn new(server: Arc<PageServer>, heart: Heart, min_replicas: u32) -> Self {
        Self {
            stream: format!("{}:v1:{{purges}}", server.prefix),
            seal: Seal::new(&server.key, "customer-gateway 2026-11 shared purges"),
            purge: Script::new(include_str!("purge.lua")),
            tail: Script::new(include_str!("purge_tail.lua")),
            pending: Mutex::default(),
            retry: Notify::new(),
            server,
            heart,
            min_replicas,
        }
    }

    /// Purges pages on the server.
    async fn apply(&self, purges: &[Purge]) -> Result<(), Unavailable> {
        let apply = purges.iter().map(async |Purge { account, customer }| {
            let key = self.server.account_key(*account, "purges");
            let sealed = customer.as_ref().map(|id| self.server.seal_customer(&key, id)).unwrap_or_default();
            let mut invocation = self.purge.key(key);
            invocation.arg(sealed).arg(MAX_CUSTOMERS).arg(millis(PURGES_TTL));
            self.server.link.run::<u64>(&invocation).await
        });
        try_join_all(apply).await.map(drop)
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

    /// Waits until all known replicas have confirmed an entry, or a moment.
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
        self.heart.replicas().known.max(self.min_replicas)
    }

    fn applied_key(&self, id: &str) -> String {
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
    async fn send_pending(&self) -> Result<(), Unavailable> {
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

impl Feed {
    pub(super) fn new(purges: Arc<Purges>) -> Self {
        let announced = purges.server.announcements.listen();
        let is_up = purges.server.link.watch();
        Self { purges, announced, is_up, last: None, applying: Vec::new() }
    }

    /// Permits or prevents loads of pages. No load is permitted while a purge waits for
    /// the server.
    fn update_current(&self, is_current: bool) {
        let pending = self.purges.pending.lock();
        self.purges.server.is_current.store(is_current && pending.is_empty(), Relaxed);
    }

    /// Confirms the entries that were applied.
    async fn confirm(&mut self) {
        let mut confirm = ::redis::pipe();
        for id in std::mem::take(&mut self.applying) {
            let key = self.purges.applied_key(&id);
            confirm.cmd("SADD").arg(&key).arg(&*self.purges.server.id).ignore();
            confirm.cmd("PEXPIRE").arg(&key).arg(millis(CONFIRM_TTL)).ignore();
        }
        if !confirm.is_empty() {
            // Without a confirmation, the purge reports one replica less.
            let _ = self.purges.server.link.pipeline::<()>(&confirm).await;
        }
    }

    /// Reads the next entries. `None` if there are none.
    async fn poll(&mut self) -> Result<Option<ReceivedPurges>, Unavailable> {
        self.purges.send_pending().await?;
        let link = &self.purges.server.link;
        let tail = self.purges.tail.key(&self.purges.stream);
        let Some(last) = &self.last else {
            self.last = Some(link.run(&tail).await?);
            return Ok(Some(ReceivedPurges::Unknown));
        };
        let mut read = ::redis::cmd("XRANGE");
        read.arg(&self.purges.stream).arg(last).arg("+").arg("COUNT").arg(BATCH);
        let entries = match link.query::<Vec<Entry>>(&read).await {
            Ok(entries) => entries,
            // Not a stream, or not entries of this gateway.
            Err(Unavailable::Rejected(_) | Unavailable::Unreadable) => Vec::new(),
            Err(error) => return Err(error),
        };
        let new = match entries.split_first() {
            Some(((id, _), new)) if id == last => new,
            _ => {
                self.last = Some(link.run(&tail).await?);
                self.purges.server.metrics.purge_lost.increment(1);
                tracing::warn!("purges lost, all shared pages count as purged");
                return Ok(Some(ReceivedPurges::Lost));
            }
        };
        let Some((newest, _)) = new.last() else { return Ok(None) };
        self.last = Some(newest.clone());
        Ok(Some(self.read(new)))
    }

    /// Returns the purges of other replicas.
    fn read(&mut self, entries: &[Entry]) -> ReceivedPurges {
        let mut purges = Vec::new();
        for (id, fields) in entries {
            let sealed = fields.get(1).map(Vec::as_slice).unwrap_or_default();
            // Entries of another gateway under the same prefix do not open.
            let Some(plain) = self.purges.seal.open(&self.purges.stream, sealed) else { continue };
            let Some((replica, purge)) = decode(&plain) else { return ReceivedPurges::Unknown };
            if replica != self.purges.server.id.as_bytes() {
                self.applying.push(id.clone());
                purges.push(purge);
            }
        }
        self.purges.server.metrics.purge_applied.increment(purges.len() as u64);
        ReceivedPurges::Purges(purges)
    }
}

#[async_trait]
impl PurgeFeed for Feed {
    async fn received(&mut self) -> ReceivedPurges {
        self.update_current(self.last.is_some() && *self.is_up.borrow());
        self.confirm().await;
        loop {
            let is_up = *self.is_up.borrow_and_update();
            if is_up {
                match self.poll().await {
                    Ok(Some(received)) => return received,
                    Ok(None) => self.update_current(true),
                    Err(_) => {}
                }
            } else {
                self.update_current(false);
            }
            tokio::select! {
                () = self.announced.wait_for(PURGE, POLL_INTERVAL) => {}
                // Fails only after the link's end.
                _ = timeout(POLL_INTERVAL, self.is_up.changed()) => {}
                () = self.purges.retry.notified() => {}
            }
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

fn decode(bytes: &[u8]) -> Option<(&[u8], Purge)> {
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
