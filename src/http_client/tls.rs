//! TLS of the HTTP clients, with the CA certificates of the system or of the
//! environment.

use std::{env, fs, path::PathBuf, sync::Arc};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::rustls::{ClientConfig, Error as RustlsError, crypto::aws_lc_rs};

use crate::files::{self, FileError};

/// Environment variables that replace the system's CA certificates.
const CA_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Failure to create an HTTP client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The TLS library reports an error.
    #[error(transparent)]
    Tls(#[from] RustlsError),
    /// The CA certificates of the environment cannot be read.
    #[error("the CA certificates in {path} cannot be read: {error}")]
    Certificates {
        /// Value of the environment variable.
        path: String,
        /// Failure.
        error: FileError,
    },
}

/// Returns the TLS settings of all clients. Reading the CA certificates of the
/// environment has the time limit of the operator's files.
pub(super) fn config() -> Result<ClientConfig, ClientError> {
    let Some(path) = CA_VARIABLES.iter().find_map(env::var_os).map(PathBuf::from) else {
        return Ok(read()?);
    };
    let file = path.clone();
    let read = files::run(&path, move || {
        let is_readable = |it: fs::Metadata| it.is_file() || it.is_dir();
        if fs::metadata(&file).is_ok_and(|it| !is_readable(it)) { Err(FileError::NotRegular) } else { Ok(read()) }
    });
    Ok(read.map_err(|error| ClientError::Certificates { path: path.display().to_string(), error })??)
}

/// Reads the CA certificates.
fn read() -> Result<ClientConfig, RustlsError> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
