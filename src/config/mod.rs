//! Configuration: one TOML file, read and validated as a whole.
//!
//! `gateway.example.toml` shows every key. Secrets are resolved while the file
//! is read. Errors name the file, the line, the key and the remedy.

mod cache;
mod callers;
mod connections;
mod effective;
mod error;
mod file;
mod file_state;
mod identity;
mod locator;
mod paging;
mod parse;
mod reader;
mod secrets;
mod server;
mod shared_state;
mod sync;
mod telemetry;

use std::path::Path;

use crate::{callers::Caller, files, identity::Settings, shared, telemetry::trace::Otlp};

pub use cache::Cache;
pub use connections::Connection;
pub use error::{ConfigError, ConfigErrors};
pub use file_state::FileState;
pub use paging::Paging;
use parse::Parsed;
use reader::Reader;
pub use server::Server;

/// Validated configuration, with resolved secrets.
#[derive(Debug)]
pub struct Config {
    /// Settings of the HTTP server.
    pub server: Server,
    /// Paging settings.
    pub paging: Paging,
    /// Cache settings.
    pub cache: Cache,
    /// State that several replicas share; a single process if absent.
    pub shared: Option<shared::Settings>,
    /// Export of spans; no spans if absent.
    pub telemetry: Option<Otlp>,
    /// Connections, in the order of lists.
    pub connections: Vec<Connection>,
    /// Callers. If empty, every request is accepted, on loopback only.
    pub callers: Vec<Caller>,
    /// Identity provider whose tokens are accepted.
    pub identity: Option<Settings>,
    /// All files of this configuration, each in the state in which it was read.
    pub files: Vec<FileState>,
}

impl Config {
    /// Reads and validates a file. Blocks while files are read, each at most
    /// [`files::TIMEOUT`]. Must not be called on a thread that serves requests.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        let text = files::read_text(path);
        let text = text.map_err(|error| ConfigErrors::new(vec![ConfigError::unreadable(path, &error)]))?;
        Self::parse(&text, path)
    }

    /// Returns the JSON Schema of configuration files.
    #[must_use]
    pub fn schema() -> String {
        format!("{:#}", file::schema())
    }

    /// Validates the text of a file. `path` is used in errors and as the base of
    /// relative paths.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigErrors> {
        Self::parse_with(text, path, true)
    }

    /// Validates the text of a file. Without `resolves_secrets`, a placeholder replaces
    /// each secret.
    fn parse_with(text: &str, path: &Path, resolves_secrets: bool) -> Result<Self, ConfigErrors> {
        let Parsed { file, errors, readable } = Parsed::new(text, path);
        match file {
            Some(file) => Reader::new(text, &readable, path, resolves_secrets).config(file, errors),
            None => Err(ConfigErrors::new(errors)),
        }
    }
}
