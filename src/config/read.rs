//! From what a file says to what is meant: defaults, secrets, and every check
//! that the file's shape alone does not make.

use std::{num::NonZeroU32, path::PathBuf};

use url::Url;

use crate::{
    cache::Policy,
    directory::Policies,
    domain::cursor::CursorKey,
    upstream::{Credential, RateLimit},
    vendors::registry::{self, Kind},
};

use super::{
    Cache, Caller, CallerKey, Config, ConfigError, Connection, Fault, Paging, Quota, Server,
    error::Locator,
    file::{self, AccountKeys, File, Secret},
};

/// Turns what a file says into what is meant.
pub(super) struct Reader<'t> {
    pub(super) locator: Locator<'t>,
    /// Where relative names of files begin.
    pub(super) directory: PathBuf,
}

impl Reader<'_> {
    pub(super) fn config(&self, file: File) -> Result<Config, ConfigError> {
        let policy = file::Policy {
            fresh: file.cache.fresh,
            stale_while_revalidate: file.cache.stale_while_revalidate,
            stale_if_error: file.cache.stale_if_error,
            not_found: file.cache.not_found,
        };
        let connections = self.connections(file.connections, policy.over(Policy::default()))?;
        let callers = self.callers(file.callers, &connections)?;
        let identity = self.identity(file.identity, &callers)?;
        let server = Server {
            listen: file.server.listen.map_or(Server::default().listen, |it| it.0),
            request_timeout: file.server.request_timeout.map_or(Server::default().request_timeout, |it| it.0),
        };
        if callers.is_empty() && !server.listen.ip().is_loopback() {
            return Err(self.locator.fault(
                "server.listen",
                Fault::new("without callers the gateway serves loopback addresses only")
                    .fix("add a [[callers]] section (`customer-gateway key` makes a key), or listen on 127.0.0.1"),
            ));
        }
        let paging = Paging {
            cursor_key: self
                .optional_secret("paging.cursor_key", file.paging.cursor_key.as_ref())?
                .map(|secret| CursorKey::derive(secret.as_bytes())),
            max_vendor_calls: file.paging.max_vendor_calls.map_or(Paging::default().max_vendor_calls, NonZeroU32::get),
        };
        let cache = Cache { max_bytes: file.cache.max_bytes.map_or(Cache::default().max_bytes, |it| it.0.as_u64()) };
        Ok(Config { server, paging, cache, connections, callers, identity })
    }

    fn connections(&self, files: Vec<file::Connection>, policy: Policy) -> Result<Vec<Connection>, ConfigError> {
        if files.is_empty() {
            let fault = Fault::new("there are no connections").fix("add a [[connections]] section");
            return Err(self.locator.fault("connections", fault));
        }
        let mut connections: Vec<Connection> = Vec::with_capacity(files.len());
        for (index, file) in files.into_iter().enumerate() {
            let at = format!("connections.{index}");
            if connections.iter().any(|other| other.name == file.name) {
                let fault = Fault::new(format!("a connection named `{}` stands above already", file.name))
                    .fix("give each connection a name of its own");
                return Err(self.locator.fault(&format!("{at}.name"), fault));
            }
            connections.push(self.connection(&at, file, policy)?);
        }
        Ok(connections)
    }

    fn connection(&self, at: &str, file: file::Connection, policy: Policy) -> Result<Connection, ConfigError> {
        let kind = registry::kind(&file.vendor).ok_or_else(|| {
            let known: Vec<_> = registry::KINDS.iter().map(|kind| format!("\"{}\"", kind.name)).collect();
            let fault = Fault::new(format!("there is no vendor `{}`", file.vendor))
                .fix(format!("write one of {}", known.join(", ")));
            self.locator.fault(&format!("{at}.vendor"), fault)
        })?;
        let base_url = match &file.base_url {
            None => kind.base_url.to_owned(),
            Some(configured) => configured.clone(),
        };
        let base_url = Url::parse(&base_url).ok().filter(is_base).ok_or_else(|| {
            let fault = Fault::new("this is not the base URL of an API")
                .fix(format!("write an http or https URL without query, such as \"{}\"", kind.base_url));
            self.locator.fault(&format!("{at}.base_url"), fault)
        })?;
        let credential_at = format!("{at}.credential");
        let credential = Credential::new(self.secret(&credential_at, &file.credential)?.into()).map_err(|error| {
            let fault = Fault::new(error.to_string()).fix("check the variable or file that holds the secret");
            self.locator.fault(&credential_at, fault)
        })?;
        Ok(Connection {
            account_id: self.account_id(at, kind, file.account)?,
            rate_limit: match file.rate_limit {
                None => Connection::default_rate_limit(kind),
                Some(limit) => RateLimit {
                    requests: limit.requests,
                    per: limit.per.0,
                    max_wait: limit.max_wait.map_or(Connection::DEFAULT_MAX_WAIT, |it| it.0),
                },
            },
            timeout: file.timeout.map_or(Connection::DEFAULT_TIMEOUT, |it| it.0),
            policies: policies(&file.cache, policy),
            name: file.name,
            kind,
            base_url,
            credential,
        })
    }

    fn account_id(&self, at: &str, kind: &Kind, mut keys: AccountKeys) -> Result<String, ConfigError> {
        let key = kind.account_key;
        let id = keys.remove(key);
        if let Some(unknown) = keys.keys().next() {
            let owner = registry::KINDS.iter().find(|other| other.account_key == unknown);
            let fault = match owner {
                Some(other) => Fault::new(format!("`{unknown}` belongs to vendor \"{}\"", other.name))
                    .fix(format!("a connection to vendor \"{}\" wants `{key}`", kind.name)),
                None => Fault::new(format!("there is no key `{unknown}`"))
                    .fix(format!("a connection's keys are {}, {key}", file::CONNECTION_KEYS)),
            };
            return Err(self.locator.fault(&format!("{at}.{unknown}"), fault));
        }
        match id {
            Some(toml::Value::String(id)) if !id.is_empty() => Ok(id),
            Some(_) => {
                let fault = Fault::new(format!("`{key}` is not text")).fix(format!("write {key} = \"…\""));
                Err(self.locator.fault(&format!("{at}.{key}"), fault))
            }
            None => {
                let fault = Fault::new(format!("`{key}` is missing"))
                    .fix(format!("a connection to vendor \"{}\" wants {key} = \"…\"", kind.name));
                Err(self.locator.fault(at, fault))
            }
        }
    }

    fn callers(&self, files: Vec<file::Caller>, connections: &[Connection]) -> Result<Vec<Caller>, ConfigError> {
        let mut callers: Vec<Caller> = Vec::with_capacity(files.len());
        for (index, file) in files.into_iter().enumerate() {
            let at = format!("callers.{index}");
            let keys = self.keys(&at, &file)?;
            let is_taken = |key: &CallerKey| callers.iter().flat_map(|it| &it.keys).any(|it| it.digest == key.digest);
            if keys.iter().any(is_taken) {
                let fault = Fault::new("another caller has this key").fix("give each caller keys of its own");
                return Err(self.locator.fault(&at, fault));
            }
            if file.connections.is_empty() {
                let fault = Fault::new("this caller may ask nothing").fix("write names of [[connections]] sections");
                return Err(self.locator.fault(&format!("{at}.connections"), fault));
            }
            let unknown = file.connections.iter().find(|name| !connections.iter().any(|known| known.name == **name));
            if let Some(unknown) = unknown {
                let fault = Fault::new(format!("there is no connection `{unknown}`"))
                    .fix("write names of [[connections]] sections");
                return Err(self.locator.fault(&format!("{at}.connections"), fault));
            }
            let claims = self.claims(&at, file.claims, &callers)?;
            if keys.is_empty() && claims.is_empty() {
                let fault = Fault::new("this caller has neither a key nor claims").fix(
                    "write key_digest = \"blake3:…\", keys = [{ digest = \"blake3:…\", expires = \"…\" }], or claims = { … }",
                );
                return Err(self.locator.fault(&at, fault));
            }
            let quota = file.quota.map(|quota| Quota { requests: quota.requests, per: quota.per.0 });
            let file::Caller { name, connections, may_purge, .. } = file;
            callers.push(Caller { name, keys, claims, connections, may_purge, quota });
        }
        Ok(callers)
    }

    fn keys(&self, at: &str, file: &file::Caller) -> Result<Vec<CallerKey>, ConfigError> {
        let digest = |at: &str, text: &str| {
            let digest = text.strip_prefix("blake3:").and_then(|hex| blake3::Hash::from_hex(hex).ok());
            digest.ok_or_else(|| {
                let fault = Fault::new("this is not a key's digest")
                    .fix("write \"blake3:\" and 64 hexadecimal digits, as `customer-gateway key` prints them");
                self.locator.fault(at, fault)
            })
        };
        let mut keys = Vec::new();
        if let Some(text) = &file.key_digest {
            keys.push(CallerKey::lasting(digest(&format!("{at}.key_digest"), text)?));
        }
        for (index, key) in file.keys.iter().enumerate() {
            let digest = digest(&format!("{at}.keys.{index}.digest"), &key.digest)?;
            keys.push(CallerKey { digest, expires: key.expires.map(|it| it.0) });
        }
        Ok(keys)
    }

    fn optional_secret(&self, at: &str, secret: Option<&Secret>) -> Result<Option<String>, ConfigError> {
        secret.map(|secret| self.secret(at, secret)).transpose()
    }

    fn secret(&self, at: &str, secret: &Secret) -> Result<String, ConfigError> {
        match secret {
            Secret::Env(name) => std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                let fault = Fault::new(format!("the environment variable {name} is not set"))
                    .fix(format!("set {name}, or write {{ file = \"…\" }}"));
                self.locator.fault(at, fault)
            }),
            Secret::File(path) => {
                let path = self.directory.join(path);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    let fault = Fault::new(format!("the file {} cannot be read: {error}", path.display()))
                        .fix("write the path of a file that holds the secret alone");
                    self.locator.fault(at, fault)
                })?;
                let secret = text.trim_end_matches(['\r', '\n']);
                if secret.is_empty() {
                    let fault = Fault::new(format!("the file {} is empty", path.display()))
                        .fix("write the secret into it, alone");
                    return Err(self.locator.fault(at, fault));
                }
                Ok(secret.to_owned())
            }
        }
    }
}

/// The policies of a connection over the gateway's.
fn policies(file: &file::ConnectionCache, gateway: Policy) -> Policies {
    let connection = file::Policy {
        fresh: file.fresh,
        stale_while_revalidate: file.stale_while_revalidate,
        stale_if_error: file.stale_if_error,
        not_found: file.not_found,
    };
    let policy = connection.over(gateway);
    Policies {
        customers: file.customers.over(policy),
        customer: file.customer.over(policy),
        transactions: file.transactions.over(policy),
    }
}

/// Whether paths can be appended to a URL.
fn is_base(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}
