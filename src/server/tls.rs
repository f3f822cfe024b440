//! TLS of the server, with rustls: TLS 1.2 and 1.3; HTTP/2 and HTTP/1.1 by ALPN.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        Error as RustlsError, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    },
    server::TlsStream,
};

use crate::files::FileRead;

/// A certificate and its private key, loaded from two files. Clones share the
/// loaded pair.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: Arc<ArcSwap<ServerConfig>>,
}

/// Reason why a certificate cannot be used. No message quotes the content of a
/// file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file is unreadable.
    #[error("cannot read the certificates in {file}: {reason}")]
    Certificate {
        /// Path of the file.
        file: String,
        /// Reason.
        reason: String,
    },
    /// The key file is unreadable.
    #[error("cannot read the key in {file}: {reason}")]
    Key {
        /// Path of the file.
        file: String,
        /// Reason.
        reason: String,
    },
    /// The certificate and the key do not form a usable pair.
    #[error("cannot use the certificate with this key: {0}")]
    Pair(#[from] RustlsError),
}

impl Tls {
    /// Parses both PEM files: the certificate followed by the intermediate
    /// certificates, and the key (PKCS #8, PKCS #1 or SEC 1).
    pub fn new(certificate: FileRead, key: FileRead) -> Result<Self, TlsError> {
        let config = Arc::new(ArcSwap::from_pointee(parse(&certificate, &key)?));
        Ok(Self { certificate: certificate.path, key: key.path, config })
    }

    /// Reads both files again, for subsequent handshakes. An error keeps the
    /// previous pair. Blocks while the files are read.
    pub fn reload(&self) -> Result<(), TlsError> {
        let [certificate, key] = self.files().map(|path| FileRead::new(path.to_owned()));
        self.config.store(Arc::new(parse(&certificate, &key)?));
        Ok(())
    }

    /// Returns the paths of both files.
    #[must_use]
    pub fn files(&self) -> [&Path; 2] {
        [&self.certificate, &self.key]
    }

    /// Performs the handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config.load_full()).accept(stream).await
    }
}

fn parse(certificate: &FileRead, key: &FileRead) -> Result<ServerConfig, TlsError> {
    let chain = parse_pem(certificate, |pem| CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>());
    let chain =
        chain.map_err(|reason| TlsError::Certificate { file: certificate.path.display().to_string(), reason })?;
    let key = parse_pem(key, PrivateKeyDer::from_pem_slice)
        .map_err(|reason| TlsError::Key { file: key.path.display().to_string(), reason })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Parses a file that was read. Returns the reason of a failure.
fn parse_pem<T>(read: &FileRead, parse: impl FnOnce(&[u8]) -> Result<T, pem::Error>) -> Result<T, String> {
    let contents = read.contents.as_ref().map_err(ToString::to_string)?;
    parse(contents).map_err(|error| reason(&error))
}

/// Describes a PEM error without quoting the file.
fn reason(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "the file contains none".to_owned(),
        _ => "the file is not PEM".to_owned(),
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).field("key", &self.key).finish_non_exhaustive()
    }
}
