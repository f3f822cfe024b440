//! The configuration: read once, checked wholly, secrets resolved.
//!
//! `gateway.example.toml` shows every key. What is wrong is reported with the
//! file, the line, the key and what to write instead.

mod error;
mod file;
mod read;
mod state;
mod tokens;

use std::{
    cell::RefCell,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::Path,
    time::Duration,
};

use url::Url;

use crate::{
    callers::Caller,
    directory::Policies,
    domain::{connection::ConnectionName, cursor::CursorKey},
    identity,
    server::{Limits, Tls},
    telemetry::trace::Otlp,
    upstream::{Credential, RateLimit},
    vendors::kind::VendorKind,
};
use error::Locator;
pub use error::{ConfigError, Fault};
use file::File;
use read::Reader;
pub use state::FileState;

/// Everything the gateway is told, with secrets at hand.
#[derive(Debug)]
pub struct Config {
    /// How it listens.
    pub server: Server,
    /// How it pages.
    pub paging: Paging,
    /// What it keeps.
    pub cache: Cache,
    /// Where it sends spans, if anywhere.
    pub telemetry: Option<Otlp>,
    /// Whom it asks, in the order in which lists go through them.
    pub connections: Vec<Connection>,
    /// Who may ask; nobody configured means anybody, on loopback only.
    pub callers: Vec<Caller>,
    /// The files that all this was read from, each as it was before that: what
    /// changes while it is read differs from this too.
    pub files: Vec<FileState>,
    /// Whose tokens show who asks, besides keys.
    pub identity: Option<identity::Settings>,
}

/// How the gateway listens.
#[derive(Debug, Clone)]
pub struct Server {
    /// The address.
    pub listen: SocketAddr,
    /// What it shows of itself; without it, it speaks in the clear.
    pub tls: Option<Tls>,
    /// How long a request may take, to the last byte of its answer's head.
    pub request_timeout: Duration,
    /// How many requests are worked on at once.
    pub max_requests: u32,
    /// What bounds its connections.
    pub limits: Limits,
    /// How often the configuration's files are looked at for a change, if they
    /// are.
    pub watch: Option<Duration>,
}

/// How the gateway pages.
#[derive(Debug, Clone)]
pub struct Paging {
    /// What authenticates cursors; a random one if absent.
    pub cursor_key: Option<CursorKey>,
    /// How many vendor calls one request may make.
    pub max_vendor_calls: u32,
}

/// What the gateway keeps of vendors' answers.
#[derive(Debug, Clone)]
pub struct Cache {
    /// How much memory the pages may occupy.
    pub max_bytes: u64,
}

/// One account at a vendor.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Its name.
    pub name: ConnectionName,
    /// The kind of vendor.
    pub kind: &'static VendorKind,
    /// Where the vendor's API is.
    pub base_url: Url,
    /// The secret.
    pub credential: Credential,
    /// The account's id at the vendor.
    pub account_id: String,
    /// How often the credential may call.
    pub rate_limit: RateLimit,
    /// How long one call may take.
    pub timeout: Duration,
    /// How long its answers may be used.
    pub policies: Policies,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            tls: None,
            request_timeout: Duration::from_secs(30),
            max_requests: 2048,
            limits: Limits::default(),
            watch: None,
        }
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self { cursor_key: None, max_vendor_calls: 20 }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self { max_bytes: 256 << 20 }
    }
}

impl Connection {
    /// Whether another stands for the same account, reached in the same way:
    /// what is kept of the one holds of the other.
    #[must_use]
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.name == other.name
            && self.kind == other.kind
            && self.base_url == other.base_url
            && self.credential == other.credential
            && self.account_id == other.account_id
    }

    /// How long one vendor call may take, unless configured.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// How long a call waits for its place in the budget, unless configured.
    pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(5);

    /// A kind of vendor's own limit.
    #[must_use]
    pub fn default_rate_limit(kind: &VendorKind) -> RateLimit {
        let requests = NonZeroU32::new(kind.requests_per_second).unwrap_or(NonZeroU32::MIN);
        RateLimit { requests, per: Duration::from_secs(1), max_wait: Self::DEFAULT_MAX_WAIT }
    }
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&text, path)
    }

    /// Checks a file's text; `path` is where relative names and errors point.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let locator = Locator::new(text, path);
        let file: File = toml::from_str(text).map_err(|error| locator.syntax(&error))?;
        let directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let files = RefCell::new(vec![FileState::of(path.to_path_buf(), text.as_bytes())]);
        Reader { locator, directory, files }.config(file)
    }
}
