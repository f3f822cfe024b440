//! Keys in a file.

use std::path::PathBuf;

use customer_gateway::identity::{Jwks, KeySet, Settings};
use serde_json::json;
use tempfile::TempDir;

use super::{Provider, Stage, claims, configured, signer::Signer};
use crate::support::{Gateway, Reply, sandbox};

/// A file with these keys.
fn written(directory: &TempDir, signers: &[&Signer]) -> PathBuf {
    let path = directory.path().join("jwks.json");
    let document = json!({"keys": signers.iter().map(|signer| &signer.jwk).collect::<Vec<_>>()});
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

#[tokio::test]
async fn a_file_is_read_again_and_outlives_its_faults() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let [old_token, new_token] = [&old, &new].map(|signer| signer.token(&claims(json!({}))));
    let directory = tempfile::tempdir().unwrap();
    let path = written(&directory, &[&old]);
    let keys = KeySet::parse(&std::fs::read(&path).unwrap()).unwrap();
    let sandbox = sandbox(1, 0, 0).await;
    let gateway = Gateway::start(configured(&sandbox, Jwks::File { path: path.clone(), keys })).await;
    let stage = Stage { gateway, provider: Provider::start(Reply::text(500, "")).await, sandbox };
    assert_eq!(stage.asked(&old_token).await, "200");

    written(&directory, &[&new]);
    stage.after(Settings::DEFAULT_REFRESH, "ok", 2).await;
    assert_eq!(stage.asked(&new_token).await, "200");
    assert_eq!(stage.asked(&old_token).await.get(..3), Some("401"));

    std::fs::write(&path, "{").unwrap();
    stage.after(Settings::DEFAULT_REFRESH, "failed", 1).await;
    assert_eq!(stage.asked(&new_token).await, "200");
    assert_eq!(stage.provider.fetches(), 0);
}
