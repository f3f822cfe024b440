//! Purges of all replicas, as one replica reads them from the stream.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::watch, time::timeout};

use crate::shared::{PurgeFeed, ReceivedPurges, Unavailable};

use super::{
    announcements::{Listener, PURGE},
    millis,
    purges::{Purges, decode},
};

/// Maximum number of entries that are read at once.
const BATCH: usize = 500;
/// Longest time between two reads.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Time after which confirmations are forgotten.
const CONFIRM_TTL: Duration = Duration::from_secs(10);

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
