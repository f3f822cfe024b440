//! Rows of shared pages. During an upgrade, replicas of two versions read the same server.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Version of shared pages, in `src/cache/second_tier.rs`.
const VERSION: &str = "const VERSION: u8 = 1;";
/// Digest of the rows that the adapters make of the fixtures.
const ROWS: &str = "a968401b6ff451b8";

#[test]
fn changed_rows_have_a_new_version() {
    assert!(include_str!("../../../src/cache/second_tier.rs").contains(VERSION), "update VERSION and ROWS");
    let mut files = Vec::new();
    for vendor in fs::read_dir("tests/fixtures").unwrap().map(|entry| entry.unwrap().path()).filter(|it| it.is_dir()) {
        files.extend(fs::read_dir(vendor).unwrap().map(|entry| entry.unwrap().path()).filter(is_snapshot));
    }
    files.sort();
    assert!(files.len() > 100);
    let mut hasher = blake3::Hasher::new();
    for file in &files {
        hasher.update(file.as_os_str().as_encoded_bytes());
        hasher.update(&fs::read(file).unwrap());
    }
    assert_eq!(
        hasher.finalize().to_hex()[..16],
        *ROWS,
        "the snapshots have changed; if rows have changed, increase VERSION in src/cache/second_tier.rs; update ROWS",
    );
}

fn is_snapshot(path: &PathBuf) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "snap")
}
