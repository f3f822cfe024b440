//! Configuration files. Inputs that name a file outside the directory of the
//! configuration are skipped, and inputs that contain the secret themselves:
//! errors quote names and values of the file.

#![no_main]

use std::path::{Component, Path};

use customer_gateway::{app::App, config::Config};
use customer_gateway_fuzz::stage::{clock, paused_runtime};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use toml::Value;

/// The content of the file that the seeds name as a secret.
const SECRET: &str = "a_secret_of_the_configuration";

thread_local!(static DIRECTORY: TempDir = {
    let directory = TempDir::new().expect("a directory");
    std::fs::write(directory.path().join("secret"), SECRET).expect("a file");
    std::fs::write(directory.path().join("jwks.json"), r#"{"keys": []}"#).expect("a file");
    directory
});
thread_local!(static RUNTIME: Runtime = paused_runtime());

fuzz_target!(|text: &str| {
    if text.contains(SECRET) || toml::from_str(text).is_ok_and(|value| leaves_the_directory(&value)) {
        return;
    }
    let path = DIRECTORY.with(|directory| directory.path().join("gateway.toml"));
    match Config::parse(text, &path) {
        Err(error) => assert!(!error.to_string().contains(SECRET)),
        Ok(config) => {
            assert!(!format!("{config:?}").contains(SECRET));
            RUNTIME.with(|runtime| {
                runtime.block_on(async {
                    // A configuration that is accepted can be assembled, and reloaded.
                    if let Ok(app) = App::new(config, &clock()) {
                        let again = Config::parse(text, &path).expect("the same configuration");
                        let _ = app.reconfigured(again).await;
                    }
                });
            });
        }
    }
});

fn leaves_the_directory(value: &Value) -> bool {
    match value {
        Value::String(text) => Path::new(text).components().any(|part| !matches!(part, Component::Normal(_))),
        Value::Array(values) => values.iter().any(leaves_the_directory),
        Value::Table(table) => table.values().any(leaves_the_directory),
        _ => false,
    }
}
