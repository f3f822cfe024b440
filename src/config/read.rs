//! From what a file says to what is meant: defaults, secrets, and every check
//! that the file's shape alone does not make.

use std::{
    cell::RefCell,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::{
    cache::Policy,
    callers::{Caller, CallerKey, Quota},
    directory::Policies,
    domain::cursor::CursorKey,
    server::{Limits, Tls, TlsError},
    telemetry::{request::NONE, trace::Otlp},
    upstream::{Credential, RateLimit},
    vendors::{kind::VendorKind, registry},
};

use super::{
    Cache, Config, ConfigError, Connection, Fault, FileState, Paging, Server,
    error::Locator,
    file::{self, AccountKeys, File, Secret},
};

/// Turns what a file says into what is meant.
pub(super) struct Reader<'t> {
    pub(super) locator: Locator<'t>,
    /// Where relative names of files begin.
    pub(super) directory: PathBuf,
    /// The files read so far.
    pub(super) files: RefCell<Vec<FileState>>,
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
        let server = self.server(file.server)?;
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
        let telemetry = file.telemetry.map(|file| self.telemetry(file)).transpose()?;
        Ok(Config { server, paging, cache, telemetry, connections, callers, identity, files: self.files.take() })
    }

    fn server(&self, file: file::Server) -> Result<Server, ConfigError> {
        let or = |span: Option<file::Span>, default| span.map_or(default, |it| it.0);
        let (server, limits) = (Server::default(), Limits::default());
        Ok(Server {
            listen: file.listen.map_or(server.listen, |it| it.0),
            tls: file.tls.map(|tls| self.tls(&tls)).transpose()?,
            request_timeout: or(file.request_timeout, server.request_timeout),
            max_requests: file.max_requests.map_or(server.max_requests, NonZeroU32::get),
            limits: Limits {
                header_timeout: or(file.header_timeout, limits.header_timeout),
                idle_timeout: or(file.idle_timeout, limits.idle_timeout),
                max_connections: file.max_connections.map_or(limits.max_connections, NonZeroU32::get),
                shutdown_delay: or(file.shutdown_delay, limits.shutdown_delay),
                drain_timeout: or(file.drain_timeout, limits.drain_timeout),
            },
            watch: file.watch.map(|it| it.0),
        })
    }

    fn tls(&self, file: &file::Tls) -> Result<Tls, ConfigError> {
        let [certificate, key] = [&file.certificate, &file.key].map(|path| self.file(path));
        Tls::load(&certificate, &key).map_err(|error| {
            let (at, fix) = match error {
                TlsError::Certificate { .. } => (
                    "certificate",
                    "write the path of a PEM file with the certificate, and those that lead to its authority",
                ),
                TlsError::Key { .. } => ("key", "write the path of a PEM file with the certificate's private key"),
                TlsError::Pair(_) => ("certificate", "name a certificate and the key it was made with"),
            };
            self.locator.fault(&format!("server.tls.{at}"), Fault::new(error.to_string()).fix(fix))
        })
    }

    /// A file that the configuration names, and that is read after this.
    pub(super) fn file(&self, path: &Path) -> PathBuf {
        let path = self.directory.join(path);
        self.files.borrow_mut().push(FileState::now(path.clone()));
        path
    }

    fn telemetry(&self, file: file::Telemetry) -> Result<Otlp, ConfigError> {
        let endpoint = Url::parse(&file.otlp_endpoint).ok().filter(is_base);
        let traces_url =
            endpoint.and_then(|url| Url::parse(&format!("{}/v1/traces", url.as_str().trim_end_matches('/'))).ok());
        let traces_url = traces_url.ok_or_else(|| {
            let fault = Fault::new("this is not the base URL of a collector")
                .fix("write an http or https URL without query, such as \"http://collector:4318\"");
            self.locator.fault("telemetry.otlp_endpoint", fault)
        })?;
        let mut headers = HeaderMap::new();
        for (name, secret) in &file.headers {
            let at = format!("telemetry.headers.{name}");
            let header = HeaderName::try_from(name).map_err(|_| {
                self.locator
                    .fault(&at, Fault::new("this is not a header's name").fix("write one such as authorization"))
            })?;
            let mut value = HeaderValue::try_from(self.secret(&at, secret)?).map_err(|_| {
                let fault = Fault::new("the secret cannot stand in a header")
                    .fix("check the variable or file that holds the secret");
                self.locator.fault(&at, fault)
            })?;
            value.set_sensitive(true);
            if headers.insert(header, value).is_some() {
                let fault = Fault::new("this header stands above already").fix("write each header once, in any case");
                return Err(self.locator.fault(&at, fault));
            }
        }
        if file.service_name.as_ref().is_some_and(String::is_empty) {
            let fault = Fault::new("this is no name").fix("write one, or leave the key out");
            return Err(self.locator.fault("telemetry.service_name", fault));
        }
        Ok(Otlp {
            traces_url,
            headers,
            service_name: file.service_name.unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
            sample: file.sample.map_or(1.0, |it| it.0),
        })
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
        let kind = registry::by_name(&file.vendor).ok_or_else(|| {
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

    fn account_id(&self, at: &str, kind: &VendorKind, mut keys: AccountKeys) -> Result<String, ConfigError> {
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
            if file.name.is_empty() || *file.name == *NONE {
                let fault = Fault::new(format!("no caller can be named `{}`", file.name))
                    .fix("give the caller a name; in the log and the metrics, `-` stands for nobody");
                return Err(self.locator.fault(&format!("{at}.name"), fault));
            }
            if callers.iter().any(|other| other.name == file.name) {
                let fault = Fault::new(format!("a caller named `{}` stands above already", file.name))
                    .fix("give each caller a name of its own, and one that has several keys all of them in `keys`");
                return Err(self.locator.fault(&format!("{at}.name"), fault));
            }
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
            let share = file.share.map(|it| it.0);
            let may_see_raw = file.may_see_raw.unwrap_or(true);
            let file::Caller { name, connections, may_purge, .. } = file;
            callers.push(Caller { name, keys, claims, connections, may_see_raw, may_purge, quota, share });
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
            keys.push(CallerKey::permanent(digest(&format!("{at}.key_digest"), text)?));
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
                // What is named otherwise than variables are may be the secret itself.
                let is_name = name.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_');
                let name = if is_name { name.as_str() } else { "that is named here" };
                let fault = Fault::new(format!("the environment variable {name} is not set"))
                    .fix("set it, or write { file = \"…\" }");
                self.locator.fault(at, fault)
            }),
            Secret::File(path) => {
                let path = self.file(path);
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
