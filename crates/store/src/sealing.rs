//! Secrets in the tables are encrypted with a key that lies in a file beside them, so that a leaked
//! copy of the database alone opens nothing.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::schema::Setup;
use crate::{OpenError, StoreError};

/// The name of the key file in the data directory.
const KEY_FILE: &str = "secret.key";

/// What is sealed into `meta`, to find out that a key file belongs to another database.
const CHECK: (&str, &[u8]) = ("key_check", b"postroad");

pub(crate) struct Sealing {
    key: LessSafeKey,
    secret: [u8; 32],
}

impl Sealing {
    /// Opens the key file, or makes it if nothing was sealed yet.
    pub(crate) fn open(
        data_dir: &Path,
        db: &mut dyn Setup,
        place: &str,
    ) -> Result<Self, OpenError> {
        let path = data_dir.join(KEY_FILE);
        let problem = |problem| OpenError::KeyFile {
            path: path.clone(),
            problem,
        };
        let database = |problem| OpenError::Database {
            place: place.to_owned(),
            problem,
        };
        let check = db.meta(CHECK.0).map_err(database)?;
        let secret = match read(&path)? {
            Some(secret) => secret.ok_or(problem(
                "does not hold 32 bytes; bring it back from a backup",
            ))?,
            None if check.is_some() => {
                return Err(problem(
                    "is missing; without it passwords and keys cannot be read. Bring it back from a backup",
                ));
            }
            None => make(&path)?,
        };
        let key = UnboundKey::new(&AES_256_GCM, &secret).map_err(|_| problem("cannot be used"))?;
        let sealing = Self {
            key: LessSafeKey::new(key),
            secret,
        };
        match check {
            Some(text) => {
                let opened = STANDARD
                    .decode(text)
                    .ok()
                    .and_then(|sealed| sealing.unseal(CHECK.0, &sealed).ok());
                if opened.as_deref() != Some(CHECK.1) {
                    return Err(problem("belongs to another database"));
                }
            }
            None => {
                let sealed = sealing
                    .seal(CHECK.0, CHECK.1)
                    .map_err(|e| database(e.to_string()))?;
                db.set_meta(CHECK.0, &STANDARD.encode(sealed))
                    .map_err(database)?;
            }
        }
        Ok(sealing)
    }

    /// Encrypts. The purpose names the row, so that a sealed value moved to another row does not open.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut out = nonce.to_vec();
        let mut sealed = plain.to_vec();
        let done = self.key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(purpose.as_bytes()),
            &mut sealed,
        );
        done.map_err(|_| StoreError::Failed("encrypting failed".to_owned()))?;
        out.append(&mut sealed);
        Ok(out)
    }

    pub(crate) fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let damaged = || StoreError::Damaged(format!("the sealed {purpose} cannot be opened"));
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut plain = rest.to_vec();
        let length = self
            .key
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut plain)
            .map_err(|_| damaged())?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// A further key for one use, such as made-up salts.
    pub(crate) fn derive(&self, context: &'static str) -> [u8; 32] {
        blake3::derive_key(context, &self.secret)
    }
}

/// Random bytes from the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| StoreError::Failed("the system gives no random bytes".to_owned()))?;
    Ok(bytes)
}

/// `Some(None)` for a file that cannot be a key.
fn read(path: &Path) -> Result<Option<Option<[u8; 32]>>, OpenError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed("reading the key file", path, e)),
    };
    let mode = fs::metadata(path)
        .map_err(|e| failed("looking at the key file", path, e))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        tracing::warn!(
            "the key file {} could be read by others; only its owner may now",
            path.display()
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .map_err(|e| failed("protecting the key file", path, e))?;
    }
    Ok(Some(bytes.try_into().ok()))
}

fn make(path: &Path) -> Result<[u8; 32], OpenError> {
    let secret = random::<32>().map_err(|_| OpenError::KeyFile {
        path: path.to_owned(),
        problem: "cannot be made: no random bytes",
    })?;
    let fresh = path.with_extension("new");
    let write = || -> io::Result<()> {
        drop(fs::remove_file(&fresh));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&secret)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        path.parent()
            .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    write().map_err(|e| failed("making the key file", path, e))?;
    Ok(secret)
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing")
    }
}
