//! Stored lists: answers from memory, their truth, and their freshness.

mod answers;
mod changes;
mod lies;
mod purges;
mod snapshots;
mod staleness;
mod state;

use std::{sync::Arc, time::Duration};

use customer_gateway::{
    config::Config,
    copies::{ListCopy, SyncSettings, SyncState},
    domain::query::Resource,
};
use serde_json::Value;

use crate::support::{Stage, StageBuilder, sandbox, until};

/// Returns settings that walk once an hour and request no newest rows.
fn settings() -> SyncSettings {
    SyncSettings {
        every: Duration::from_hours(1),
        newest: None,
        budget: 1.0,
        max_age: Duration::from_hours(2),
        max_bytes: SyncSettings::DEFAULT_MAX_BYTES,
        resources: vec![Resource::Customers],
        snapshot: None,
    }
}

/// Enables stored lists of all connections.
fn sync_all(settings: SyncSettings) -> impl FnOnce(&mut Config) {
    move |config| {
        for connection in &mut config.connections {
            connection.sync = Some(settings.clone());
        }
    }
}

/// Returns a stage with generated customers and stored lists.
fn stage(tolt: usize, corporation: usize, settings: SyncSettings) -> StageBuilder<'static> {
    StageBuilder::new(sandbox(tolt, 0, corporation)).configure(sync_all(settings))
}

/// Starts a stage whose lists are complete, and forgets the calls.
async fn synchronized(tolt: usize, corporation: usize) -> Stage {
    let stage = stage(tolt, corporation, settings()).start().await;
    stage.gateway.synchronized().await;
    stage.reset_calls();
    stage
}

impl Stage {
    fn reset_calls(&self) {
        self.vendors.tolt().reset_calls();
        self.vendors.corporation().reset_calls();
    }

    /// Returns the stored lists of both connections.
    async fn lists(&self) -> [Arc<ListCopy>; 2] {
        self.gateway.stored_lists().await.try_into().unwrap()
    }

    /// Waits for a walk that starts after now.
    async fn walk_again(&self) {
        for list in self.lists().await {
            let before = list.stored().map(|stored| stored.synced);
            // A walk that starts at the same time on this clock would not be newer.
            self.gateway.clock.advance(Duration::from_millis(1));
            list.request_walk();
            until(|| list.stored().is_some_and(|stored| Some(stored.synced) != before)).await;
        }
    }
}

/// Waits until the walk of a list has failed, and returns the state.
async fn failed(list: &ListCopy) -> SyncState {
    until(|| list.status().failure.is_some()).await;
    list.status().state
}

/// Returns the sources of a page as `connection: origin`.
fn origins(page: &Value) -> Vec<String> {
    let sources = page["sources"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    sources.map(|source| format!("{}: {}", text(&source["connection"]), text(&source["origin"]))).collect()
}
