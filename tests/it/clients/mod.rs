//! Generated clients against the gateway: each of `tests/clients/` is generated
//! from the checked-in document, checked strictly, and run over sockets.
//!
//! `./test-clients` installs the tools and runs these; `./test` leaves them out.

mod pages;
mod stage;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use stage::{KEY, SPENT_KEY, Stage};

const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

macro_rules! clients {
    ($($test:ident: $directory:literal,)*) => {
        const DIRECTORIES: &[&str] = &[$($directory),*];

        $(
            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs its language's tools: ./test-clients"]
            async fn $test() {
                run($directory).await;
            }
        )*
    };
}

clients! {
    typescript_openapi_fetch: "typescript-openapi-fetch",
    typescript_hey_api: "typescript-hey-api",
    python_openapi_python_client: "python-openapi-python-client",
    python_openapi_generator: "python-openapi-generator",
    go_openapi_generator: "go-openapi-generator",
    java_openapi_generator: "java-openapi-generator",
    rust_progenitor: "rust-progenitor",
}

#[test]
fn every_program_is_run_by_a_test() {
    let entries = std::fs::read_dir(PROGRAMS).unwrap().map(Result::unwrap);
    let directories = entries.filter(|entry| entry.path().join("run").exists());
    let mut directories: Vec<_> = directories.map(|entry| entry.file_name().into_string().unwrap()).collect();
    directories.sort();
    let mut run = DIRECTORIES.to_vec();
    run.sort_unstable();
    assert_eq!(directories, run);
}

/// Generates a client, checks it and runs its program, as its `run` says.
async fn run(directory: &str) {
    let stage = Stage::start().await;
    let mut command = Command::new("./run");
    command.current_dir(Path::new(PROGRAMS).join(directory)).stdin(Stdio::null());
    command.env("GATEWAY_URL", &stage.gateway.url).env("GATEWAY_KEY", KEY).env("SPENT_KEY", SPENT_KEY);
    command.env("LATER_URL", &stage.later.base_url);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let [said, erred] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{directory}: {}\n{said}\n{erred}", output.status);
}
