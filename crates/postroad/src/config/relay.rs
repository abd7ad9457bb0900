//! A relay (smarthost) as one address: `smtps://user@relay.example:465`, `smtp://[192.0.2.1]:25`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::reader::Reader;

/// Somebody else's server that takes our mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    pub security: RelaySecurity,
    /// A host name or an IP address.
    pub host: String,
    pub port: u16,
    pub login: Option<RelayLogin>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct RelayLogin {
    pub user: String,
    pub password: String,
    /// Where the password came from, to be shown instead of it.
    pub password_file: PathBuf,
}

/// How the way to a relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelaySecurity {
    /// `smtps://`: TLS from the first byte, certificate verified.
    Implicit,
    /// `smtp://` with a user: STARTTLS, certificate verified, or nothing is sent.
    StartTls,
    /// `smtp://` without a user: STARTTLS when offered.
    Opportunistic,
}

pub(super) fn read(
    table: &mut Reader<'_>,
    key: &'static str,
    password_file: Option<&Path>,
) -> Option<Relay> {
    let url = table.string(key)?;
    let Some((mut relay, user)) = parse(&url) else {
        table.bad(
            key,
            "use \"smtps://user@relay.example:465\" or \"smtp://relay.example:587\"",
        );
        return None;
    };
    let Some(user) = user else { return Some(relay) };
    let Some(file) = password_file else {
        table.bad(
            key,
            "a user needs a password: write it into a file of its own and name that file",
        );
        return None;
    };
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let password = text.lines().next().unwrap_or_default().to_owned();
            relay.login = Some(RelayLogin {
                user,
                password,
                password_file: file.to_path_buf(),
            });
            Some(relay)
        }
        Err(error) => {
            table.bad(
                key,
                &format!(
                    "the password file {} cannot be read: {error}",
                    file.display()
                ),
            );
            None
        }
    }
}

/// The relay without its login, and the user's name.
pub fn parse(url: &str) -> Option<(Relay, Option<String>)> {
    let (scheme, rest) = url.split_once("://")?;
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(decode(user)?), rest),
        None => (None, rest),
    };
    // A password in the address would end in logs and lists of processes.
    if user
        .as_ref()
        .is_some_and(|user| user.is_empty() || user.contains(':'))
    {
        return None;
    }
    let (security, standard_port) = match (scheme, &user) {
        ("smtps" | "submissions", _) => (RelaySecurity::Implicit, 465),
        ("smtp" | "submission", Some(_)) => (RelaySecurity::StartTls, 587),
        ("smtp", None) => (RelaySecurity::Opportunistic, 25),
        _ => return None,
    };
    let (host, port) = host_and_port(rest.trim_end_matches('/'))?;
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => standard_port,
    };
    Some((
        Relay {
            security,
            host,
            port,
            login: None,
        },
        user,
    ))
}

fn host_and_port(text: &str) -> Option<(String, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        address.parse::<std::net::IpAddr>().ok()?;
        let port = if rest.is_empty() {
            None
        } else {
            Some(rest.strip_prefix(':')?)
        };
        return Some((address.to_owned(), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some((host.to_owned(), port));
    }
    Some((mail::Domain::parse(host).ok()?.to_string(), port))
}

/// `%40` and the like, so that a user's name may hold an at sign.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (hex, tail) = tail.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            RelaySecurity::Implicit => "smtps",
            RelaySecurity::StartTls | RelaySecurity::Opportunistic => "smtp",
        };
        write!(f, "{scheme}://")?;
        if let Some(login) = &self.login {
            write!(f, "{}@", login.user.replace('%', "%25").replace('@', "%40"))?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for RelayLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayLogin")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
