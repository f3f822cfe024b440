//! Effective configuration: every key with its value, secrets as references.

use std::{num::NonZeroU32, path::Path};

use bytesize::ByteSize;

use crate::{cache::Policy, upstream::Window};

use super::{
    Config, ConfigErrors, Connection,
    file::{self, File, OnLoss, Period, PositiveDuration, RateLimit, RateWindow, Size},
};

impl Config {
    /// Returns the configuration of a file as TOML, with the defaults of all absent
    /// keys. Secrets are references, as in the file, and are not read. Keys without a default are omitted
    /// if they are absent.
    pub fn effective(text: &str, path: &Path) -> Result<String, ConfigErrors> {
        let config = Self::parse_with(text, path, false)?;
        // The text has just been parsed, and the types of the file serialize.
        let file: Option<File> = toml::from_str(text).ok();
        let written = file.map(|file| toml::to_string(&file.filled(&config)).unwrap_or_default());
        Ok(written.unwrap_or_default())
    }
}

impl File {
    /// Returns the file with the values of the configuration that was read from it.
    fn filled(mut self, config: &Config) -> Self {
        self.server.fill(config);
        self.paging.max_vendor_calls = NonZeroU32::new(config.paging.max_vendor_calls);
        self.paging.max_sorted_rows = NonZeroU32::new(config.paging.max_sorted_rows);
        self.paging.max_export_sorted_rows = NonZeroU32::new(config.paging.max_export_sorted_rows);
        let policy = self.cache.policy();
        self.cache = file::Cache {
            max_bytes: Some(Size(ByteSize(config.cache.max_bytes))),
            fresh: Some(PositiveDuration(policy.fresh)),
            stale_while_revalidate: Some(PositiveDuration(policy.stale_while_revalidate)),
            stale_if_error: Some(PositiveDuration(policy.stale_if_error)),
            not_found: Some(PositiveDuration(policy.not_found)),
        };
        if let (Some(section), Some(shared)) = (&mut self.shared, &config.shared) {
            section.prefix = Some(shared.prefix.clone());
            section.timeout = Some(PositiveDuration(shared.timeout));
            section.replicas = Some(shared.replicas);
            section.on_loss = Some(OnLoss(shared.on_loss));
        }
        if let (Some(section), Some(telemetry)) = (&mut self.telemetry, &config.telemetry) {
            section.service_name = Some(telemetry.service_name.clone());
            section.sample = Some(file::Ratio(telemetry.sample));
        }
        for (section, connection) in self.connections.iter_mut().zip(&config.connections) {
            section.fill(connection);
        }
        for (section, caller) in self.callers.iter_mut().zip(&config.callers) {
            section.may_see_raw = Some(caller.may_see_raw);
        }
        if let (Some(section), Some(identity)) = (&mut self.identity, &config.identity) {
            section.refresh = Some(PositiveDuration(identity.refresh));
        }
        self
    }
}

impl file::Server {
    fn fill(&mut self, config: &Config) {
        let (server, limits) = (&config.server, &config.server.limits);
        self.listen = Some(file::Address(server.listen));
        self.request_timeout = Some(PositiveDuration(server.request_timeout));
        self.header_timeout = Some(PositiveDuration(limits.header_timeout));
        self.idle_timeout = Some(PositiveDuration(limits.idle_timeout));
        self.max_connections = NonZeroU32::new(limits.max_connections);
        self.max_requests = NonZeroU32::new(server.max_requests);
        self.max_vendor_bytes = Some(Size(ByteSize(server.max_vendor_bytes)));
        self.max_unread_bytes = Some(Size(ByteSize(server.max_unread_bytes)));
        self.drain_timeout = Some(PositiveDuration(limits.drain_timeout));
    }
}

impl file::Connection {
    fn fill(&mut self, connection: &Connection) {
        let limit = &connection.rate_limit;
        let window = |(index, window): (usize, &Window)| RateWindow {
            requests: window.requests,
            per: Period(window.per),
            max_wait: (index == 0).then_some(PositiveDuration(limit.max_wait)),
        };
        self.base_url = Some(connection.base_url.to_string());
        self.rate_limit = Some(RateLimit(limit.windows.iter().enumerate().map(window).collect()));
        self.timeout = Some(PositiveDuration(connection.timeout));
        let policies = connection.policies;
        self.cache = file::ConnectionCache {
            customers: policies.customers.into(),
            customer: policies.customer.into(),
            transactions: policies.transactions.into(),
            ..file::ConnectionCache::default()
        };
        if let (Some(section), Some(settings)) = (&mut self.sync, &connection.sync) {
            section.fill(settings);
        }
    }
}

impl From<Policy> for file::Policy {
    fn from(policy: Policy) -> Self {
        Self {
            fresh: Some(PositiveDuration(policy.fresh)),
            stale_while_revalidate: Some(PositiveDuration(policy.stale_while_revalidate)),
            stale_if_error: Some(PositiveDuration(policy.stale_if_error)),
            not_found: Some(PositiveDuration(policy.not_found)),
        }
    }
}
