//! The configuration file, key for key.

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};

use bytesize::ByteSize;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{cache, domain::connection::ConnectionName, upstream};

/// The keys that no table below names: an account's id, whose key depends on
/// the kind of vendor.
pub(super) type AccountKeys = BTreeMap<String, toml::Value>;

/// No length of time is longer than a century: the sum of a few still fits into
/// nanoseconds of 64 bits, in which rates are kept.
const LONGEST_SPAN: Duration = Duration::from_hours(100 * 365 * 24);

/// The keys of a connection, for messages.
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
    pub(super) request_timeout: Option<Span>,
    pub(super) header_timeout: Option<Span>,
    pub(super) idle_timeout: Option<Span>,
    pub(super) max_connections: Option<NonZeroU32>,
    pub(super) max_requests: Option<NonZeroU32>,
    pub(super) shutdown_delay: Option<Span>,
    pub(super) drain_timeout: Option<Span>,
    pub(super) watch: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ certificate = \"tls.crt\", key = \"tls.key\" }")]
pub(super) struct Tls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    pub(super) cursor_key: Option<Secret>,
    pub(super) max_vendor_calls: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cache {
    pub(super) max_bytes: Option<Size>,
    pub(super) fresh: Option<Span>,
    pub(super) stale_while_revalidate: Option<Span>,
    pub(super) stale_if_error: Option<Span>,
    pub(super) not_found: Option<Span>,
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

/// What a connection says of its own answers, and of each kind of them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionCache {
    pub(super) fresh: Option<Span>,
    pub(super) stale_while_revalidate: Option<Span>,
    pub(super) stale_if_error: Option<Span>,
    pub(super) not_found: Option<Span>,
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
    pub(super) fresh: Option<Span>,
    pub(super) stale_while_revalidate: Option<Span>,
    pub(super) stale_if_error: Option<Span>,
    pub(super) not_found: Option<Span>,
}

impl Policy {
    /// This policy's times where it has them, else another's.
    pub(super) fn over(&self, base: cache::Policy) -> cache::Policy {
        let or = |own: Option<Span>, base| own.map_or(base, |span| span.0);
        cache::Policy {
            fresh: or(self.fresh, base.fresh),
            stale_while_revalidate: or(self.stale_while_revalidate, base.stale_while_revalidate),
            stale_if_error: or(self.stale_if_error, base.stale_if_error),
            not_found: or(self.not_found, base.not_found),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Connection {
    pub(super) name: ConnectionName,
    pub(super) vendor: String,
    pub(super) base_url: Option<String>,
    pub(super) credential: Secret,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) timeout: Option<Span>,
    #[serde(default)]
    pub(super) cache: ConnectionCache,
    #[serde(flatten)]
    pub(super) account: AccountKeys,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ requests = 5, per = \"1s\" }")]
pub(super) struct RateLimit {
    pub(super) requests: NonZeroU32,
    pub(super) per: Span,
    pub(super) max_wait: Option<Span>,
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
    pub(super) may_see_raw: Option<bool>,
    #[serde(default)]
    pub(super) may_purge: bool,
    pub(super) quota: Option<Quota>,
    pub(super) share: Option<Share>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ digest = \"blake3:…\", expires = \"2027-01-31T00:00:00Z\" }")]
pub(super) struct CallerKey {
    pub(super) digest: String,
    pub(super) expires: Option<Instant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ requests = 50, per = \"1s\" }")]
pub(super) struct Quota {
    pub(super) requests: NonZeroU32,
    pub(super) per: Span,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) jwks: Jwks,
    pub(super) refresh: Option<Span>,
}

/// Where an identity provider's keys are.
#[derive(Debug)]
pub(super) enum Jwks {
    Url(String),
    File(PathBuf),
}

/// Where a secret is. It never stands in the file itself; one that does all the
/// same is in no message.
#[derive(Debug)]
pub(super) enum Secret {
    Env(String),
    File(PathBuf),
}

/// A length of time, such as `"500ms"`, `"30s"` or `"5m"`; neither none nor
/// longer than a century.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) Duration);

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio(pub(super) f64);

/// A part of something, such as `0.25`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share(pub(super) upstream::Share);

/// An instant, such as `"2027-01-31T00:00:00Z"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant(pub(super) jiff::Timestamp);

/// An address to listen on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address(pub(super) SocketAddr);

/// A number of bytes, such as `"256MiB"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size(pub(super) ByteSize);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        match only(&value) {
            Some(("env", name)) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.into())),
            _ => Err(D::Error::custom(
                "a secret does not stand in this file; write { env = \"VARIABLE\" } or { file = \"path\" }",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        match only(&value) {
            Some(("url", url)) => Ok(Self::Url(url.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.into())),
            _ => Err(D::Error::custom(
                "this does not say where the keys are; write { url = \"https://…\" } or { file = \"path\" }",
            )),
        }
    }
}

/// The only member of a table, where it is text.
fn only(value: &toml::Value) -> Option<(&str, &str)> {
    let table = value.as_table().filter(|table| table.len() == 1)?;
    let (key, value) = table.iter().next()?;
    Some((key, value.as_str()?))
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        worded(deserializer, "a length of time; write one such as \"30s\" or \"5m\"", |text| {
            let span = Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()?;
            (!span.is_zero() && span <= LONGEST_SPAN).then_some(Self(span))
        })
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        // The one share that has no fraction.
        let part = value.as_float().or_else(|| (value.as_integer() == Some(1)).then_some(1.0));
        part.and_then(upstream::Share::new)
            .map(Self)
            .ok_or_else(|| D::Error::custom("this is not a share; write a number above 0 and at most 1, such as 0.25"))
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        // 0 and 1 are whole numbers to TOML.
        let share = match value {
            toml::Value::Float(share) => Some(share),
            toml::Value::Integer(whole @ (0 | 1)) => Some(if whole == 1 { 1.0 } else { 0.0 }),
            _ => None,
        };
        let share = share.filter(|share| (0.0..=1.0).contains(share)).map(Self);
        share.ok_or_else(|| D::Error::custom("this is not a ratio; write a number from 0 to 1, such as 0.1"))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "an instant with its offset; write one such as \"2027-01-31T00:00:00Z\"";
        worded(deserializer, what, |text| text.parse().ok().map(Self))
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "an IP address with a port; write one such as \"127.0.0.1:8080\"";
        worded(deserializer, what, |text| text.parse().ok().map(Self))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "a number of bytes; write one such as \"256MiB\"";
        worded(deserializer, what, |text| text.parse().ok().map(Self))
    }
}

/// Reads text that has a form of its own, and says which when it has another.
/// What stands there instead is not told: it may be a secret in a wrong place.
fn worded<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    what: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    value.as_str().and_then(read).ok_or_else(|| D::Error::custom(format!("this is not {what}")))
}
