//! JSON Web Key Sets in files.

use std::{path::PathBuf, process::Command};

use customer_gateway::identity::{Jwks, KeySet, Settings};
use serde_json::json;
use tempfile::TempDir;

use super::{Provider, claims, signer::Signer, stage};
use crate::support::Reply;

/// Writes a file with these keys.
fn write_jwks(directory: &TempDir, signers: &[&Signer]) -> PathBuf {
    let path = directory.path().join("jwks.json");
    let document = json!({"keys": signers.iter().map(|signer| &signer.jwk).collect::<Vec<_>>()});
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

#[tokio::test]
async fn key_file_is_reread_and_survives_bad_content() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let [old_token, new_token] = [&old, &new].map(|signer| signer.token(&claims(json!({}))));
    let directory = tempfile::tempdir().unwrap();
    let path = write_jwks(&directory, &[&old]);
    let keys = KeySet::parse(&std::fs::read(&path).unwrap()).unwrap();
    let provider = Provider::start(Reply::text(500, "")).await;
    let stage = stage(provider, Jwks::File { path: path.clone(), keys }).start().await;
    assert_eq!(stage.outcome(&old_token).await, "200");

    write_jwks(&directory, &[&new]);
    stage.refresh_after(Settings::DEFAULT_REFRESH, "ok", 2).await;
    assert_eq!(stage.outcome(&new_token).await, "200");
    assert_eq!(stage.outcome(&old_token).await.get(..3), Some("401"));

    std::fs::write(&path, "{").unwrap();
    stage.refresh_after(Settings::DEFAULT_REFRESH, "failed", 1).await;
    assert_eq!(stage.outcome(&new_token).await, "200");

    write_jwks(&directory, &[]);
    stage.refresh_after(Settings::DEFAULT_REFRESH, "failed", 2).await;
    assert_eq!(stage.outcome(&new_token).await, "200");

    std::fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    stage.refresh_after(Settings::DEFAULT_REFRESH, "failed", 3).await;
    assert_eq!(stage.outcome(&new_token).await, "200");
    assert_eq!(stage.provider().fetches(), 0);
}
