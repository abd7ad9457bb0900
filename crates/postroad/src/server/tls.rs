//! The certificates that are served: from the files of the config, or one of our own making; several are chosen by
//! the name that the client asks for. Files that change are served without a restart, and a bad new file keeps the
//! old certificate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use world::{Certificate, CertificateError, Stop, TlsServer, World, self_signed};

use super::limits;
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
    #[error("{path} has no key beside it: {key} is missing")]
    NoKey { path: String, key: String },
}

/// Where a certificate and its key lie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What the files hold, not yet looked into.
pub struct Pem {
    found: Vec<Found>,
    print: Print,
}

/// A certificate chain and its key, as they lie in the files.
type Pair = (Vec<u8>, Vec<u8>);

type Found = (Files, Result<Pair, TlsFilesError>);

/// What tells that a file is another one than before.
type Print = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// Which certificates are served, and from where.
pub struct Certificates {
    config: Config,
    server: Arc<TlsServer>,
    served: Mutex<Served>,
}

struct Served {
    certificates: BTreeMap<Files, Certificate>,
    /// From an authority.
    fetched: Vec<Certificate>,
    print: Print,
}

/// Reads the certificates, after making a self-signed one if there should be one and is none.
pub fn read_or_make(world: &World, config: &Config) -> Result<Pem, TlsFilesError> {
    let own = own_files(config);
    if uses_own(config) && !(own.certificate.exists() && own.key.exists()) {
        make(world, config, &own)?;
    }
    Ok(read(config))
}

impl Certificates {
    /// A server for what was read. The first use of the cryptographic library takes some 100 ms.
    /// A pair of the config must be sound; one of several in a directory is left out if it is not.
    pub fn serve(config: &Config, pem: Pem) -> Result<Self, TlsFilesError> {
        let mut certificates = BTreeMap::new();
        for (files, found) in pem.found {
            match found.and_then(|pair| parse(&files, &pair)) {
                Ok(certificate) => {
                    certificates.insert(files, certificate);
                }
                Err(error) if is_one_of_many(config, &files) => {
                    tracing::error!(%error, "a certificate is not served");
                }
                Err(error) => return Err(error),
            }
        }
        let server = TlsServer::new(in_order(config, &certificates, &[])).map_err(|source| {
            TlsFilesError::Bad {
                path: place(config),
                source,
            }
        })?;
        Ok(Self {
            config: config.clone(),
            server: Arc::new(server),
            served: Mutex::new(Served {
                certificates,
                fetched: Vec::new(),
                print: pem.print,
            }),
        })
    }

    pub fn server(&self) -> &Arc<TlsServer> {
        &self.server
    }

    /// Serves what the files hold now, and says what is wrong with which: the certificates that were served from
    /// those before stay.
    pub fn reload(&self) -> Vec<TlsFilesError> {
        let pem = read(&self.config);
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = BTreeMap::new();
        let mut faults = Vec::new();
        for (files, found) in pem.found {
            match found.and_then(|pair| parse(&files, &pair)) {
                Ok(certificate) => {
                    fresh.insert(files, certificate);
                }
                Err(error) => {
                    faults.push(error);
                    // Where a whole directory cannot be listed, all that came from it stays.
                    let same = served
                        .certificates
                        .iter()
                        .filter(|(old, _)| old.certificate.starts_with(&files.certificate));
                    fresh.extend(same.map(|(old, certificate)| (old.clone(), certificate.clone())));
                }
            }
        }
        match self
            .server
            .reload(in_order(&self.config, &fresh, &served.fetched))
        {
            Ok(()) => served.certificates = fresh,
            Err(source) => faults.push(TlsFilesError::Bad {
                path: place(&self.config),
                source,
            }),
        }
        served.print = pem.print;
        faults
    }

    /// Serves these, which came from an authority, with those of the files.
    pub fn set_fetched(&self, fetched: Vec<Certificate>) -> Result<(), CertificateError> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        self.server
            .reload(in_order(&self.config, &served.certificates, &fetched))?;
        served.fetched = fetched;
        Ok(())
    }

    /// Whether any file is another one than when it was last read.
    pub fn have_changed(&self) -> bool {
        let now = print(&listed(&self.config).0);
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        now != served.print
    }

    /// Looks for changed files until the stop.
    pub async fn watch(self: Arc<Self>, world: World, stop: Stop) {
        loop {
            let next = world.clock.after(limits::CERTIFICATE_LOOK_PERIOD);
            tokio::select! {
                biased;
                () = stop.requested() => return,
                () = next => {}
            }
            let certificates = self.clone();
            let looked = world.tasks.blocking(move || {
                if certificates.have_changed() {
                    certificates.tell("the files have changed", &certificates.reload());
                }
            });
            // A panic is logged where it is caught; the next look comes all the same.
            let _ = looked.await;
        }
    }

    /// Tells the operator how a reload went.
    pub fn tell(&self, why: &str, faults: &[TlsFilesError]) {
        for error in faults {
            tracing::error!(%error, "{why}: the old certificate stays");
        }
        if faults.is_empty() {
            tracing::info!("{why}: the certificate is loaded again");
        }
    }
}

/// What a server of this config would show, for who has none at hand. Unreadable files are left out.
pub fn current(config: &Config) -> Option<TlsServer> {
    let sound = read(config).found.into_iter().filter_map(|(files, found)| {
        let certificate = found.and_then(|pair| parse(&files, &pair)).ok()?;
        Some((files, certificate))
    });
    TlsServer::new(in_order(config, &sound.collect(), &[])).ok()
}

/// The one for clients that ask for no name, or for one that we do not have, comes first: the pair of the config,
/// else the one for the host's own name; files before what was fetched, and one of our own making last.
fn in_order(
    config: &Config,
    certificates: &BTreeMap<Files, Certificate>,
    fetched: &[Certificate],
) -> Vec<Certificate> {
    let own = own_files(config);
    let rank = |files: &Files| match is_one_of_many(config, files) {
        _ if *files == own => 3,
        true => 1,
        false => 0,
    };
    let of_files = certificates
        .iter()
        .map(|(files, certificate)| (rank(files), certificate));
    let mut all: Vec<(u8, &Certificate)> =
        of_files.chain(fetched.iter().map(|one| (2, one))).collect();
    all.sort_by_key(|(rank, certificate)| {
        let is_own_name = certificate.names().contains(&config.hostname);
        // The pair of the config stands before all, whatever names it has.
        (*rank == 3, 0 < *rank && !is_own_name, *rank)
    });
    all.into_iter()
        .map(|(_, certificate)| certificate.clone())
        .collect()
}

fn read(config: &Config) -> Pem {
    let (files, faults) = listed(config);
    // Before the contents: what changes meanwhile is noticed the next time.
    let print = print(&files);
    let found = files
        .into_iter()
        .map(|files| {
            let pair = read_pair(&files);
            (files, pair)
        })
        .chain(faults)
        .collect();
    Pem { found, print }
}

/// The files that should be served now, and what cannot be listed.
fn listed(config: &Config) -> (Vec<Files>, Vec<Found>) {
    let mut files = Vec::new();
    if let Some((certificate, key)) = &config.tls.files {
        files.push(Files {
            certificate: certificate.clone(),
            key: key.clone(),
        });
    }
    let mut faults = Vec::new();
    if let Some(folder) = &config.tls.certificates {
        match in_folder(folder) {
            Ok(found) => files.extend(found),
            Err(error) => {
                let place = Files {
                    certificate: folder.clone(),
                    key: folder.clone(),
                };
                faults.push((place, Err(error)));
            }
        }
    }
    let own = own_files(config);
    if files.is_empty() && (faults.is_empty() || own.certificate.exists()) {
        files.push(own);
    }
    (files, faults)
}

/// NAME.crt or NAME.pem with NAME.key, in the order of their names.
fn in_folder(folder: &Path) -> Result<Vec<Files>, TlsFilesError> {
    let unreadable = |source| TlsFilesError::Unreadable {
        path: folder.display().to_string(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let certificate = entry.map_err(unreadable)?.path();
        let is_certificate = certificate
            .extension()
            .is_some_and(|ending| ending == "crt" || ending == "pem");
        if is_certificate {
            let key = certificate.with_extension("key");
            found.push(Files { certificate, key });
        }
    }
    found.sort();
    Ok(found)
}

fn is_one_of_many(config: &Config, files: &Files) -> bool {
    config
        .tls
        .certificates
        .as_ref()
        .is_some_and(|folder| files.certificate.starts_with(folder))
        && config
            .tls
            .files
            .as_ref()
            .is_none_or(|(certificate, _)| *certificate != files.certificate)
}

fn print(files: &[Files]) -> Print {
    let of = |path: &Path| {
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.modified().ok()?, meta.len()))
    };
    files
        .iter()
        .flat_map(|files| [&files.certificate, &files.key])
        .map(|path| (path.clone(), of(path)))
        .collect()
}

/// Whether the certificate is of our own making.
pub fn uses_own(config: &Config) -> bool {
    let folder = config.tls.certificates.as_ref();
    let has_pairs = |folder: &PathBuf| in_folder(folder).is_ok_and(|found| !found.is_empty());
    config.tls.files.is_none() && !folder.is_some_and(has_pairs)
}

fn own_files(config: &Config) -> Files {
    Files {
        certificate: config.data.join("self-signed.pem"),
        key: config.data.join("self-signed.key"),
    }
}

/// Where the operator looks when there is nothing to serve.
fn place(config: &Config) -> String {
    let folder = config.tls.certificates.as_ref();
    let path = folder
        .cloned()
        .unwrap_or_else(|| own_files(config).certificate);
    path.display().to_string()
}

fn read_pair(files: &Files) -> Result<Pair, TlsFilesError> {
    let chain = read_file(&files.certificate)?;
    if !files.key.exists() {
        return Err(TlsFilesError::NoKey {
            path: files.certificate.display().to_string(),
            key: files.key.display().to_string(),
        });
    }
    Ok((chain, read_file(&files.key)?))
}

fn parse(files: &Files, (chain, key): &Pair) -> Result<Certificate, TlsFilesError> {
    Certificate::from_pem(chain, key).map_err(|source| {
        let path = match source {
            CertificateError::BadKey(_) => &files.key,
            _ => &files.certificate,
        };
        TlsFilesError::Bad {
            path: path.display().to_string(),
            source,
        }
    })
}

fn make(world: &World, config: &Config, own: &Files) -> Result<(), TlsFilesError> {
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
        path: own.certificate.display().to_string(),
        source,
    })?;
    for (path, text) in [(&own.key, pair.key), (&own.certificate, pair.certificate)] {
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

#[cfg(test)]
mod tests;
