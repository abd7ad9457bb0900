//! Which filters there are and what is done when one does not answer.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Filters of others, in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub struct FilterSettings {
    /// Asked first, for viruses.
    pub clamd: Option<Filter>,
    /// Each sees what the former ones changed.
    pub milters: Vec<Filter>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// In the log, in findings, in the quarantine.
    pub name: String,
    pub at: FilterAddress,
    pub doors: FilterDoors,
    pub when_unavailable: WhenUnavailable,
    pub when_too_large: WhenTooLarge,
    /// For its last answer to one message, without a sign of life.
    pub patience: Duration,
}

/// Where a filter listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterAddress {
    /// A socket in the file system.
    Local(PathBuf),
    Internet(SocketAddr),
}

/// Whose mail it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterDoors {
    Inbound,
    Submission,
    Both,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnavailable {
    /// 451: the sender tries again. What was let through unseen cannot be taken back, what waits is not lost; and the operator
    /// hears of it at once.
    #[default]
    Defer,
    /// As if there were no such filter.
    Pass,
}

/// What becomes of a message that is larger than a filter takes. Waiting does not make it smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenTooLarge {
    /// As if there were no such filter: the rules for attachments have seen it, and what a scanner is set not to look at is told of.
    #[default]
    Pass,
    /// 552, at once: the sender is told why.
    Refuse,
    /// 451, for who will raise the filter's bound in time.
    Defer,
}

impl FilterSettings {
    pub fn is_empty(&self) -> bool {
        self.clamd.is_none() && self.milters.is_empty()
    }
}

impl FilterAddress {
    /// `unix:/run/x.sock`, `/run/x.sock`, `127.0.0.1:11332`, `inet:11332@127.0.0.1`.
    pub fn parse(text: &str) -> Option<Self> {
        let path = match text.split_once(':') {
            Some(("unix" | "local", path)) => Some(path),
            _ if text.starts_with('/') => Some(text),
            _ => None,
        };
        if let Some(path) = path {
            return path.starts_with('/').then(|| Self::Local(path.into()));
        }
        let rest = ["inet:", "inet6:", "tcp:"];
        let rest = rest.iter().find_map(|scheme| text.strip_prefix(scheme));
        let rest = rest.unwrap_or(text);
        if let Some((port, host)) = rest.split_once('@') {
            let host = if host == "localhost" {
                "127.0.0.1"
            } else {
                host
            };
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let address = SocketAddr::new(host.parse().ok()?, port.parse().ok()?);
            return Some(Self::Internet(address));
        }
        let rest = rest.replace("localhost:", "127.0.0.1:");
        rest.parse().ok().map(Self::Internet)
    }
}

impl fmt::Display for FilterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "unix:{}", path.display()),
            Self::Internet(address) => address.fmt(f),
        }
    }
}

impl FilterDoors {
    pub(super) fn has(self, door: super::Way) -> bool {
        match self {
            Self::Both => true,
            Self::Inbound => door == super::Way::Inbound,
            Self::Submission => door == super::Way::Submission,
        }
    }
}

#[cfg(test)]
mod tests;
