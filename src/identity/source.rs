//! Where a provider's keys are read.

use std::{io, path::PathBuf, time::Duration};

use url::Url;

use crate::http_client::{ClientError, Clients, FetchError, Fetcher};

use super::{KeySet, KeySetError};

/// How keys are fetched. The largest provider's document has some 30 KiB.
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BODY: usize = 256 << 10;

/// Where a provider's keys are, as configured.
#[derive(Debug, Clone, PartialEq)]
pub enum Jwks {
    /// At this URL.
    Url(Url),
    /// In a file.
    File {
        /// Its path.
        path: PathBuf,
        /// What stood there when the configuration was read.
        keys: KeySet,
    },
}

/// A place that keys are read from.
#[derive(Debug)]
pub enum KeySource {
    /// A URL.
    Url(Fetcher),
    /// A file.
    File(PathBuf),
}

/// Why keys cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// They cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(#[from] io::Error),
    /// Something else is there.
    #[error(transparent)]
    Keys(#[from] KeySetError),
}

impl KeySource {
    /// The place that is configured.
    pub fn of(jwks: &Jwks, clients: &mut Clients) -> Result<Self, ClientError> {
        Ok(match jwks {
            Jwks::Url(url) => Self::Url(Fetcher::new(clients.get_or_create(url)?, url.clone(), TIMEOUT, MAX_BODY)),
            Jwks::File { path, .. } => Self::File(path.clone()),
        })
    }

    /// Reads the keys that stand there now.
    pub async fn read(&self) -> Result<KeySet, KeySourceError> {
        let document = match self {
            Self::Url(fetcher) => fetcher.fetch("application/jwk-set+json, application/json").await?,
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(|| std::fs::read(path)).await;
                read.map_err(io::Error::other)??.into()
            }
        };
        Ok(KeySet::parse(&document)?)
    }
}
