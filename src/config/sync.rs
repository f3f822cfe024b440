//! `[connections.sync]`: stored lists of a connection.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bytesize::ByteSize;

use crate::{
    copies::SyncSettings,
    domain::query::{Order, Resource},
    files,
    upstream::Share,
    vendors::kind::VendorKind,
};

use super::{
    ConfigError, Connection,
    connections::Defaults,
    error::Fault,
    file::{self, ListName, PositiveDuration, Size},
    reader::Reader,
};

impl Reader<'_> {
    /// Reads the section of the connection at `at`. A snapshot is encrypted with a key
    /// that is derived from `paging.cursor_key`.
    pub(super) fn sync(
        &self,
        at: &str,
        section: file::Sync,
        kind: &VendorKind,
        defaults: Defaults,
    ) -> Option<SyncSettings> {
        let at = format!("{at}.sync");
        let every = section.every.map_or(SyncSettings::DEFAULT_EVERY, |it| it.0);
        let resources = self.keep(self.resources(&at, section.resources, kind));
        let newest =
            resources.as_ref().and_then(|lists| self.keep(self.newest(&at, section.newest, every, lists, kind)));
        let max_age = self.keep(self.max_age(&at, section.max_age, every));
        let max_bytes = self.keep(self.max_bytes(&at, section.max_bytes));
        let snapshot = section.snapshot.map(|path| self.keep(self.snapshot(&at, &path, defaults)));
        Some(SyncSettings {
            every,
            newest: newest?,
            budget: section.budget.map_or(SyncSettings::DEFAULT_BUDGET, |it| it.0.fraction()),
            max_age: max_age?,
            max_bytes: max_bytes?,
            resources: resources?,
            snapshot: snapshot.map_or(Some(None), |snapshot| snapshot.map(Some))?,
        })
    }

    /// Rejects two connections with one snapshot, which each would overwrite.
    pub(super) fn check_snapshots(&self, connections: &[Connection]) {
        let snapshot = |connection: &Connection| connection.sync.as_ref()?.snapshot.clone();
        for (index, connection) in connections.iter().enumerate() {
            let earlier = connections[..index].iter();
            if let Some(path) = snapshot(connection)
                && let Some(other) = earlier.clone().find(|other| snapshot(other).as_ref() == Some(&path))
            {
                let fault =
                    Fault::new(format!("the connections {} and {} have one snapshot", other.name, connection.name))
                        .fix("write another path for each connection");
                self.keep::<()>(Err(self.error(&format!("connections.{index}.sync.snapshot"), fault)));
            }
        }
    }

    fn resources(
        &self,
        at: &str,
        configured: Option<Vec<ListName>>,
        kind: &VendorKind,
    ) -> Result<Vec<Resource>, ConfigError> {
        let at = format!("{at}.resources");
        let supported = |resource: &Resource| kind.capabilities.list(*resource).is_some();
        let Some(names) = configured else { return Ok(Resource::ALL.into_iter().filter(supported).collect()) };
        if names.is_empty() {
            let fault = Fault::new("the list of resources is empty").fix("write at least one, or remove the section");
            return Err(self.error(&at, fault));
        }
        let mut resources = Vec::with_capacity(names.len());
        for (index, ListName(resource)) in names.into_iter().enumerate() {
            let name = resource.name();
            let fault = if !supported(&resource) {
                Fault::new(format!("vendor \"{}\" has no {name}", kind.name)).fix(format!("remove \"{name}\""))
            } else if resources.contains(&resource) {
                Fault::new(format!("duplicate resource \"{name}\"")).fix("write each resource once")
            } else {
                resources.push(resource);
                continue;
            };
            return Err(self.error(&format!("{at}.{index}"), fault));
        }
        Ok(resources)
    }

    /// Returns the time between two requests for the newest rows. These are the first
    /// rows of a list only if the vendor promises that order.
    fn newest(
        &self,
        at: &str,
        configured: Option<PositiveDuration>,
        every: Duration,
        resources: &[Resource],
        kind: &VendorKind,
    ) -> Result<Option<Duration>, ConfigError> {
        let is_newest_first = |resource: &Resource| {
            let list = kind.capabilities.list(*resource);
            list.is_some_and(|list| list.default_order == Some(Order::Desc))
        };
        let has_newest = resources.iter().any(is_newest_first);
        let Some(PositiveDuration(newest)) = configured else {
            return Ok(has_newest.then(|| SyncSettings::DEFAULT_NEWEST.min(every)));
        };
        let fault = if !has_newest {
            Fault::new(format!("vendor \"{}\" does not list the newest rows first", kind.name)).fix("remove the key")
        } else if newest > every {
            Fault::new("`newest` is above `every`").fix("write a duration of at most `every`")
        } else {
            return Ok(Some(newest));
        };
        Err(self.error(&format!("{at}.newest"), fault))
    }

    fn max_age(
        &self,
        at: &str,
        configured: Option<PositiveDuration>,
        every: Duration,
    ) -> Result<Duration, ConfigError> {
        let default = || SyncSettings::default_max_age(every).min(PositiveDuration::MAX);
        let max_age = configured.map_or_else(default, |it| it.0);
        if max_age < every {
            let fault = Fault::new("`max_age` is below `every`, and each list would be too old before its next walk")
                .fix("write a duration of at least `every`, or remove the key");
            return Err(self.error(&format!("{at}.max_age"), fault));
        }
        Ok(max_age)
    }

    fn max_bytes(&self, at: &str, configured: Option<Size>) -> Result<u64, ConfigError> {
        let bytes = configured.map_or(SyncSettings::DEFAULT_MAX_BYTES, |size| size.0.as_u64());
        if bytes == 0 {
            let fault = Fault::new("the size is zero").fix("write a size such as \"512MiB\", or remove the section");
            return Err(self.error(&format!("{at}.max_bytes"), fault));
        }
        Ok(bytes)
    }

    fn snapshot(&self, at: &str, path: &Path, defaults: Defaults) -> Result<PathBuf, ConfigError> {
        let at = format!("{at}.snapshot");
        if defaults.has_replicas {
            let fault =
                Fault::new("with [shared], the lists outlast restarts on the Redis server").fix("remove the key");
            return Err(self.error(&at, fault));
        }
        if !defaults.has_cursor_key {
            let fault = Fault::new("a snapshot requires `paging.cursor_key`")
                .fix("write cursor_key = { env = \"VARIABLE\" } or { file = \"path\" } into [paging]");
            return Err(self.error(&at, fault));
        }
        let path = self.absolute(path);
        // A file in the folder of the process has an empty parent.
        let parent =
            path.parent().map(|parent| if parent.as_os_str().is_empty() { ".".into() } else { parent.to_owned() });
        let checked = path.clone();
        let is_file = files::run(&path, move || {
            let has_parent = parent.is_some_and(|parent| parent.is_dir());
            Ok((has_parent, fs::metadata(&checked).map_or(true, |found| found.is_file())))
        });
        let (failure, remedy) = match is_file {
            Ok((true, true)) => return Ok(path),
            Ok((true, false)) => ("is not a regular file".to_owned(), "write the path of a file"),
            Ok((false, _)) => {
                ("is not in an existing directory".to_owned(), "create the directory, or write another path")
            }
            Err(error) => (format!("cannot be accessed: {error}"), "write another path"),
        };
        Err(self.error(&at, Fault::new(format!("the file {} {failure}", path.display())).fix(remedy)))
    }
}

impl file::Sync {
    /// Writes the values of the settings that were read from this section.
    pub(super) fn fill(&mut self, settings: &SyncSettings) {
        self.every = Some(PositiveDuration(settings.every));
        self.newest = settings.newest.map(PositiveDuration);
        self.budget = Share::new(settings.budget).map(file::Share);
        self.max_age = Some(PositiveDuration(settings.max_age));
        self.max_bytes = Some(Size(ByteSize(settings.max_bytes)));
        self.resources = Some(settings.resources.iter().copied().map(ListName).collect());
    }
}
