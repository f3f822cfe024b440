//! Synced lists of the sandbox's connections.

use std::time::Duration;

use crate::{copies::SyncSettings, domain::query::Resource, vendors::kind::VendorKind};

/// Section of each connection in a printed configuration. The same settings as
/// [`settings`].
pub(super) const SECTION: &str = "\n\n[connections.sync]\nevery = \"1m\"";

/// Returns the settings of a vendor's lists. Frequent walks show changes soon.
pub(super) fn settings(kind: &VendorKind) -> SyncSettings {
    let every = Duration::from_mins(1);
    let has_list = |resource: &Resource| kind.capabilities.list(*resource).is_some();
    let is_ordered = kind.capabilities.customers.default_order.is_some();
    SyncSettings {
        every,
        newest: is_ordered.then_some(SyncSettings::DEFAULT_NEWEST),
        budget: SyncSettings::DEFAULT_BUDGET,
        max_age: SyncSettings::default_max_age(every),
        max_bytes: SyncSettings::DEFAULT_MAX_BYTES,
        resources: Resource::ALL.into_iter().filter(has_list).collect(),
        snapshot: None,
    }
}
