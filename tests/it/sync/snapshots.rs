//! Snapshots: lists that outlast the process. FACTS.md, cases 255 to 258.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use customer_gateway::{sandbox::Fault, shared::SharedKey};
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;
use crate::support::{Gateway, MovableClock, Vendors, config};

/// Time between the walk of the snapshot and the restart.
const PAUSE: Duration = Duration::from_mins(10);

/// Gateway whose lists are in snapshots.
struct Kept {
    stage: Stage,
    folder: TempDir,
}

impl Kept {
    /// Starts a gateway, and waits for the snapshot.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stage = StageBuilder::new(sandbox(0, 0, 250)).configure(keep_in(folder.path())).start().await;
        stage.gateway.synchronized().await;
        let kept = Self { stage, folder };
        until(|| kept.file().exists()).await;
        kept.stage.reset_calls();
        kept
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("lists.customers")
    }

    /// Starts another gateway some time after the first one, with a changed
    /// configuration.
    async fn restart(&self, after: Duration, change: impl FnOnce(&mut Config)) -> Gateway {
        let mut config = config(self.stage.vendors.connections());
        keep_in(self.folder.path())(&mut config);
        change(&mut config);
        let clock = Arc::new(MovableClock::new());
        clock.advance(after);
        Gateway::start_on(clock, config).await
    }

    /// Returns true if another gateway begins with the list of the snapshot.
    async fn is_restored(&self, after: Duration, change: impl FnOnce(&mut Config)) -> bool {
        let gateway = self.restart(after, change).await;
        gateway.synchronized().await;
        let stored = gateway.stored_lists().await[0].stored().unwrap();
        gateway.get("/livez").await.ok();
        assert_eq!(stored.list.len(), 250);
        let walked: jiff::Timestamp = "2025-11-01T00:00:00Z".parse().unwrap();
        stored.synced_at == walked
    }
}

/// Stores the list of the corporation vendor, with a snapshot in a folder.
fn keep_in(folder: &Path) -> impl FnOnce(&mut Config) {
    let path = folder.join("lists");
    move |config| {
        config.connections.remove(0);
        config.connections[0].sync = Some(SyncSettings { snapshot: Some(path), ..settings() });
        config.paging.storage_key = Some(SharedKey::derive(b"tests"));
    }
}

#[tokio::test]
async fn snapshot_answers_after_a_restart() {
    let kept = Kept::start().await;
    let rows = kept.stage.vendors.corporation().customers();
    let email = rows.iter().find_map(|row| row.email.as_str().filter(|email| email.contains('@'))).unwrap();
    let email = email.replace('@', "%40").replace('+', "%2B");
    let target = format!("/customers?email={email}");
    let before = kept.stage.get(&target).await.ok();
    let gateway = kept.restart(PAUSE, |_| {}).await;
    gateway.synchronized().await;
    let answer = gateway.get(&target).await;
    let page = answer.ok();
    assert_eq!((page["data"].clone(), origins(&page)), (before["data"].clone(), vec!["tax: sync".to_owned()]));
    assert_eq!((answer.header("age"), kept.stage.total_calls()), ("600", 0));
    let status = gateway.stored_lists().await[0].status();
    assert_eq!((status.state, status.rows, status.last_walk), (SyncState::Complete, 250, None));
}

#[tokio::test]
async fn expired_or_future_snapshot_is_ignored() {
    let kept = Kept::start().await;
    assert!(kept.is_restored(PAUSE, |_| {}).await);
    assert!(!kept.is_restored(settings().max_age + Duration::from_secs(1), |_| {}).await);
    // The gateway has replaced the snapshot by a list of its own time.
    kept.rewritten_at(settings().max_age + Duration::from_secs(1)).await;
    assert!(!kept.is_restored(PAUSE, |_| {}).await);
}

impl Kept {
    /// Replaces the snapshot by one of a later walk.
    async fn rewritten_at(&self, after: Duration) {
        fs::remove_file(self.file()).ok();
        let gateway = self.restart(after, |_| {}).await;
        gateway.synchronized().await;
        until(|| self.file().exists()).await;
    }
}

#[tokio::test]
async fn damaged_snapshot_is_ignored() {
    let kept = Kept::start().await;
    let intact = fs::read(kept.file()).unwrap();
    let middle = intact.len() / 2;
    let changed = |index: usize, to: u8| {
        let mut bytes = intact.clone();
        bytes[index] ^= to;
        bytes
    };
    let damaged = [
        Vec::new(),
        b"foreign".to_vec(),
        intact[..9].to_vec(),
        intact[..27].to_vec(),
        intact[..middle].to_vec(),
        intact[..intact.len() - 1].to_vec(),
        [&*intact, b"x"].concat(),
        // The version, the id of the file, a length and a segment.
        changed(7, 2),
        changed(9, 1),
        changed(27, 0x80),
        changed(middle, 1),
    ];
    for (index, bytes) in damaged.into_iter().enumerate() {
        fs::write(kept.file(), bytes).unwrap();
        assert!(!kept.is_restored(PAUSE, |_| {}).await, "{index}");
    }
    fs::write(kept.file(), &intact).unwrap();
    assert!(kept.is_restored(PAUSE, |_| {}).await);
}

#[tokio::test]
async fn special_file_is_no_snapshot() {
    let kept = Kept::start().await;
    fs::remove_file(kept.file()).unwrap();
    fs::create_dir(kept.file()).unwrap();
    assert!(!kept.is_restored(PAUSE, |_| {}).await);
    fs::remove_dir(kept.file()).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(kept.file()).status().unwrap().success());
    assert!(!kept.is_restored(PAUSE, |_| {}).await);
}

#[tokio::test]
async fn foreign_snapshot_is_ignored() {
    let kept = Kept::start().await;
    let other_key = |config: &mut Config| config.paging.storage_key = Some(SharedKey::derive(b"other"));
    let other_name = |config: &mut Config| config.connections[0].name = "other".parse().unwrap();
    let intact = fs::read(kept.file()).unwrap();
    assert!(!kept.is_restored(PAUSE, other_key).await);
    fs::write(kept.file(), &intact).unwrap();
    assert!(!kept.is_restored(PAUSE, other_name).await);
    fs::write(kept.file(), &intact).unwrap();
    assert!(kept.is_restored(PAUSE, |_| {}).await);
}

#[tokio::test]
async fn snapshot_is_encrypted_and_private() {
    let kept = Kept::start().await;
    let bytes = fs::read(kept.file()).unwrap();
    let contains = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for row in kept.stage.vendors.corporation().customers().iter().take(20) {
        let email = row.email.as_str().filter(|email| !email.is_empty()).unwrap_or("example.com");
        assert!(!contains(email) && !contains(&row.id), "{}", row.id);
    }
    assert!(!contains("example.com"));
    assert_eq!(fs::metadata(kept.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(kept.folder.path()).unwrap().count(), 1, "a temporary file remains");
}

#[tokio::test]
async fn purge_removes_the_snapshot() {
    let kept = Kept::start().await;
    let row = kept.stage.vendors.corporation().customers()[3].clone();
    // The list is not complete again before the vendor answers.
    kept.stage.vendors.corporation().fail_next(1_000, Fault::Html);
    let purge = format!("/cache?customer=tax.{}", row.id);
    kept.stage.gateway.request(|client, url| client.delete(format!("{url}{purge}"))).await.ok();
    assert!(!kept.file().exists(), "the purge is acknowledged before the snapshot is removed");
    assert!(kept.stage.lists_of_one().await.usable().is_none());
}

#[tokio::test]
async fn purge_of_an_unknown_row_removes_a_snapshot() {
    let kept = Kept::start().await;
    kept.stage.gateway.request(|client, url| client.delete(format!("{url}/cache?customer=tax.unknown"))).await.ok();
    assert!(!kept.file().exists(), "the snapshot may be older than the list");
    assert!(kept.stage.lists_of_one().await.usable().is_some());
}

#[tokio::test]
async fn purge_waits_for_the_snapshot_removal() {
    let kept = Kept::start().await;
    let row = kept.stage.vendors.corporation().customers()[3].clone();
    // A folder in place of the file cannot be removed as a file.
    fs::remove_file(kept.file()).unwrap();
    fs::create_dir(kept.file()).unwrap();
    let purge = format!("/cache?customer=tax.{}", row.id);
    let request = kept.stage.gateway.request(|client, url| client.delete(format!("{url}{purge}")));
    let mut request = std::pin::pin!(request);
    assert!(timeout(Duration::from_secs(2), request.as_mut()).await.is_err());
    fs::remove_dir(kept.file()).unwrap();
    request.await.ok();
}

impl Stage {
    async fn lists_of_one(&self) -> Arc<ListCopy> {
        self.gateway.stored_lists().await.remove(0)
    }
}

#[tokio::test]
async fn snapshot_is_replaced_after_each_walk() {
    let kept = Kept::start().await;
    let before = fs::read(kept.file()).unwrap();
    let list = kept.stage.lists_of_one().await;
    kept.stage.gateway.clock.advance(Duration::from_secs(1));
    list.request_walk();
    until(|| fs::read(kept.file()).is_ok_and(|bytes| bytes != before)).await;
    assert!(kept.is_restored_at_second(1).await);
}

impl Kept {
    async fn is_restored_at_second(&self, second: i64) -> bool {
        let gateway = self.restart(PAUSE, |_| {}).await;
        gateway.synchronized().await;
        let stored = gateway.stored_lists().await[0].stored().unwrap();
        let start: jiff::Timestamp = "2025-11-01T00:00:00Z".parse().unwrap();
        stored.synced_at == start + jiff::SignedDuration::from_secs(second)
    }
}
