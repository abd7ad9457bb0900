//! What the server says it can do, by the state of the connection (RFC 9051 §6.1.1).
//! Only what works stands here.

use crate::TlsFacts;
use crate::sasl::Mechanism;

use super::command::Phase;

/// Whether a password may cross a connection without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearTextLogin {
    Refused,
    Allowed,
}

/// What this installation offers beside the fixed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// A certificate is there: STARTTLS can be done.
    pub starttls: bool,
    pub clear_text_login: ClearTextLogin,
    /// APPENDLIMIT (RFC 7889): the largest message APPEND takes.
    pub append_bytes_max: usize,
}

/// In every state. LITERAL+ comprises the LITERAL- of IMAP4rev2 (RFC 7888 §5 forbids naming both).
const ALWAYS: &str = "IMAP4rev2 IMAP4rev1 SASL-IR LITERAL+ ID ENABLE";

/// After login. RFC 9051 §7.2.2 lets extensions wait until then.
const LOGGED_IN: &str = "IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE \
     CREATE-SPECIAL-USE STATUS=SIZE ESEARCH SEARCHRES WITHIN CONDSTORE QRESYNC BINARY MULTIAPPEND UTF8=ACCEPT \
     OBJECTID PREVIEW SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES SAVEDATE QUOTA QUOTA=RES-STORAGE";

impl Offer {
    /// Whether LOGIN and AUTHENTICATE may be used now.
    pub fn login_allowed(&self, tls: Option<&TlsFacts>) -> bool {
        tls.is_some() || self.clear_text_login == ClearTextLogin::Allowed
    }

    /// Appends the capabilities, without the word CAPABILITY.
    pub fn write(&self, phase: Phase, tls: Option<&TlsFacts>, out: &mut Vec<u8>) {
        out.extend_from_slice(ALWAYS.as_bytes());
        if phase != Phase::NotAuthenticated {
            out.push(b' ');
            out.extend_from_slice(LOGGED_IN.as_bytes());
            out.extend_from_slice(format!(" APPENDLIMIT={}", self.append_bytes_max).as_bytes());
            return;
        }
        if self.starttls && tls.is_none() {
            out.extend_from_slice(b" STARTTLS");
        }
        if !self.login_allowed(tls) {
            out.extend_from_slice(b" LOGINDISABLED");
            return;
        }
        for mechanism in Mechanism::offered(tls) {
            out.extend_from_slice(b" AUTH=");
            out.extend_from_slice(mechanism.name().as_bytes());
        }
    }
}
