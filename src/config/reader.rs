//! Conversion of a parsed file into a validated configuration.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use url::Url;

use crate::files::FileRead;

use super::{Cache, Config, ConfigError, FileState, error::Fault, file::File, locator::Locator};

/// Reader of one file. The methods for each section are in that section's file.
pub(super) struct Reader<'t> {
    locator: Locator<'t>,
    /// Directory that relative paths start from.
    base_dir: PathBuf,
    /// State in which each file was read.
    files: RefCell<Vec<FileState>>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, path: &'t Path) -> Self {
        let base_dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let files = RefCell::new(vec![FileState::new(path.to_path_buf(), text.as_bytes())]);
        Self { locator: Locator::new(text, path), base_dir, files }
    }

    /// Validates the file and resolves its secrets.
    pub(super) fn config(self, file: File) -> Result<Config, ConfigError> {
        let connections = self.connections(file.connections, file.cache.policy())?;
        let callers = self.callers(file.callers, &connections)?;
        let identity = self.identity(file.identity, &callers)?;
        let server = self.server(file.server)?;
        if callers.is_empty() && !server.listen.ip().is_loopback() {
            let fault = Fault::new("without callers, only a loopback address is allowed")
                .fix("add a [[callers]] section (`customer-gateway key` generates a key), or listen on 127.0.0.1");
            return Err(self.error("server.listen", fault));
        }
        let paging = self.paging(&file.paging)?;
        let cursor_key = file.paging.cursor_key.as_ref();
        let shared = file.shared.map(|section| self.shared(section, cursor_key)).transpose()?;
        let cache = Cache::from(file.cache);
        let telemetry = file.telemetry.map(|section| self.telemetry(section)).transpose()?;
        let files = self.files.into_inner();
        Ok(Config { server, paging, cache, shared, telemetry, connections, callers, identity, files })
    }

    /// Creates the error for a key, written as `connections.0.name`.
    pub(super) fn error(&self, key: &str, fault: Fault) -> ConfigError {
        self.locator.error(key, fault)
    }

    /// Converts an error of the TOML parser.
    pub(super) fn parse_error(&self, error: &toml::de::Error) -> ConfigError {
        self.locator.parse_error(error)
    }

    /// Reads a file, and records the state in which it was read.
    pub(super) fn read_file(&self, path: &Path) -> FileRead {
        let read = FileRead::new(self.base_dir.join(path));
        self.files.borrow_mut().push(FileState::of(&read));
        read
    }
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
