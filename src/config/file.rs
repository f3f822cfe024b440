//! The configuration file, key for key.

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use bytesize::ByteSize;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{cache, domain::connection::ConnectionName};

/// The keys that no table below names: an account's id, whose key depends on
/// the kind of vendor.
pub(super) type AccountKeys = BTreeMap<String, toml::Value>;

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
    #[serde(default)]
    pub(super) connections: Vec<Connection>,
    #[serde(default)]
    pub(super) callers: Vec<Caller>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) listen: Option<SocketAddr>,
    pub(super) request_timeout: Option<Span>,
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
    pub(super) max_bytes: Option<ByteSize>,
    pub(super) fresh: Option<Span>,
    pub(super) stale_while_revalidate: Option<Span>,
    pub(super) stale_if_error: Option<Span>,
    pub(super) not_found: Option<Span>,
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
#[serde(deny_unknown_fields)]
pub(super) struct RateLimit {
    pub(super) requests: NonZeroU32,
    pub(super) per: Span,
    pub(super) max_wait: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) key_digest: String,
    #[serde(default)]
    pub(super) may_purge: bool,
    pub(super) connections: Vec<ConnectionName>,
}

/// Where a secret is. It never stands in the file itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Secret {
    Env(String),
    File(PathBuf),
}

/// A length of time, such as `"500ms"`, `"30s"` or `"5m"`; never none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
        span.filter(|span| !span.is_zero()).map(Self).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is not a length of time; write one such as \"30s\" or \"5m\""))
        })
    }
}
