//! What the reading side is told once at start, and the value that serves its connections.

use std::sync::Arc;

use store::{AccountId, Store};
use world::{Budget, TlsServer, World};

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
    /// Messages on their way in by APPEND, all together; one account's have an eighth at most.
    pub appends_in_flight_bytes_max: usize,
}

/// Serves the connections of mail programs. Cheap to clone: one for all connections.
#[derive(Clone)]
pub struct Access {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) settings: Arc<AccessSettings>,
    pub(crate) maildrops: crate::pop3::Claims,
    /// For literals on their way in.
    pub(crate) room: Budget<AccountId>,
}

impl Access {
    pub fn new(world: World, store: Store, settings: AccessSettings) -> Self {
        Access {
            world,
            store,
            room: Budget::new(settings.appends_in_flight_bytes_max),
            settings: Arc::new(settings),
            maildrops: crate::pop3::Claims::default(),
        }
    }
}
