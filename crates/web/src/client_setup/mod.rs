//! What a mail program needs to know to read and send with an account here, in the form each kind asks for.
//! Pure: nothing here knows whether the account exists, so nobody can find that out by asking.

mod apple;
mod autoconfig;
mod autodiscover;
mod xml;

#[cfg(test)]
mod tests;

pub use apple::{Profile, profile};
pub use autoconfig::autoconfig;
pub use autodiscover::{
    Asked, Discovery, autodiscover, parse as parse_autodiscover, redirect_json,
};

use mail::{Address, Domain};

/// Where Apple profiles lie on this host; the address stands in the query as `emailaddress`.
pub const PROFILE_PATH: &str = "/mail.mobileconfig";

/// Where the services of this host are found. A service that is off is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientServices {
    /// The name in the certificate.
    pub host: Domain,
    pub imaps: Option<u16>,
    pub imap: Option<u16>,
    pub pop3s: Option<u16>,
    pub submissions: Option<u16>,
    pub submission: Option<u16>,
}

/// What a service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Imap,
    Pop3,
    Send,
}

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte. RFC 8314 prefers it.
    Tls,
    StartTls,
}

/// One way to read or send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub purpose: Purpose,
    pub port: u16,
    pub security: Security,
}

impl ClientServices {
    /// All ways, the best of each purpose first.
    pub fn ways(&self) -> Vec<Way> {
        let way = |purpose, port: Option<u16>, security| {
            port.map(|port| Way {
                purpose,
                port,
                security,
            })
        };
        [
            way(Purpose::Imap, self.imaps, Security::Tls),
            way(Purpose::Imap, self.imap, Security::StartTls),
            way(Purpose::Pop3, self.pop3s, Security::Tls),
            way(Purpose::Send, self.submissions, Security::Tls),
            way(Purpose::Send, self.submission, Security::StartTls),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub fn best(&self, purpose: Purpose) -> Option<Way> {
        self.ways().into_iter().find(|way| way.purpose == purpose)
    }
}

/// The address that a program asks for, if it is one of ours: `%EMAILADDRESS%` stands for what is not known yet.
pub(crate) fn login(address: Option<&Address>) -> String {
    address.map_or_else(|| "%EMAILADDRESS%".to_owned(), ToString::to_string)
}
