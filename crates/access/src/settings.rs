//! What the reading side is told once at start, and the value that serves its connections.

use std::sync::Arc;

use store::Store;
use world::{TlsServer, World};

/// Whether a password may cross a connection that is not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearTextLogin {
    /// LOGIN and AUTHENTICATE are refused before TLS (RFC 9051 §11.1). The rule for real hosts.
    Refused,
    /// For trials and tests on loopback.
    Allowed,
}

/// Everything that IMAP and POP3 sessions need to know of the installation.
#[derive(Clone)]
pub struct AccessSettings {
    /// The name that greetings show.
    pub hostname: String,
    /// The certificate store for STARTTLS, STLS and the TLS doors. Without it only clear text is spoken.
    pub tls: Option<Arc<TlsServer>>,
    pub clear_text_login: ClearTextLogin,
    /// Largest message that APPEND takes (APPENDLIMIT, RFC 7889); the same number as SMTP's SIZE.
    pub message_bytes_max: usize,
}

/// Serves the connections of mail programs. Cheap to clone: one for all connections.
#[derive(Clone)]
pub struct Access {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) settings: Arc<AccessSettings>,
    pub(crate) maildrops: crate::pop3::Claims,
}

impl Access {
    pub fn new(world: World, store: Store, settings: AccessSettings) -> Self {
        Access {
            world,
            store,
            settings: Arc::new(settings),
            maildrops: crate::pop3::Claims::default(),
        }
    }
}
