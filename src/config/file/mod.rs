//! Structure of the configuration file, key by key.

mod location;
mod schema;
mod values;

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::connection::ConnectionName;

pub(super) use location::{Jwks, Secret};
pub(super) use schema::schema;
use values::Timestamp;
pub(super) use values::{Address, ListName, OnLoss, Period, PositiveDuration, Ratio, Share, Size};

/// Keys of a connection that depend on its vendor kind.
pub(super) type AccountKeys = BTreeMap<String, toml::Value>;

/// Keys of every connection, for error messages.
pub(super) const CONNECTION_KEYS: &str = "name, vendor, base_url, credential, rate_limit, timeout, cache, sync";

/// Configuration of the gateway.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Listener, TLS and limits of the HTTP server.
    #[serde(default)]
    pub(super) server: Server,
    /// Cursors, and bounds of the work of one request.
    #[serde(default)]
    pub(super) paging: Paging,
    /// Memory and freshness of cached pages.
    #[serde(default)]
    pub(super) cache: Cache,
    /// State that several replicas share on Redis or Valkey. A single process if absent.
    pub(super) shared: Option<Shared>,
    /// Export of spans to an OpenTelemetry collector. No spans if absent.
    pub(super) telemetry: Option<Telemetry>,
    /// Accounts at vendors, in the order of lists.
    #[serde(default)]
    pub(super) connections: Vec<Connection>,
    /// Apps that may send requests. Without callers, every request is accepted, on a loopback address only.
    #[serde(default)]
    pub(super) callers: Vec<Caller>,
    /// Identity provider whose tokens identify callers.
    pub(super) identity: Option<Identity>,
}

/// Listener, TLS and limits of the HTTP server.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    /// IP address and port. Without callers, only a loopback address is accepted.
    pub(super) listen: Option<Address>,
    /// Certificate and private key. Plain HTTP if absent.
    pub(super) tls: Option<Tls>,
    /// Origins whose pages may call the gateway from a browser.
    pub(super) cors: Option<Cors>,
    /// Maximum time until a response starts.
    pub(super) request_timeout: Option<PositiveDuration>,
    /// Maximum time from a connection to the complete head of its first request.
    pub(super) header_timeout: Option<PositiveDuration>,
    /// Maximum time that a connection waits for its client.
    pub(super) idle_timeout: Option<PositiveDuration>,
    /// Maximum number of open connections.
    pub(super) max_connections: Option<NonZeroU32>,
    /// Maximum number of requests in progress.
    pub(super) max_requests: Option<NonZeroU32>,
    /// Maximum memory of vendor responses in flight.
    pub(super) max_vendor_bytes: Option<Size>,
    /// Maximum memory of responses that clients have not read.
    pub(super) max_unread_bytes: Option<Size>,
    /// Time during which requests are still accepted after SIGTERM.
    pub(super) shutdown_delay: Option<PositiveDuration>,
    /// Maximum time for requests in flight to finish after `shutdown_delay`.
    pub(super) drain_timeout: Option<PositiveDuration>,
    /// Interval at which all files are checked for changes. Only the certificate is checked if absent.
    pub(super) watch: Option<PositiveDuration>,
}

/// Certificate and private key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "{ certificate = \"tls.crt\", key = \"tls.key\" }")]
pub(super) struct Tls {
    /// Path of a PEM file with the certificate and its intermediate certificates.
    pub(super) certificate: PathBuf,
    /// Path of a PEM file with the private key.
    pub(super) key: PathBuf,
}

/// Cross-origin requests of pages.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "{ origins = [\"https://app.example.com\"] }")]
pub(super) struct Cors {
    /// Origins as browsers send them, such as `https://app.example.com`.
    pub(super) origins: Vec<String>,
}

/// Cursors, and bounds of the work of one request.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// Secret that authenticates cursors, equal for all replicas.
    pub(super) cursor_key: Option<Secret>,
    /// Maximum number of vendor calls of one request.
    pub(super) max_vendor_calls: Option<NonZeroU32>,
    /// Maximum number of rows that the gateway sorts for one connection.
    pub(super) max_sorted_rows: Option<NonZeroU32>,
    /// Maximum number of rows that the gateway sorts for one connection of an export.
    pub(super) max_export_sorted_rows: Option<NonZeroU32>,
}

/// Memory and freshness of cached pages.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cache {
    /// Maximum memory for cached pages and responses.
    pub(super) max_bytes: Option<Size>,
    /// Freshness lifetime of a page.
    pub(super) fresh: Option<PositiveDuration>,
    /// Window after expiry in which a stale page is served while it is refreshed.
    pub(super) stale_while_revalidate: Option<PositiveDuration>,
    /// Window after expiry in which a stale page is served if the vendor fails.
    pub(super) stale_if_error: Option<PositiveDuration>,
    /// Freshness lifetime of the result that a customer does not exist.
    pub(super) not_found: Option<PositiveDuration>,
}

/// State that several replicas share on Redis or Valkey.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each shared part has a switch")]
pub(super) struct Shared {
    /// URL of the server: `redis://`, `rediss://` or `redis+sentinel://`.
    #[schemars(required)]
    pub(super) url: Option<Secret>,
    /// URL of the server for all state but pages. The same server if absent.
    pub(super) state_url: Option<Secret>,
    /// First part of every key.
    pub(super) prefix: Option<String>,
    /// Longest time that a request waits for one response of the server.
    pub(super) timeout: Option<PositiveDuration>,
    /// Minimum number of replicas among which a limit is divided while the server is unavailable.
    pub(super) replicas: Option<NonZeroU32>,
    /// Use of the rate limits while the server is unavailable.
    pub(super) on_loss: Option<OnLoss>,
    /// True if pages are shared.
    #[serde(default = "enabled")]
    pub(super) cache: bool,
    /// True if rate limits are counted across replicas.
    #[serde(default = "enabled")]
    pub(super) limits: bool,
    /// True if one replica at a time fetches a page.
    #[serde(default = "enabled")]
    pub(super) leases: bool,
    /// True if the quotas of callers are counted across replicas.
    #[serde(default = "enabled")]
    pub(super) quotas: bool,
}

fn enabled() -> bool {
    true
}

/// Export of spans to an OpenTelemetry collector.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Telemetry {
    /// Base URL of the collector (OTLP over HTTP).
    #[schemars(required)]
    pub(super) otlp_endpoint: Option<String>,
    /// Name of the service in spans.
    pub(super) service_name: Option<String>,
    /// Fraction of new traces that are exported, from 0 to 1.
    pub(super) sample: Option<Ratio>,
    /// Headers of each request to the collector, with their secrets.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Secret>,
}

/// Overrides of `[cache]` for a connection, and for each kind of page.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionCache {
    /// Freshness lifetime of a page.
    pub(super) fresh: Option<PositiveDuration>,
    /// Window after expiry in which a stale page is served while it is refreshed.
    pub(super) stale_while_revalidate: Option<PositiveDuration>,
    /// Window after expiry in which a stale page is served if the vendor fails.
    pub(super) stale_if_error: Option<PositiveDuration>,
    /// Freshness lifetime of the result that a customer does not exist.
    pub(super) not_found: Option<PositiveDuration>,
    /// Overrides for lists of customers.
    #[serde(default)]
    pub(super) customers: Policy,
    /// Overrides for single customers.
    #[serde(default)]
    pub(super) customer: Policy,
    /// Overrides for lists of transactions.
    #[serde(default)]
    pub(super) transactions: Policy,
}

/// Freshness of one kind of page.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// Freshness lifetime of a page.
    pub(super) fresh: Option<PositiveDuration>,
    /// Window after expiry in which a stale page is served while it is refreshed.
    pub(super) stale_while_revalidate: Option<PositiveDuration>,
    /// Window after expiry in which a stale page is served if the vendor fails.
    pub(super) stale_if_error: Option<PositiveDuration>,
    /// Freshness lifetime of the result that a customer does not exist.
    pub(super) not_found: Option<PositiveDuration>,
}

/// Account at a vendor.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = schema::add_account_keys)]
pub(super) struct Connection {
    /// Name, which is the prefix of every id: lowercase letters, digits and hyphens.
    #[schemars(required, with = "String", regex(pattern = schema::CONNECTION_NAME))]
    pub(super) name: Option<ConnectionName>,
    /// Kind of vendor.
    #[schemars(required)]
    pub(super) vendor: Option<String>,
    /// Base URL of the vendor's API.
    pub(super) base_url: Option<String>,
    /// Secret that the vendor issued.
    #[schemars(required)]
    pub(super) credential: Option<Secret>,
    /// Rate limit of the credential: one window, or a list of windows.
    pub(super) rate_limit: Option<RateLimit>,
    /// Maximum duration of a vendor call, without its wait in the queue.
    pub(super) timeout: Option<PositiveDuration>,
    /// Overrides of the section `cache` for this connection.
    #[serde(default)]
    pub(super) cache: ConnectionCache,
    /// Complete lists in memory, which answer requests without vendor calls. No stored lists if absent.
    pub(super) sync: Option<Sync>,
    #[serde(flatten)]
    #[schemars(skip)]
    pub(super) account: AccountKeys,
}

/// Complete lists in memory.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section [connections.sync]")]
pub(super) struct Sync {
    /// Time from the start of one walk of a list to the start of the next.
    pub(super) every: Option<PositiveDuration>,
    /// Time between two requests for the newest rows. Only for vendors that list the newest rows first.
    pub(super) newest: Option<PositiveDuration>,
    /// Maximum fraction of the rate limit that walks use.
    pub(super) budget: Option<Share>,
    /// Age of a list from which on the vendor answers.
    pub(super) max_age: Option<PositiveDuration>,
    /// Maximum memory of one list.
    pub(super) max_bytes: Option<Size>,
    /// Lists that are stored. All lists of the vendor if absent.
    pub(super) resources: Option<Vec<ListName>>,
    /// Path of the file that keeps the lists across restarts. No file if absent.
    pub(super) snapshot: Option<PathBuf>,
}

/// One window, or a list of windows.
#[derive(Debug)]
pub(super) struct RateLimit(pub(super) Vec<RateWindow>);

/// Window of a rate limit.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "{ requests = 5, per = \"1s\" }")]
pub(super) struct RateWindow {
    /// Number of calls.
    pub(super) requests: NonZeroU32,
    /// Length of the period.
    pub(super) per: Period,
    /// Maximum wait of a call for the rate limit. Applies to all windows.
    pub(super) max_wait: Option<PositiveDuration>,
}

/// App that may send requests.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    /// Name in logs and metrics.
    #[schemars(required)]
    pub(super) name: Option<Arc<str>>,
    /// Digest of the only key, as printed by `customer-gateway key`.
    pub(super) key_digest: Option<String>,
    /// Keys that may expire.
    #[serde(default)]
    pub(super) keys: Vec<CallerKey>,
    /// Claims of an identity provider's tokens that identify the caller.
    pub(super) claims: Option<BTreeMap<String, String>>,
    /// Names of the connections that the caller may use.
    #[schemars(required, with = "Vec<String>")]
    pub(super) connections: Option<Vec<ConnectionName>>,
    /// Fields that are hidden from the caller.
    #[serde(default)]
    pub(super) fields: CallerFields,
    /// True if the caller may request the vendors' own objects.
    pub(super) may_see_raw: Option<bool>,
    /// True if the caller may purge cached pages.
    #[serde(default)]
    pub(super) may_purge: bool,
    /// Maximum rate of requests.
    pub(super) quota: Option<Quota>,
    /// Maximum fraction of each rate limit that the caller uses.
    pub(super) share: Option<Share>,
}

/// Fields that are hidden from a caller.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "{ deny = [\"email\"], mask = [\"name\"] }")]
pub(super) struct CallerFields {
    /// Fields that are removed from rows, such as `email` or `tax.*`.
    pub(super) deny: Vec<String>,
    /// Text fields whose values are replaced by `***`.
    pub(super) mask: Vec<String>,
}

/// Key of a caller.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "{ digest = \"blake3:…\", expires = \"2027-01-31T00:00:00Z\" }")]
pub(super) struct CallerKey {
    /// Digest of the key, as printed by `customer-gateway key`.
    pub(super) digest: String,
    /// Time from which the key is rejected. The key does not expire if absent.
    pub(super) expires: Option<Timestamp>,
}

/// Maximum rate of requests.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "{ requests = 50, per = \"1s\" }")]
pub(super) struct Quota {
    /// Number of requests.
    pub(super) requests: NonZeroU32,
    /// Length of the period.
    pub(super) per: PositiveDuration,
}

/// Identity provider whose tokens identify callers.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// Exact value of `iss` in the tokens.
    #[schemars(required)]
    pub(super) issuer: Option<String>,
    /// Value that `aud` contains in the tokens.
    #[schemars(required)]
    pub(super) audience: Option<String>,
    /// Location of the provider's keys.
    #[schemars(required)]
    pub(super) jwks: Option<Jwks>,
    /// Interval at which the keys are fetched.
    pub(super) refresh: Option<PositiveDuration>,
}
