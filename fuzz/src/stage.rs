//! A gateway in process, in front of vendors without sockets.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use customer_gateway::{
    api::ResponseCache,
    cache::Policy,
    clock::{Clock, SharedClock},
    config::Connection,
    directory::Policies,
    domain::cursor::CursorKey,
    fuzzing,
    upstream::{Credential, RateLimit, Window},
    vendors::registry,
};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, header::HOST};
use http_body_util::{BodyExt, Empty};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::{runtime::Runtime, time::Instant};
use tower::ServiceExt;

use crate::vendor::Vendor;

/// Interval between two inputs on the clock. It is longer than every freshness
/// lifetime, breaker pause and vendor block, so no input affects the next one.
const INTERVAL: Duration = Duration::from_hours(2);
/// Time on the clock after which a body has no end.
const MAX_BODY_TIME: Duration = Duration::from_mins(10);

/// A gateway with one connection per vendor kind, on a paused clock.
pub struct Stage {
    runtime: Runtime,
    service: ResponseCache,
}

/// A response of the gateway.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// True if the body ended with an error.
    pub is_aborted: bool,
    /// True if the body did not end: an export waits for the vendor's rate limit.
    pub is_endless: bool,
}

/// Clock of the runtime. Sleeping advances it without waiting.
struct PausedClock(OnceLock<Instant>);

impl Stage {
    /// Starts a gateway with these connections: vendor kind, name and account.
    pub fn start(connections: &[(&str, &str, &str, Vendor)]) -> Self {
        let runtime = paused_runtime();
        let service = runtime.block_on(async {
            let connection = |(kind, name, account, vendor): &(&str, &str, &str, Vendor)| {
                (connection(kind, name, account), Box::new(vendor.clone()) as _)
            };
            fuzzing::gateway(connections.iter().map(connection).collect(), cursor_key(), &clock())
        });
        Self { runtime, service }
    }

    /// Advances the clock, so cached pages and vendor blocks have expired.
    pub fn begin(&self) {
        self.runtime.block_on(tokio::time::advance(INTERVAL));
    }

    /// Sends a `GET` with these headers, and checks the response.
    pub fn get(&self, target: &str, headers: &HeaderMap) -> Answer {
        self.send(Method::GET, target, headers).expect("a valid target")
    }

    /// Sends a request. `None` if the target is not a URI.
    pub fn send(&self, method: Method, target: &str, headers: &HeaderMap) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(target).body(Empty::new()).ok()?;
        request.headers_mut().extend(headers.clone());
        request.headers_mut().entry(HOST).or_insert(http::HeaderValue::from_static("gateway"));
        let answer = self.runtime.block_on(async {
            let Ok(response) = self.service.clone().oneshot(request).await;
            Answer::read(response).await
        });
        answer.check(target);
        Some(answer)
    }
}

impl Answer {
    /// Reads a response to its end.
    pub async fn read<B>(response: http::Response<B>) -> Self
    where
        B: http_body::Body<Data = bytes::Bytes> + Unpin,
    {
        let (parts, mut body) = response.into_parts();
        let (mut bytes, mut is_aborted) = (Vec::new(), false);
        let reading = async {
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else {
                    is_aborted = true;
                    return;
                };
                bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
            }
        };
        let is_endless = tokio::time::timeout(MAX_BODY_TIME, reading).await.is_err();
        let text = String::from_utf8(bytes).expect("every response is UTF-8");
        Self { status: parts.status.as_u16(), headers: parts.headers, text, is_aborted, is_endless }
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Returns a header, empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    /// Returns the code of a problem.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().expect("a problem has a code").to_owned()
    }

    /// Fails for an internal error, and for a body that is not valid.
    pub fn check(&self, target: &str) {
        assert_ne!(self.status, 500, "{target}: {}", self.text);
        assert!(!self.header("x-request-id").is_empty(), "{target}: every response has a request id");
        if self.status >= 400 {
            let problem = self.json();
            assert_eq!(self.header("content-type"), "application/problem+json", "{target}");
            assert_eq!(problem["status"], self.status, "{target}");
            assert_eq!(problem["type"], format!("/problems/{}", self.code()), "{target}");
            assert_eq!(problem["request_id"], self.header("x-request-id"), "{target}");
        } else if self.header("content-type").starts_with("application/json") {
            self.json();
        } else if self.status == 304 {
            assert_eq!(self.text, "", "{target}: 304 has no body");
        }
    }
}

/// Returns a runtime whose time advances only when every task waits.
pub fn paused_runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Returns a clock that follows the runtime.
pub fn clock() -> SharedClock {
    Arc::new(PausedClock(OnceLock::new()))
}

/// Returns the key of all cursors.
pub fn cursor_key() -> CursorKey {
    CursorKey::derive(b"fuzzing")
}

/// Returns a connection whose rate limit never makes a request wait.
pub fn connection(kind: &str, name: &str, account_id: &str) -> Connection {
    let zero = Duration::ZERO;
    let policy = Policy { stale_while_revalidate: zero, stale_if_error: zero, not_found: zero, ..Policy::default() };
    Connection {
        name: name.parse().expect("a valid name"),
        kind: registry::by_name(kind).expect("a known kind"),
        base_url: "http://vendor.test".parse().expect("a valid URL"),
        credential: Credential::new("sk_live_fuzzing".into()).expect("a valid credential"),
        account_id: account_id.to_owned(),
        rate_limit: RateLimit {
            windows: vec![Window { requests: 1_000_000.try_into().expect("not zero"), per: Duration::from_secs(1) }],
            max_wait: Connection::DEFAULT_MAX_WAIT,
        },
        timeout: Connection::DEFAULT_TIMEOUT,
        policies: Policies { customers: policy, customer: policy, transactions: policy },
        sync: None,
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a valid timestamp");
        let elapsed = SignedDuration::try_from(self.elapsed()).expect("within range");
        start.checked_add(elapsed).expect("within range")
    }

    fn elapsed(&self) -> Duration {
        let now = Instant::now();
        now.saturating_duration_since(*self.0.get_or_init(|| now))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
