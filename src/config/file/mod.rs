//! Structure of the configuration file, key by key.

mod location;
mod values;

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf, sync::Arc};

use serde::Deserialize;

use crate::domain::connection::ConnectionName;

pub(super) use location::{Jwks, Secret};
use values::{Address, OnLoss, Period, Ratio, Share, Timestamp};
pub(super) use values::{PositiveDuration, Size};

/// Keys of a connection that depend on its vendor kind.
pub(super) type AccountKeys = BTreeMap<String, toml::Value>;

/// Keys of every connection, for error messages.
pub(super) const CONNECTION_KEYS: &str = "name, vendor, base_url, credential, rate_limit, timeout, cache";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) server: Server,
    #[serde(default)]
    pub(super) paging: Paging,
    #[serde(default)]
    pub(super) cache: Cache,
    pub(super) shared: Option<Shared>,
    pub(super) telemetry: Option<Telemetry>,
    #[serde(default)]
    pub(super) connections: Vec<Connection>,
    #[serde(default)]
    pub(super) callers: Vec<Caller>,
    pub(super) identity: Option<Identity>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) listen: Option<Address>,
    pub(super) tls: Option<Tls>,
    pub(super) cors: Option<Cors>,
    pub(super) request_timeout: Option<PositiveDuration>,
    pub(super) header_timeout: Option<PositiveDuration>,
    pub(super) idle_timeout: Option<PositiveDuration>,
    pub(super) max_connections: Option<NonZeroU32>,
    pub(super) max_requests: Option<NonZeroU32>,
    pub(super) max_vendor_bytes: Option<Size>,
    pub(super) max_unread_bytes: Option<Size>,
    pub(super) shutdown_delay: Option<PositiveDuration>,
    pub(super) drain_timeout: Option<PositiveDuration>,
    pub(super) watch: Option<PositiveDuration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ certificate = \"tls.crt\", key = \"tls.key\" }")]
pub(super) struct Tls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ origins = [\"https://app.example.com\"] }")]
pub(super) struct Cors {
    pub(super) origins: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    pub(super) cursor_key: Option<Secret>,
    pub(super) max_vendor_calls: Option<NonZeroU32>,
    pub(super) max_sorted_rows: Option<NonZeroU32>,
    pub(super) max_export_sorted_rows: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cache {
    pub(super) max_bytes: Option<Size>,
    pub(super) fresh: Option<PositiveDuration>,
    pub(super) stale_while_revalidate: Option<PositiveDuration>,
    pub(super) stale_if_error: Option<PositiveDuration>,
    pub(super) not_found: Option<PositiveDuration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each shared part has a switch")]
pub(super) struct Shared {
    pub(super) url: Secret,
    pub(super) state_url: Option<Secret>,
    pub(super) prefix: Option<String>,
    pub(super) timeout: Option<PositiveDuration>,
    pub(super) replicas: Option<NonZeroU32>,
    pub(super) on_loss: Option<OnLoss>,
    #[serde(default = "enabled")]
    pub(super) cache: bool,
    #[serde(default = "enabled")]
    pub(super) limits: bool,
    #[serde(default = "enabled")]
    pub(super) leases: bool,
    #[serde(default = "enabled")]
    pub(super) quotas: bool,
}

fn enabled() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telemetry {
    pub(super) otlp_endpoint: String,
    pub(super) service_name: Option<String>,
    pub(super) sample: Option<Ratio>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Secret>,
}

/// Overrides of `[cache]` for a connection, and for each kind of page.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionCache {
    pub(super) fresh: Option<PositiveDuration>,
    pub(super) stale_while_revalidate: Option<PositiveDuration>,
    pub(super) stale_if_error: Option<PositiveDuration>,
    pub(super) not_found: Option<PositiveDuration>,
    #[serde(default)]
    pub(super) customers: Policy,
    #[serde(default)]
    pub(super) customer: Policy,
    #[serde(default)]
    pub(super) transactions: Policy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) fresh: Option<PositiveDuration>,
    pub(super) stale_while_revalidate: Option<PositiveDuration>,
    pub(super) stale_if_error: Option<PositiveDuration>,
    pub(super) not_found: Option<PositiveDuration>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Connection {
    pub(super) name: ConnectionName,
    pub(super) vendor: String,
    pub(super) base_url: Option<String>,
    pub(super) credential: Secret,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) timeout: Option<PositiveDuration>,
    #[serde(default)]
    pub(super) cache: ConnectionCache,
    #[serde(flatten)]
    pub(super) account: AccountKeys,
}

/// One window, or a list of windows.
#[derive(Debug)]
pub(super) struct RateLimit(pub(super) Vec<RateWindow>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ requests = 5, per = \"1s\" }")]
pub(super) struct RateWindow {
    pub(super) requests: NonZeroU32,
    pub(super) per: Period,
    pub(super) max_wait: Option<PositiveDuration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    pub(super) name: Arc<str>,
    pub(super) key_digest: Option<String>,
    #[serde(default)]
    pub(super) keys: Vec<CallerKey>,
    pub(super) claims: Option<BTreeMap<String, String>>,
    pub(super) connections: Vec<ConnectionName>,
    #[serde(default)]
    pub(super) fields: CallerFields,
    pub(super) may_see_raw: Option<bool>,
    #[serde(default)]
    pub(super) may_purge: bool,
    pub(super) quota: Option<Quota>,
    pub(super) share: Option<Share>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "{ deny = [\"email\"], mask = [\"name\"] }")]
pub(super) struct CallerFields {
    pub(super) deny: Vec<String>,
    pub(super) mask: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ digest = \"blake3:…\", expires = \"2027-01-31T00:00:00Z\" }")]
pub(super) struct CallerKey {
    pub(super) digest: String,
    pub(super) expires: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ requests = 50, per = \"1s\" }")]
pub(super) struct Quota {
    pub(super) requests: NonZeroU32,
    pub(super) per: PositiveDuration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) jwks: Jwks,
    pub(super) refresh: Option<PositiveDuration>,
}
