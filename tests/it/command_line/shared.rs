//! `check --live` of the servers of shared state (FACTS.md, case 173).

use insta::assert_snapshot;

use super::{configure, run, text};
use crate::support::{ScriptedVendor, redis::RedisServer, tolt_page, tolt_row};

/// Checks a configuration whose shared state has this URL. Returns the exit code, the
/// lines about the server, and the error.
async fn check(url: &str, settings: &str, arguments: &[&str]) -> (i32, Vec<String>, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    std::fs::write(directory.path().join("redis"), url).unwrap();
    let rest = format!(
        "[paging]\ncursor_key = {{ file = \"secret\" }}\n[shared]\nurl = {{ file = \"redis\" }}\ntimeout = \"500ms\"\n{settings}"
    );
    configure(&path, &vendor.base_url, &rest);
    let output = run(&[&["check", "--config", path.to_str().unwrap()], arguments].concat()).await;
    let [said, error] = [&output.stdout, &output.stderr].map(|bytes| text(bytes).to_owned());
    assert!(!said.contains("s3cret") && !error.contains("s3cret"), "{said}{error}");
    let lines = said.lines().filter(|line| line.starts_with("shared.")).map(str::to_owned).collect();
    (output.status.code().unwrap(), lines, error)
}

async fn check_live(url: &str, settings: &str) -> (i32, Vec<String>, String) {
    check(url, settings, &["--live"]).await
}

#[tokio::test]
async fn check_without_live_asks_no_server() {
    let (code, lines, error) = check("redis://:s3cret@127.0.0.1:1", "", &[]).await;
    assert_eq!((code, lines, &*error), (0, Vec::new(), ""));
}

#[tokio::test]
async fn check_live_describes_the_server() {
    let server = RedisServer::start().await;
    let (code, lines, error) = check_live(&server.url(), "").await;
    assert_eq!(code, 0, "{error}");
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.starts_with("shared.url: ok, "), "{line}");
    assert!(line.contains(", maxmemory-policy noeviction, clock ") && line.contains(" s, round trip "), "{line}");
    // A check is no replica of the gateway afterwards.
    assert_eq!(server.run::<i64>("ZCARD", &["customer-gateway:replicas"]).await, 0);
}

#[tokio::test]
async fn check_live_warns_of_evicted_limits() {
    let server = RedisServer::start_with(&["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]).await;
    let (code, lines, _) = check_live(&server.url(), "").await;
    assert_eq!((code, lines.len()), (0, 2), "{lines:?}");
    assert!(lines[1].starts_with("shared.url: warning: maxmemory-policy allkeys-lru evicts rate limits"), "{lines:?}");
}

#[tokio::test]
async fn check_live_knows_the_use_of_each_server() {
    let policies = [
        ("noeviction", "shared.url: warning: maxmemory-policy noeviction rejects new pages"),
        ("allkeys-lfu", "shared.url: warning: maxmemory-policy allkeys-lfu evicts the list of purges"),
    ];
    for (policy, warning) in policies {
        check_pages_and_state(policy, warning).await;
    }
}

/// Checks servers for pages, with this policy and warning, and for state, without a
/// warning.
async fn check_pages_and_state(policy: &str, warning: &str) {
    let pages = RedisServer::start_with(&["--maxmemory", "64mb", "--maxmemory-policy", policy]).await;
    let state = RedisServer::start_with(&["--maxmemory", "64mb", "--maxmemory-policy", "volatile-lru"]).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    std::fs::write(&path, state.url()).unwrap();
    let settings = format!("state_url = {{ file = \"{}\" }}", path.display());
    let (code, lines, error) = check_live(&pages.url(), &settings).await;
    assert_eq!(code, 0, "{error}");
    let starts = ["shared.url: ok", warning, "shared.state_url: ok"];
    assert_eq!(lines.len(), starts.len(), "{lines:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[tokio::test]
async fn check_live_names_the_fault_of_a_server() {
    let port = |url: &str| url.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let server = RedisServer::start().await;
    let user = ["SETUSER", "limited", "on", ">s3cret", "~*", "+info", "+time", "+client"];
    server.run::<()>("ACL", &user).await;
    let other = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let cluster = RedisServer::start_with(&["--cluster-enabled", "yes"]).await;
    let replica = RedisServer::start().await;
    replica.run::<()>("REPLICAOF", &["127.0.0.1", "1"]).await;
    let own = server.port();
    let urls = [
        "redis://:s3cret@127.0.0.1:1".to_owned(),
        format!("redis://limited:wrong-s3cret@127.0.0.1:{own}"),
        format!("redis://limited:s3cret@127.0.0.1:{own}"),
        format!("redis+sentinel://127.0.0.1:{own}/main"),
        format!("redis://127.0.0.1:{}", port(&other.base_url)),
        cluster.url(),
        replica.url(),
    ];
    let mut said = Vec::new();
    for url in &urls {
        let (code, lines, error) = check_live(url, "on_loss = \"reject\"").await;
        assert_eq!((code, error.lines().last()), (1, Some("Error: the Redis server cannot be used")), "{url}");
        said.extend(lines);
    }
    assert_snapshot!(said.join("\n"), @r"
    shared.url: the connection to Redis failed; check the host, the port and TLS in the URL
    shared.url: Redis rejected the credentials; check the user and the password in the URL
    shared.url: Redis rejected a command with `NOPERM`; use the ACL in docs/REPLICAS.md
    shared.url: the connection to Redis failed; check the host, the port and TLS in the URL
    shared.url: the connection to Redis failed; check the host, the port and TLS in the URL
    shared.url: the server is a node of a Redis Cluster; write the URL of a server without cluster mode
    shared.url: the server rejects writes; write the URL of the primary, or of the sentinels
    ");
}
