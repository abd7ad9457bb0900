//! The certificate that is served: from the files of the config, or one of our own making.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use world::{Certificate, CertificateError, TlsServer, World, self_signed};

use crate::config::Config;
use crate::data_dir::write_private;

#[derive(Debug, thiserror::Error)]
pub enum TlsFilesError {
    #[error(
        "{path} cannot be read: {source}; correct [tls] in postroad.toml, or let this user read it"
    )]
    Unreadable {
        path: String,
        source: std::io::Error,
    },
    #[error("{path} cannot be written: {source}")]
    Unwritable {
        path: String,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Bad {
        path: String,
        source: CertificateError,
    },
}

/// What the files hold, not yet looked into.
pub struct Pem {
    chain: Vec<u8>,
    key: Vec<u8>,
    path: String,
}

/// Reads the certificate, after making a self-signed one if there should be one and is none.
pub fn read_or_make(world: &World, config: &Config) -> Result<Pem, TlsFilesError> {
    let (certificate, key) = files(config);
    if config.tls.files.is_none() && !(certificate.exists() && key.exists()) {
        make(world, config, &certificate, &key)?;
    }
    read(config)
}

/// A server for the certificate. The first use of the cryptographic library takes some 100 ms.
pub fn server(pem: Pem) -> Result<Arc<TlsServer>, TlsFilesError> {
    let certificate = parse(&pem)?;
    let made = TlsServer::new(vec![certificate]).map(Arc::new);
    made.map_err(|source| TlsFilesError::Bad {
        path: pem.path,
        source,
    })
}

/// Serves what the files hold now. On error the old certificate stays.
pub fn reload(server: &TlsServer, config: &Config) -> Result<(), TlsFilesError> {
    let pem = read(config)?;
    let certificate = parse(&pem)?;
    let loaded = server.reload(vec![certificate]);
    loaded.map_err(|source| TlsFilesError::Bad {
        path: pem.path,
        source,
    })
}

/// Certificate and key.
fn files(config: &Config) -> (PathBuf, PathBuf) {
    config.tls.files.clone().unwrap_or_else(|| {
        (
            config.data.join("self-signed.pem"),
            config.data.join("self-signed.key"),
        )
    })
}

fn read(config: &Config) -> Result<Pem, TlsFilesError> {
    let (certificate, key) = files(config);
    let (chain, key) = (read_file(&certificate)?, read_file(&key)?);
    Ok(Pem {
        chain,
        key,
        path: certificate.display().to_string(),
    })
}

fn parse(pem: &Pem) -> Result<Certificate, TlsFilesError> {
    Certificate::from_pem(&pem.chain, &pem.key).map_err(|source| TlsFilesError::Bad {
        path: pem.path.clone(),
        source,
    })
}

fn make(world: &World, config: &Config, to: &Path, key: &Path) -> Result<(), TlsFilesError> {
    let mut names = vec![config.hostname.clone(), "localhost".to_owned()];
    let listened = config
        .listen
        .services
        .values()
        .flatten()
        .map(|socket| socket.ip());
    let mut addresses: Vec<_> = listened
        .filter(|address| !address.is_unspecified())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    names.extend(addresses.iter().map(ToString::to_string));
    let pair = self_signed(&names, world.wall()).map_err(|source| TlsFilesError::Bad {
        path: to.display().to_string(),
        source,
    })?;
    for (path, text) in [(key, pair.key), (to, pair.certificate)] {
        write_private(path, text.as_bytes()).map_err(|source| TlsFilesError::Unwritable {
            path: path.display().to_string(),
            source,
        })?;
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsFilesError> {
    std::fs::read(path).map_err(|source| TlsFilesError::Unreadable {
        path: path.display().to_string(),
        source,
    })
}
