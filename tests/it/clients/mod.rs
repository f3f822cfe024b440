//! Generated clients against the gateway. Each client in `tests/clients/` is
//! generated from the checked-in document, checked strictly and run over sockets.
//!
//! `./test-clients` installs the tools and runs these tests; `./test` skips them.

mod pages;
mod stage;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use stage::{CALLS_WITH_WAITS, KEY, READER_KEY, SPENT_KEY, later_gateway, stage};

const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

macro_rules! clients {
    ($($test:ident: $directory:literal,)*) => {
        const DIRECTORIES: &[&str] = &[$($directory),*];

        $(
            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "requires language tools: run ./test-clients"]
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
fn client_programs_all_have_a_test() {
    let entries = std::fs::read_dir(PROGRAMS).unwrap().map(Result::unwrap);
    let directories = entries.filter(|entry| entry.path().join("run").exists());
    let mut directories: Vec<_> = directories.map(|entry| entry.file_name().into_string().unwrap()).collect();
    directories.sort();
    let mut run = DIRECTORIES.to_vec();
    run.sort_unstable();
    assert_eq!(directories, run);
}

/// Executes a directory's `run`, which generates a client, checks it and runs
/// its program and the program of `docs/CLIENTS.md`.
async fn run(directory: &str) {
    let stage = stage().start().await;
    // Uses the whole quota of the other caller.
    stage.gateway.get_as(SPENT_KEY, "/connections").await.ok();
    let later = later_gateway(&stage.gateway).await;
    let mut command = Command::new("./run");
    command.current_dir(Path::new(PROGRAMS).join(directory)).stdin(Stdio::null());
    command.env("GATEWAY_URL", &stage.gateway.url).env("GATEWAY_KEY", KEY).env("SPENT_KEY", SPENT_KEY);
    command.env("LATER_URL", &later.base_url).env("READER_KEY", READER_KEY);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let [said, erred] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{directory}: {}\n{said}\n{erred}", output.status);
    assert_eq!(stage.vendors.calls_with_waits(), CALLS_WITH_WAITS, "{directory} does not read the failing lists");
    assert_page_output(directory, &said);
}

/// Checks that a program of `docs/CLIENTS.md` prints the number of customers, a
/// customer with the selected fields, the quota and the link to the next page.
fn assert_page_output(directory: &str, output: &str) {
    let has = |parts: &[&str]| output.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(output.lines().any(|line| line == "12650 customers"), "{directory}:\n{output}");
    assert!(has(&[".cust_", "name", "status"]), "{directory}:\n{output}");
    assert!(!output.contains("created_at"), "{directory} reads more than the selected fields:\n{output}");
    assert!(has(&["\"quota\";r="]), "{directory}:\n{output}");
    assert!(has(&["rel=\"next\""]), "{directory}:\n{output}");
}
