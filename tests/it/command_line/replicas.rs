//! `sandbox --replicas`: several gateways and their Redis server from one command
//! (FACTS.md, case 174).

use std::net::{TcpListener, TcpStream};

use insta::assert_snapshot;
use redis::Client;
use serde_json::Value;

use super::{Running, check_printed, command, run, text};
use crate::support::{ids, redis::eventually};

const ROWS: [&str; 8] =
    ["--tolt-customers", "20", "--tolt-transactions", "20", "--corporation-customers", "20", "--changes", "0"];

fn start(arguments: &[&str]) -> Running {
    Running::start(&[&["sandbox", "--port", "0"], arguments, &ROWS].concat())
}

async fn get(url: &str) -> Value {
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// Returns the number of replicas that a server knows.
async fn replicas(url: &str) -> usize {
    let client = Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("ZCARD").arg("sandbox:replicas").query_async(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_replicas_serve_one_list() {
    let mut running = start(&["--replicas", "3"]);
    let greeting = running.read_stdout_until("Stop with Ctrl-C.");
    let urls: Vec<_> = greeting.lines().filter_map(|line| line.strip_prefix("  http://")).collect();
    assert_eq!(urls.len(), 3, "{greeting}");
    for line in greeting.lines().filter_map(|line| line.trim().strip_prefix("curl ")) {
        get(line.split('\'').nth(1).unwrap()).await;
    }
    let (_, redis) = greeting.split_once("redis://").unwrap();
    let address = redis.split_once(".\n").unwrap().0.to_owned();
    eventually(async || replicas(&format!("redis://{address}")).await == 3).await;

    // Each page of the list comes from another replica.
    let mut walked = Vec::new();
    let mut cursor = String::new();
    for step in 0.. {
        let page = get(&format!("http://{}/customers?limit=7{cursor}", urls[step % 3])).await;
        walked.extend(ids(&page));
        let Some(next) = page["page"]["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    walked.sort();
    walked.dedup();
    assert_eq!(walked.len(), 40);

    assert!(TcpStream::connect(&address).is_ok());
    running.terminate();
    let (status, rest) = running.wait();
    assert!(status.success(), "{rest}");
    assert!(TcpStream::connect(&address).is_err(), "the server ends with the sandbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn printed_configuration_joins_the_replicas() {
    let mut running = start(&["--replicas", "2", "--print-config"]);
    let printed = running.read_stdout_until("corporation_id");
    let said = check_printed(&printed);
    assert!(said.contains("shared.url: ok, ") && said.contains("tax: ok"), "{said}");
    assert!(!said.contains("cursor_key is missing"), "{said}");
    running.terminate();
    assert!(running.wait().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_sandbox_stops_its_server() {
    let mut running = start(&["--replicas", "2"]);
    let greeting = running.read_stdout_until("Stop with Ctrl-C.");
    let (_, redis) = greeting.split_once("redis://").unwrap();
    let address = redis.split_once(".\n").unwrap().0.to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    running.signal("KILL");
    eventually(async || TcpStream::connect(&address).is_err()).await;
}

#[test]
fn missing_redis_server_names_the_package() {
    let mut sandbox = command(&["sandbox", "--port", "0", "--replicas", "2"]);
    let output = sandbox.env("PATH", "").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(text(&output.stderr), @"Error: --replicas requires a Redis server; install the package redis-server or valkey-server (Debian, Ubuntu), valkey or redis (Fedora, Alpine, Homebrew), or omit --replicas");
}

#[tokio::test]
async fn impossible_replicas_are_rejected() {
    let mut said = Vec::new();
    for replicas in ["0", "33", "-1", "three"] {
        let output = run(&["sandbox", &format!("--replicas={replicas}")]).await;
        assert_eq!(output.status.code(), Some(2), "{replicas}");
        said.push(text(&output.stderr).lines().next().unwrap().to_owned());
    }
    assert_snapshot!(said.join("\n"), @r"
    error: invalid value '0' for '--replicas <NUMBER>': not a number of replicas; write a number from 1 to 32
    error: invalid value '33' for '--replicas <NUMBER>': not a number of replicas; write a number from 1 to 32
    error: invalid value '-1' for '--replicas <NUMBER>': not a number of replicas; write a number from 1 to 32
    error: invalid value 'three' for '--replicas <NUMBER>': not a number of replicas; write a number from 1 to 32
    ");
}

#[tokio::test]
async fn occupied_port_of_a_replica_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let before = (address.port() - 1).to_string();
    let output = run(&["sandbox", "--port", &before, "--replicas", "2"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("choose another port with --port"), "{output:?}");
    let output = run(&["sandbox", "--port", "65535", "--replicas", "2"]).await;
    assert!(text(&output.stderr).contains("too few ports after --port"), "{output:?}");
}
