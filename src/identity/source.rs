//! Reading of the provider's keys, from a URL or a file.

use std::{io, path::PathBuf, time::Duration};

use url::Url;

use crate::{
    files::{self, FileError},
    http_client::{ClientError, Clients, FetchError, Fetcher},
};

use super::{KeySet, KeySetError};

/// Maximum duration of a fetch.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum size of the document. The largest provider's document has about 30 KiB.
const MAX_BODY: usize = 256 << 10;

/// Configured location of the provider's keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Jwks {
    /// A URL.
    Url(Url),
    /// A file.
    File {
        /// Path of the file.
        path: PathBuf,
        /// Keys at the time the configuration was read.
        keys: KeySet,
    },
}

/// Reader of the provider's keys.
#[derive(Debug)]
pub enum KeySource {
    /// A URL.
    Url(Box<Fetcher>),
    /// A file.
    File(PathBuf),
}

/// Failure to read the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// The fetch failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(#[from] FileError),
    /// The document is not a key set.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// No key of the set can verify a token.
    #[error("the key set contains no key that can verify a token")]
    NoKey,
}

impl KeySource {
    /// Creates a reader of the configured location.
    pub fn new(jwks: &Jwks, clients: &mut Clients) -> Result<Self, ClientError> {
        Ok(match jwks {
            Jwks::Url(url) => {
                let client = clients.factory(url, TIMEOUT)?.create();
                Self::Url(Box::new(Fetcher::new(client, url.clone(), TIMEOUT, MAX_BODY)))
            }
            Jwks::File { path, .. } => Self::File(path.clone()),
        })
    }

    /// Reads the current keys. A set without usable keys is an error: a fault of
    /// the provider must not replace good keys.
    pub async fn read(&self) -> Result<KeySet, KeySourceError> {
        let document = match self {
            Self::Url(fetcher) => fetcher.fetch("application/jwk-set+json, application/json").await?,
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || files::read(&path)).await;
                read.map_err(|error| FileError::Io(io::Error::other(error)))??.into()
            }
        };
        let keys = KeySet::parse(&document)?;
        if keys.is_empty() { Err(KeySourceError::NoKey) } else { Ok(keys) }
    }
}
