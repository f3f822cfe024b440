//! `[[connections]]`: accounts at vendors.

use std::{num::NonZeroU32, time::Duration};

use url::Url;

use crate::{
    cache::Policy,
    copies::SyncSettings,
    directory::Policies,
    domain::connection::ConnectionName,
    upstream::{Credential, RateLimit, Window},
    vendors::{kind::VendorKind, registry},
};

use super::{
    ConfigError,
    error::Fault,
    file::{self, AccountKeys, Secret},
    reader::{Reader, parse_base_url},
};

/// One account at a vendor.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Name, which is the prefix of every id.
    pub name: ConnectionName,
    /// Kind of vendor.
    pub kind: &'static VendorKind,
    /// Base URL of the vendor's API.
    pub base_url: Url,
    /// Secret that the vendor issued.
    pub credential: Credential,
    /// Id of the account at the vendor.
    pub account_id: String,
    /// Rate limit of the credential.
    pub rate_limit: RateLimit,
    /// Maximum duration of one vendor call.
    pub timeout: Duration,
    /// Freshness policy of each kind of page.
    pub policies: Policies,
    /// Settings of the stored lists; no stored lists if absent.
    pub sync: Option<SyncSettings>,
}

/// Settings outside the section of a connection that the section depends on.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    /// Freshness policy of connections without overrides.
    pub(super) policy: Policy,
    /// True if the key of cursors outlasts the process.
    pub(super) has_cursor_key: bool,
    /// True if replicas share their state.
    pub(super) has_replicas: bool,
}

impl Connection {
    /// Default maximum duration of one vendor call.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Default maximum wait of a call for a slot of the rate limit.
    pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(5);

    /// Returns the default rate limit of a vendor kind.
    #[must_use]
    pub fn default_rate_limit(kind: &VendorKind) -> RateLimit {
        let requests = NonZeroU32::new(kind.requests_per_second).unwrap_or(NonZeroU32::MIN);
        let window = Window { requests, per: Duration::from_secs(1) };
        RateLimit { windows: vec![window], max_wait: Self::DEFAULT_MAX_WAIT }
    }

    /// Returns whether another connection has the same name and the same account,
    /// reached in the same way. Cached pages are then valid for both.
    #[must_use]
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.name == other.name
            && self.kind == other.kind
            && self.base_url == other.base_url
            && self.credential == other.credential
            && self.account_id == other.account_id
    }
}

impl Reader<'_> {
    pub(super) fn connections(&self, sections: Vec<file::Connection>, defaults: Defaults) -> Vec<Connection> {
        if sections.is_empty() {
            let fault = Fault::new("no connections are configured").fix("add a [[connections]] section");
            self.keep::<()>(Err(self.error("connections", fault)));
        }
        let mut names: Vec<ConnectionName> = Vec::with_capacity(sections.len());
        let mut connections = Vec::with_capacity(sections.len());
        for (index, section) in sections.into_iter().enumerate() {
            let at = format!("connections.{index}");
            if let Some(name) = &section.name {
                if names.contains(name) {
                    let fault = Fault::new(format!("duplicate connection name `{name}`"))
                        .fix("give each connection a unique name");
                    self.keep::<()>(Err(self.error(&format!("{at}.name"), fault)));
                }
                names.push(name.clone());
            }
            connections.extend(self.connection(&at, section, defaults));
        }
        self.check_snapshots(&connections);
        connections
    }

    fn connection(&self, at: &str, section: file::Connection, defaults: Defaults) -> Option<Connection> {
        let name = self.required(at, "name", section.name);
        let credential = self.required(at, "credential", section.credential);
        let credential = credential.and_then(|secret| self.keep(self.credential(at, &secret)));
        let rate_limit = section.rate_limit.map(|section| self.keep(self.rate_limit(at, section)));
        let vendor = self.required(at, "vendor", section.vendor);
        let kind = vendor.and_then(|vendor| self.keep(self.kind(at, &vendor)))?;
        let base_url = self.keep(self.base_url(at, section.base_url.as_deref(), kind));
        let account_id = self.keep(self.account_id(at, kind, section.account));
        let sync = section.sync.map(|section| self.sync(at, section, kind, defaults));
        Some(Connection {
            name: name?,
            kind,
            base_url: base_url?,
            credential: credential?,
            account_id: account_id?,
            rate_limit: rate_limit.unwrap_or_else(|| Some(Connection::default_rate_limit(kind)))?,
            timeout: section.timeout.map_or(Connection::DEFAULT_TIMEOUT, |it| it.0),
            policies: section.cache.policies(defaults.policy),
            sync: sync.map_or(Some(None), |sync| sync.map(Some))?,
        })
    }

    fn kind(&self, at: &str, vendor: &str) -> Result<&'static VendorKind, ConfigError> {
        registry::by_name(vendor).ok_or_else(|| {
            let known: Vec<_> = registry::KINDS.iter().map(|kind| format!("\"{}\"", kind.name)).collect();
            let fault =
                Fault::new(format!("unknown vendor `{vendor}`")).fix(format!("write one of {}", known.join(", ")));
            self.error(&format!("{at}.vendor"), fault)
        })
    }

    fn base_url(&self, at: &str, text: Option<&str>, kind: &VendorKind) -> Result<Url, ConfigError> {
        parse_base_url(text.unwrap_or(kind.base_url)).ok_or_else(|| {
            let fault = Fault::new("invalid base URL")
                .fix(format!("write an http or https URL without query and password, such as \"{}\"", kind.base_url));
            self.error(&format!("{at}.base_url"), fault)
        })
    }

    fn credential(&self, at: &str, secret: &Secret) -> Result<Credential, ConfigError> {
        let at = format!("{at}.credential");
        let secret = self.secret(&at, secret)?;
        Credential::new(secret.into()).map_err(|error| {
            let fault = Fault::new(error.to_string()).fix("check the variable or file that contains the secret");
            self.error(&at, fault)
        })
    }

    fn rate_limit(&self, at: &str, file::RateLimit(section): file::RateLimit) -> Result<RateLimit, ConfigError> {
        let at = format!("{at}.rate_limit");
        if section.is_empty() {
            let fault = Fault::new("the list of windows is empty").fix("write at least one window, or remove the key");
            return Err(self.error(&at, fault));
        }
        let mut max_wait = None;
        let mut windows = Vec::with_capacity(section.len());
        for window in section {
            if window.requests.get() > Window::MAX_REQUESTS {
                let max = Window::MAX_REQUESTS;
                let fault = Fault::new(format!("`requests` is above {max}"))
                    .fix("write an equal limit with a shorter period, or remove this window");
                return Err(self.error(&at, fault));
            }
            if let Some(wait) = window.max_wait
                && max_wait.replace(wait).is_some()
            {
                let fault = Fault::new("duplicate `max_wait`").fix("write `max_wait` in one window; it applies to all");
                return Err(self.error(&at, fault));
            }
            windows.push(Window { requests: window.requests, per: window.per.0 });
        }
        Ok(RateLimit { windows, max_wait: max_wait.map_or(Connection::DEFAULT_MAX_WAIT, |it| it.0) })
    }

    /// Reads the account id, which is the only key whose name depends on the vendor kind.
    fn account_id(&self, at: &str, kind: &VendorKind, mut keys: AccountKeys) -> Result<String, ConfigError> {
        let key = kind.account_key;
        let id = keys.remove(key);
        if let Some(unknown) = keys.keys().next() {
            let owner = registry::KINDS.iter().find(|other| other.account_key == unknown);
            let fault = match owner {
                Some(other) => Fault::new(format!("`{unknown}` belongs to vendor \"{}\"", other.name))
                    .fix(format!("a connection to vendor \"{}\" requires `{key}`", kind.name)),
                None => Fault::new(format!("unknown key `{unknown}`"))
                    .fix(format!("the keys of a connection are {}, {key}", file::CONNECTION_KEYS)),
            };
            return Err(self.error(&format!("{at}.{unknown}"), fault));
        }
        match id {
            Some(toml::Value::String(id)) if !id.is_empty() => Ok(id),
            Some(_) => {
                let fault =
                    Fault::new(format!("`{key}` must be a non-empty string")).fix(format!("write {key} = \"…\""));
                Err(self.error(&format!("{at}.{key}"), fault))
            }
            None => {
                let fault = Fault::new(format!("`{key}` is missing"))
                    .fix(format!("a connection to vendor \"{}\" requires {key} = \"…\"", kind.name));
                Err(self.error(at, fault))
            }
        }
    }
}
