//! Conversion of a parsed file into a validated configuration.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use url::Url;

use crate::files::FileRead;

use super::{
    Cache, Config, ConfigError, ConfigErrors, FileState, connections::Defaults, error::Fault, file::File,
    locator::Locator, parse::is_within,
};

/// Reader of one file. The methods for each section are in that section's file.
pub(super) struct Reader<'t> {
    locator: Locator<'t>,
    /// Directory that relative paths start from.
    base_dir: PathBuf,
    /// State in which each file was read.
    files: RefCell<Vec<FileState>>,
    /// Errors found so far.
    errors: RefCell<Vec<ConfigError>>,
    /// False if each secret is replaced by a placeholder.
    pub(super) resolves_secrets: bool,
}

impl<'t> Reader<'t> {
    /// Creates the reader of a file's `text`, of which the keys in `readable` have no
    /// errors.
    pub(super) fn new(text: &str, readable: &'t str, path: &'t Path, resolves_secrets: bool) -> Self {
        let base_dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let files = RefCell::new(vec![FileState::new(path.to_path_buf(), text.as_bytes())]);
        Self { locator: Locator::new(readable, path), base_dir, files, errors: RefCell::default(), resolves_secrets }
    }

    /// Validates the file and resolves its secrets. `unreadable` are the errors of the
    /// keys that the file lacks.
    pub(super) fn config(self, file: File, unreadable: Vec<ConfigError>) -> Result<Config, ConfigErrors> {
        let defaults = Defaults {
            policy: file.cache.policy(),
            has_cursor_key: file.paging.cursor_key.is_some(),
            has_replicas: file.shared.is_some(),
        };
        let names: Vec<_> = file.connections.iter().filter_map(|section| section.name.clone()).collect();
        let (has_callers, has_claims) =
            (!file.callers.is_empty(), file.callers.iter().position(|section| section.claims.is_some()));
        let connections = self.connections(file.connections, defaults);
        let callers = self.callers(file.callers, &names);
        if file.identity.is_none() {
            self.check_claims(has_claims);
        }
        let identity = file.identity.map(|section| self.identity(section, has_claims));
        let server = self.server(file.server, has_callers);
        let paging = self.keep(self.paging(&file.paging));
        let cursor_key = file.paging.cursor_key.as_ref();
        let shared = file.shared.map(|section| self.shared(section, cursor_key));
        let cache = Cache::from(file.cache);
        let telemetry = file.telemetry.map(|section| self.telemetry(section));
        let errors = self.errors.into_inner();
        if !(unreadable.is_empty() && errors.is_empty()) {
            return Err(ConfigErrors::new(combined(unreadable, errors)));
        }
        let files = self.files.into_inner();
        let config = || {
            Some(Config {
                server: server?,
                paging: paging?,
                cache,
                shared: shared.map_or(Some(None), |shared| shared.map(Some))?,
                telemetry: telemetry.map_or(Some(None), |telemetry| telemetry.map(Some))?,
                connections,
                callers,
                identity: identity.map_or(Some(None), |identity| identity.map(Some))?,
                files,
            })
        };
        // Each absent part has an error.
        config().ok_or_else(|| ConfigErrors::new(Vec::new()))
    }

    /// Returns the value, or keeps the error for the list of all errors.
    pub(super) fn keep<T>(&self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.errors.borrow_mut().push(error)).ok()
    }

    /// Returns the value of a required key, or keeps the error for the list of all errors.
    pub(super) fn required<T>(&self, section: &str, name: &str, value: Option<T>) -> Option<T> {
        self.keep(value.ok_or_else(|| self.locator.missing(section, name)))
    }

    /// Creates the error for a key, written as `connections.0.name`.
    pub(super) fn error(&self, key: &str, fault: Fault) -> ConfigError {
        self.locator.error(key, fault)
    }

    /// Returns a path of the file, relative paths from the directory of the file.
    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        self.base_dir.join(path)
    }

    /// Reads a file, and records the state in which it was read.
    pub(super) fn read_file(&self, path: &Path) -> FileRead {
        let read = FileRead::new(self.absolute(path));
        self.files.borrow_mut().push(FileState::of(&read));
        read
    }
}

/// Returns all errors. Omits errors that may be a consequence of an unreadable key.
fn combined(unreadable: Vec<ConfigError>, mut errors: Vec<ConfigError>) -> Vec<ConfigError> {
    let removed: Vec<_> = unreadable.iter().filter_map(ConfigError::subject).collect();
    let has_removed = |section: &str| removed.iter().any(|key| is_within(key, section));
    let is_consequence = |key: &str| match key {
        "connections" => has_removed("connections"),
        "server.listen" => has_removed("server.listen") || has_removed("callers"),
        "identity" => has_removed("identity") || has_removed("callers"),
        "shared" => has_removed("paging") || has_removed("shared"),
        _ if key.ends_with(".sync.snapshot") => has_removed("paging") || has_removed(key),
        // A caller without a readable key or claim.
        _ if key.starts_with("callers.") && key.split('.').count() == 2 => has_removed(key),
        _ if key.ends_with(".connections") => {
            removed.iter().any(|removed| removed.rsplit('.').next() == Some("name")) || has_removed(key)
        }
        _ if key.ends_with(".claims") => has_removed("identity") || has_removed(key),
        _ => removed.iter().any(|removed| is_within(key, removed)),
    };
    errors.retain(|error| !error.subject().is_some_and(is_consequence));
    unreadable.into_iter().chain(errors).collect()
}

/// Parses an http or https URL that paths can be appended to.
pub(super) fn parse_base_url(text: &str) -> Option<Url> {
    let is_base = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text).ok().filter(is_base)
}
