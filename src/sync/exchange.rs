//! Publication of the own list, and loads of the lists of other replicas.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    copies::{DecodeError, Segment, SegmentId, Stored, StoredList, SyncState},
    shared::{Block, Head, ListRequest, ListVersion, LoadedHead, Publication, PurgeCount, Unavailable},
};

use super::replication::{Basis, Replication};

/// Time for which a replica may still load the blocks of a replaced list.
const REPLACED_LIFETIME: Duration = Duration::from_mins(1);
/// Difference between two times of one walk that round trips cause.
const ROUND_TRIPS: Duration = Duration::from_secs(2);
/// Wait after a failed publication.
const RETRY: Duration = Duration::from_secs(5);

/// Knowledge about the blocks on the server.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Blocks of the list on the server.
    blocks: HashMap<SegmentId, Block>,
    /// The own list when it was loaded or published, and the purges that it contained.
    shown: Option<(Weak<Stored>, PurgeCount)>,
    /// Version that this replica does not load.
    ignored: Option<ListVersion>,
    /// Time of the next publication after a failure.
    retry: Option<Instant>,
}

/// Result of a load.
enum Load {
    Loaded,
    /// There is no list, or none that this replica can use.
    Unusable,
    /// The list was purged or replaced meanwhile.
    Outdated,
}

impl Exchange {
    /// Publishes or loads after each poll, forever.
    pub(super) async fn run(mut self, replication: &Replication) {
        loop {
            replication.polled.notified().await;
            let has_list = replication.list.stored().is_some();
            let (published, is_ahead, is_holder, is_caught_up) = {
                let state = replication.state.lock();
                let is_ahead = state.published.is_some() && (state.published != state.version || !has_list);
                (state.published.clone(), is_ahead, state.is_holder, state.is_caught_up)
            };
            let mut has_loaded = true;
            if is_ahead && published != self.ignored && !(is_holder && is_caught_up) {
                has_loaded = match self.load(replication).await {
                    Ok(Load::Loaded) => true,
                    Ok(Load::Unusable) => {
                        self.ignored = published;
                        true
                    }
                    Ok(Load::Outdated) | Err(_) => false,
                };
            }
            if is_holder && has_loaded {
                replication.state.lock().is_caught_up = true;
                self.publish_changes(replication).await;
            }
            replication.notify_changed();
        }
    }

    /// Replaces the own list by the list on the server, unless the own list is newer.
    async fn load(&mut self, replication: &Replication) -> Result<Load, Unavailable> {
        // Purges that arrive from now on concern the loaded rows.
        let _filling = replication.list.begin_filling();
        let whole_purges = replication.list.whole_purges();
        let sent = replication.clock.elapsed();
        let loaded = match replication.shared.load().await {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return Ok(Load::Outdated),
            Err(Unavailable::Unreadable) => return Self::reject(replication).await,
            Err(error) => return Err(error),
        };
        let LoadedHead { head, version, age, basis, purged } = loaded;
        let Some(synced) = sent.checked_sub(age) else { return Ok(Load::Unusable) };
        let own = replication.list.stored();
        if own.as_ref().is_some_and(|own| own.synced > synced + ROUND_TRIPS) {
            return Ok(Load::Unusable);
        }
        let mut segments: HashMap<_, _> = own.iter().flat_map(|own| own.list.segments()).map(by_id).collect();
        for block in &head.blocks {
            if segments.contains_key(&SegmentId(block.id)) {
                continue;
            }
            match read_block(replication, *block).await? {
                Some(Ok(segment)) => segments.extend([by_id(&segment)]),
                Some(Err(DecodeError::Version(_))) => return Ok(Load::Unusable),
                Some(Err(_)) | None => return Self::reject(replication).await,
            }
        }
        let manifest = head.manifest;
        let decode = move || StoredList::from_parts(&manifest, |id| segments.get(&id).map(Arc::clone));
        let list = match spawn_blocking(decode).await {
            Ok(Ok(list)) => list,
            Ok(Err(DecodeError::Version(_))) | Err(_) => return Ok(Load::Unusable),
            Ok(Err(_)) => return Self::reject(replication).await,
        };
        // The list contains these rows as they were before their purges.
        for id in purged.iter().filter(|id| list.find(id).is_some()) {
            replication.list.withhold_row(id);
        }
        if !replication.list.fill(Stored::new(Arc::new(list), head.synced_at, synced), whole_purges) {
            return Ok(Load::Outdated);
        }
        replication.list.record(SyncState::Off, false);
        self.blocks = head.blocks.iter().map(|block| (SegmentId(block.id), *block)).collect();
        self.shown = replication.list.stored().map(|stored| (Arc::downgrade(&stored), basis));
        let mut state = replication.state.lock();
        state.version = Some(version);
        state.basis = Some(Basis { synced, purges: basis, is_valid: true });
        Ok(Load::Loaded)
    }

    /// Requests another publication of a list that cannot be read.
    async fn reject(replication: &Replication) -> Result<Load, Unavailable> {
        replication.shared.request(ListRequest::Publish).await?;
        Ok(Load::Unusable)
    }

    /// Publishes the own list if it has changed, or if the server has lost it.
    async fn publish_changes(&mut self, replication: &Replication) {
        // The list contains the rows that were read after these purges.
        let (basis, is_published) = {
            let state = replication.state.lock();
            (state.basis, state.published.is_some() && state.published == state.version)
        };
        let (Some(basis), Some(stored)) = (basis, replication.list.usable()) else { return };
        let shown = (Arc::downgrade(&stored), basis.purges);
        let is_shown = self.shown.as_ref().is_some_and(|(list, purges)| list.ptr_eq(&shown.0) && *purges == shown.1);
        let is_due = self.retry.is_none_or(|retry| Instant::now() >= retry);
        if basis.synced != stored.synced || !basis.is_valid || (is_published && is_shown) || !is_due {
            return;
        }
        match self.publish(replication, &stored, basis).await {
            Ok(Some(version)) => {
                (self.shown, self.retry) = (Some(shown), None);
                let mut state = replication.state.lock();
                state.published = Some(version.clone());
                state.version = Some(version);
            }
            Ok(None) => {}
            Err(error) => {
                self.retry = Some(Instant::now() + RETRY);
                let resource = replication.list.resource.name();
                tracing::warn!(resource, %error, "list not published");
            }
        }
    }

    async fn publish(
        &mut self,
        replication: &Replication,
        stored: &Stored,
        basis: Basis,
    ) -> Result<Option<ListVersion>, Unavailable> {
        let lifetime = replication.settings.max_age.saturating_add(replication.settings.every);
        let segments: Vec<_> = stored.list.segments().map(Arc::clone).collect();
        let known: Vec<_> = segments.iter().filter_map(|segment| self.blocks.get(&segment.id()).copied()).collect();
        for lost in replication.shared.keep_blocks(&known, lifetime).await? {
            self.blocks.remove(&SegmentId(lost));
        }
        for segment in &segments {
            let id = segment.id();
            if self.blocks.contains_key(&id) {
                continue;
            }
            let segment = Arc::clone(segment);
            let Ok(bytes) = spawn_blocking(move || segment.to_bytes()).await else { return Ok(None) };
            let block = replication.shared.store_block(id.0, &bytes, lifetime).await?;
            self.blocks.insert(id, block);
        }
        let list = Arc::clone(&stored.list);
        let Ok(manifest) = spawn_blocking(move || list.manifest_to_bytes()).await else { return Ok(None) };
        let blocks = segments.iter().filter_map(|segment| self.blocks.get(&segment.id()).copied()).collect();
        let age = replication.clock.elapsed().saturating_sub(stored.synced);
        let head = Head { synced_at: stored.synced_at, manifest, blocks };
        let version = replication.shared.publish(head, &Publication { basis: basis.purges, age, lifetime }).await?;
        let ids: HashSet<_> = segments.iter().map(|segment| segment.id()).collect();
        let replaced: Vec<_> = self.blocks.extract_if(|id, _| !ids.contains(id)).map(|(_, block)| block).collect();
        // Without an answer, the blocks expire later.
        let _ = replication.shared.keep_blocks(&replaced, REPLACED_LIFETIME).await;
        Ok(version)
    }
}

/// Reads and decodes a block. `None` if the server has lost it.
async fn read_block(
    replication: &Replication,
    block: Block,
) -> Result<Option<Result<Arc<Segment>, DecodeError>>, Unavailable> {
    let Some(bytes) = replication.shared.load_block(block).await? else { return Ok(None) };
    let decoded = spawn_blocking(move || Segment::from_bytes(&bytes)).await.unwrap_or(Err(DecodeError::Damaged));
    let has_id = |segment: &Segment| segment.id() == SegmentId(block.id);
    Ok(Some(
        decoded.and_then(|segment| if has_id(&segment) { Ok(Arc::new(segment)) } else { Err(DecodeError::Damaged) }),
    ))
}

fn by_id(segment: &Arc<Segment>) -> (SegmentId, Arc<Segment>) {
    (segment.id(), Arc::clone(segment))
}
