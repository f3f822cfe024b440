//! Places outside the process that keep stored lists.

use std::sync::Arc;

use crate::{
    cache::ROWS_VERSION,
    clock::SharedClock,
    copies::{ListCopy, SyncSettings},
    shared::{Fingerprint, Seal, Shared, SharedKey},
};

use super::{replication::Replication, snapshot::Snapshot, snapshot_file::SnapshotFile};

/// Place outside the process that keeps the stored lists of a connection.
#[derive(Debug, Clone)]
pub enum Storage {
    /// The lists end with the process.
    None,
    /// Files, at the path in the settings.
    Snapshot {
        /// Key from which the key of the files is derived.
        key: SharedKey,
        /// The account.
        account: Fingerprint,
    },
    /// The server that replicas share.
    Replicas {
        /// State on the server.
        shared: Shared,
        /// The account.
        account: Fingerprint,
    },
}

impl Storage {
    pub(super) fn replication(
        &self,
        settings: &SyncSettings,
        list: &Arc<ListCopy>,
        clock: &SharedClock,
    ) -> Option<Replication> {
        let Self::Replicas { shared, account } = self else { return None };
        let shared = shared.list(*account, &name(list))?;
        Some(Replication::new(shared, Arc::clone(list), Arc::clone(clock), settings.clone()))
    }

    pub(super) fn snapshot(
        &self,
        settings: &SyncSettings,
        list: &Arc<ListCopy>,
        clock: &SharedClock,
    ) -> Option<Snapshot> {
        let (Self::Snapshot { key, account }, Some(path)) = (self, &settings.snapshot) else { return None };
        let file = SnapshotFile {
            path: path.with_added_extension(list.resource.name()),
            name: format!("{account}:{}", name(list)),
            seal: Seal::new(key, "customer-gateway 2026-11 list snapshots"),
        };
        Some(Snapshot { file, list: Arc::clone(list), max_age: settings.max_age, clock: Arc::clone(clock) })
    }
}

/// Returns the name of a list. Rows of another version of the gateway have another name.
fn name(list: &ListCopy) -> String {
    format!("{}{ROWS_VERSION}", list.resource.name())
}
