//! A gateway in front of simulated vendors, all on loopback sockets.

mod collector;
mod gate;
pub(crate) mod redis;
mod scripted;
mod stage;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::{
    api::ResponseCache,
    app::{App, Changes},
    callers::{Caller, CallerKey},
    clock::{Clock, SharedClock},
    config::{Cache, Config, Connection, Paging, Server},
    copies::ListCopy,
    directory::{Directory, Policies, Source},
    domain::{cursor::CursorKey, field_policy::FieldPolicy},
    identity::Claims,
    sandbox::{Data, Options, Sandbox},
    server::{self, Live, Served},
    telemetry::trace::Tracer,
    upstream::{Credential, RateLimit, Window},
    vendors::registry,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinHandle,
};

pub(crate) use collector::{Collector, otlp_to};
pub(crate) use gate::Gate;
pub(crate) use scripted::{
    ACCOUNT, ClosedPort, Reply, SECRET, ScriptedVendor, corporation_page, corporation_row, tolt_page, tolt_row,
};
pub(crate) use stage::{Stage, StageBuilder, Vendors};

/// A running gateway, stopped when dropped.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) clock: Arc<MovableClock>,
    tracer: Tracer,
    client: reqwest::Client,
    app: tokio::sync::Mutex<App>,
    live: Live<ResponseCache>,
    stop: Arc<Notify>,
    task: Task,
}

struct Task(JoinHandle<()>);

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

/// A clock that moves only by `advance`, and panics after `fail`.
pub(crate) struct MovableClock {
    elapsed: watch::Sender<Duration>,
    broken: AtomicBool,
}

impl Gateway {
    /// Starts a gateway with a configuration, on a free port.
    pub(crate) async fn start(config: Config) -> Self {
        let clock = Arc::new(MovableClock::new());
        Self { clock: Arc::clone(&clock), ..Self::start_on(clock, config).await }
    }

    /// Starts a gateway on another clock, for tests that wait in real time.
    pub(crate) async fn start_on(clock: SharedClock, mut config: Config) -> Self {
        config.paging.cursor_key.get_or_insert(CursorKey::derive(b"tests"));
        let app = App::new(config, &clock).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (live, stop) = (Live::new(app.served()), Arc::new(Notify::new()));
        let stopped = Arc::clone(&stop).notified_owned();
        let task = tokio::spawn(server::serve(listener, live.clone(), app.readiness(), stopped));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let tracer = app.tracer().clone();
        let (app, task) = (tokio::sync::Mutex::new(app), Task(task));
        Self { url, clock: Arc::new(MovableClock::new()), tracer, client, app, live, stop, task }
    }

    /// Reloads the gateway with another configuration.
    pub(crate) async fn reload(&self, config: Config) -> Changes {
        self.reload_with_hook(config, async || {}).await
    }

    /// Reloads the gateway, and calls `last` after the new configuration is
    /// assembled and before it is served.
    pub(crate) async fn reload_with_hook(&self, mut config: Config, last: impl AsyncFnOnce()) -> Changes {
        config.paging.cursor_key.get_or_insert(CursorKey::derive(b"tests"));
        let mut app = self.app.lock().await;
        let (reconfigured, changes) = app.reconfigured(config).await.unwrap();
        last().await;
        self.live.replace(reconfigured.served());
        *app = reconfigured;
        changes
    }

    /// Returns the connections and their lists.
    pub(crate) async fn directory(&self) -> Arc<Directory> {
        Arc::clone(self.app.lock().await.directory())
    }

    /// Returns all stored lists.
    pub(crate) async fn stored_lists(&self) -> Vec<Arc<ListCopy>> {
        let directory = self.directory().await;
        directory.sources().filter_map(Source::copies).flat_map(|copies| copies.lists().to_vec()).collect()
    }

    /// Waits until all stored lists are complete.
    pub(crate) async fn synchronized(&self) {
        let lists = self.stored_lists().await;
        until(|| lists.iter().all(|list| list.stored().is_some())).await;
    }

    /// Returns the currently served state.
    pub(crate) fn served(&self) -> Arc<Served<ResponseCache>> {
        self.live.served()
    }

    /// Signals the gateway to stop.
    pub(crate) fn stop(&self) {
        self.stop.notify_one();
    }

    /// Ends the gateway without a shutdown, as a second signal does.
    pub(crate) fn abort(&self) {
        self.task.0.abort();
    }

    /// Waits until the gateway has stopped.
    pub(crate) async fn stopped(&mut self) {
        (&mut self.task.0).await.unwrap();
    }

    /// Sends a `GET` with an unmodified path and query.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(self.client.get(format!("{}{target}", self.url))).await
    }

    /// Sends a `GET` with a caller's key.
    pub(crate) async fn get_as(&self, key: &str, target: &str) -> Answer {
        self.send(self.client.get(format!("{}{target}", self.url)).bearer_auth(key)).await
    }

    /// Sends any request. `build` receives the client and the gateway's URL.
    pub(crate) async fn request(
        &self,
        build: impl FnOnce(&reqwest::Client, &str) -> reqwest::RequestBuilder,
    ) -> Answer {
        self.send(build(&self.client, &self.url)).await
    }

    /// Follows `next_cursor` from a list's first page to its last. Returns the
    /// ids of the rows, or the problem. Panics if the walk does not end.
    pub(crate) async fn walk(&self, target: &str) -> Result<Vec<String>, Answer> {
        let separator = if target.contains('?') { '&' } else { '?' };
        let mut seen = Vec::new();
        let mut page = self.get(target).await;
        for _ in 0..200 {
            if page.status != 200 {
                page.problem();
                return Err(page);
            }
            let body = page.json();
            seen.extend(ids(&body));
            let Some(cursor) = body["page"]["next_cursor"].as_str() else { return Ok(seen) };
            page = self.get(&format!("{target}{separator}cursor={cursor}")).await;
        }
        panic!("the walk over {target} does not end");
    }

    /// Exports the ended spans to the collector.
    pub(crate) async fn flush(&self) {
        self.tracer.flush().await;
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        assert!(headers.contains_key("x-request-id"), "every response has a request id: {headers:?}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{headers:?}");
        Answer { status, headers, text: response.text().await.unwrap() }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Answer {
    /// Returns the body as JSON, with members sorted by name.
    pub(crate) fn json(&self) -> Value {
        let mut body = self.json_as_sent();
        body.sort_all_objects();
        body
    }

    /// Returns the body as JSON, with members in the order received.
    pub(crate) fn json_as_sent(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Returns the body of a 200 as JSON.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// Returns a validated problem document. Checks status, code, type and
    /// request id.
    pub(crate) fn problem(&self) -> Value {
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(problem["type"], format!("/problems/{}", problem["code"].as_str().unwrap()));
        let retry_after = problem.get("retry_after").map(ToString::to_string).unwrap_or_default();
        assert_eq!(retry_after, self.header("retry-after"), "{}", self.text);
        problem
    }

    /// Returns a problem document for a snapshot, without the request id and
    /// without the members that `problem` has checked.
    pub(crate) fn problem_snapshot(&self) -> Value {
        let mut problem = self.problem();
        problem["request_id"] = "[request id]".into();
        problem.as_object_mut().unwrap().shift_remove("type");
        problem
    }

    /// Returns a problem in a line, for tables: status, code, parameter, and
    /// detail.
    pub(crate) fn problem_line(&self) -> String {
        let problem = self.problem();
        let [code, detail] = ["code", "detail"].map(|member| problem[member].as_str().unwrap());
        let parameter = problem["parameter"].as_str().map(|name| format!(" [{name}]")).unwrap_or_default();
        format!("{} {code}{parameter} {detail}", self.status)
    }

    /// Returns the code of a problem with this status.
    pub(crate) fn code(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        self.problem()["code"].as_str().unwrap().to_owned()
    }

    /// Returns a header's text, empty if absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl MovableClock {
    pub(crate) fn new() -> Self {
        Self { elapsed: watch::Sender::new(Duration::ZERO), broken: AtomicBool::new(false) }
    }

    /// Advances the clock, and wakes the sleepers that are due.
    pub(crate) fn advance(&self, by: Duration) {
        self.elapsed.send_modify(|elapsed| *elapsed += by);
    }

    /// Returns the number of sleepers.
    pub(crate) fn sleepers(&self) -> usize {
        self.elapsed.receiver_count()
    }

    /// Makes every later read of the time of day panic.
    pub(crate) fn fail(&self) {
        self.broken.store(true, Relaxed);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        assert!(!self.broken.load(Relaxed), "the clock is broken: a secret of the inside");
        let start: Timestamp = "2025-11-01T00:00:00Z".parse().unwrap();
        start.checked_add(SignedDuration::try_from(self.elapsed()).unwrap()).unwrap()
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (mut elapsed, until) = (self.elapsed.subscribe(), self.elapsed() + duration);
        Box::pin(async move {
            elapsed.wait_for(|now| *now >= until).await.unwrap();
        })
    }
}

/// Returns a configuration with only these connections.
pub(crate) fn config(connections: Vec<Connection>) -> Config {
    Config {
        server: Server { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Server::default() },
        paging: Paging::default(),
        cache: Cache::default(),
        shared: None,
        telemetry: None,
        connections,
        callers: Vec::new(),
        files: Vec::new(),
        identity: None,
    }
}

/// Returns a connection with a budget that never makes a test wait.
pub(crate) fn connection(name: &str, vendor: &str, base_url: &str, secret: &str, account_id: &str) -> Connection {
    Connection {
        name: name.parse().unwrap(),
        kind: registry::by_name(vendor).unwrap(),
        base_url: base_url.parse().unwrap(),
        credential: Credential::new(secret.into()).unwrap(),
        account_id: account_id.to_owned(),
        rate_limit: RateLimit {
            windows: vec![Window { requests: NonZeroU32::new(1_000_000).unwrap(), per: Duration::from_secs(1) }],
            max_wait: Duration::from_secs(5),
        },
        timeout: Duration::from_secs(10),
        policies: Policies::default(),
        sync: None,
    }
}

/// Returns windows that allow one call per `step`. The budget adds a margin of
/// 30 ms to a period.
pub(crate) fn one_call_per(step: Duration) -> Vec<Window> {
    vec![Window { requests: NonZeroU32::MIN, per: step.checked_sub(Duration::from_millis(30)).unwrap() }]
}

/// Returns the connections `affiliates` and `tax` to a sandbox's vendors.
pub(crate) fn connections_to(sandbox: &Sandbox) -> Vec<Connection> {
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    vec![
        connection("affiliates", "tolt", &tolt.base_url(), tolt.credential(), tolt.program_id()),
        connection(
            "tax",
            "corporation",
            &corporation.base_url(),
            corporation.credential(),
            corporation.corporation_id(),
        ),
    ]
}

/// Returns a caller with a key, allowed to access these connections.
pub(crate) fn caller(name: &str, key: &str, connections: &[&str]) -> Caller {
    Caller {
        name: name.into(),
        keys: vec![CallerKey::permanent(blake3::hash(key.as_bytes()))],
        claims: Claims::default(),
        connections: connections.iter().map(|name| name.parse().unwrap()).collect(),
        fields: FieldPolicy::default(),
        may_see_raw: true,
        may_purge: false,
        quota: None,
        share: None,
    }
}

/// Starts vendors with these rows and without rate limits.
pub(crate) async fn sandbox_with(data: Data) -> Sandbox {
    Sandbox::start_with(Options { enforce_rate_limits: false, ..Options::default() }, data).await.unwrap()
}

/// Starts vendors with generated rows and without rate limits.
pub(crate) async fn sandbox(tolt: usize, transactions: usize, corporation: usize) -> Sandbox {
    Sandbox::start(Options {
        tolt_customers: tolt,
        tolt_transactions: transactions,
        corporation_customers: corporation,
        enforce_rate_limits: false,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// Returns a percent-encoded query string.
pub(crate) fn query(parameters: &BTreeMap<String, String>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// Returns the ids of a page's rows.
pub(crate) fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Waits until a condition holds, with the test runner's timeout as the only
/// bound.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
