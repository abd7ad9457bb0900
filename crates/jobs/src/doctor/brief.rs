//! What the program tells the doctor of itself: what is configured, and what the machine says.

use std::net::IpAddr;
use std::sync::Arc;

use doctor::DomainFacts;
use doctor::checks::{FilterFacts, SettingFacts};

/// Asked before each examination. Waits for the store, so not for the event loop's threads.
pub type Briefing = Arc<dyn Fn() -> Result<Brief, String> + Send + Sync>;

#[derive(Clone, Debug)]
pub struct Brief {
    /// The server's name.
    pub host: String,
    pub domains: Vec<DomainFacts>,
    /// The addresses that the world sees.
    pub addresses: Vec<IpAddr>,
    /// Those of them that this machine has itself: others are behind a router, whom a look from inside may not find.
    pub own: Vec<IpAddr>,
    pub doors: Vec<Door>,
    /// A server runs here: its ports are tried.
    pub serves: bool,
    /// Where the mail servers of others listen: 25.
    pub mx_port: u16,
    pub settings: SettingFacts,
    /// `None` where the machine is not to be looked at.
    pub machine: Option<Machine>,
}

/// A port that is meant to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    pub service: Service,
    /// Where it really listens, which may be elsewhere than usual.
    pub port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Smtp,
    Submissions,
    Submission,
    Imaps,
    Imap,
    Pop3s,
    Pop3,
    Http,
    Https,
}

/// What the machine says of itself.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Each volume and its free share.
    pub disks: Option<Vec<(String, f64)>>,
    pub memory_free: Option<f64>,
    pub reboot_needed: Option<bool>,
    /// Files with secrets that others may read.
    pub readable_secrets: Option<Vec<String>>,
    pub host_is_loopback: Option<bool>,
    /// Programs of others that look at messages, asked whether they are there.
    pub filters: Option<Vec<FilterFacts>>,
    /// Why the firewall takes no bans, if it is to and does not.
    pub firewall: Option<Option<String>>,
}

impl Service {
    pub fn standard_port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Submissions => 465,
            Self::Submission => 587,
            Self::Imaps => 993,
            Self::Imap => 143,
            Self::Pop3s => 995,
            Self::Pop3 => 110,
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// TLS from the first byte.
    pub fn is_tls(self) -> bool {
        matches!(
            self,
            Self::Submissions | Self::Imaps | Self::Pop3s | Self::Https
        )
    }
}

impl Brief {
    /// Whether the world can reach this server at all.
    pub fn is_public(&self) -> bool {
        let is_public = |address: &IpAddr| match address {
            IpAddr::V4(address) => !(address.is_private() || address.is_loopback()),
            IpAddr::V6(address) => !(address.is_loopback() || address.is_unique_local()),
        };
        self.addresses.iter().any(is_public)
    }

    pub fn door(&self, service: Service) -> Option<Door> {
        self.doors
            .iter()
            .find(|door| door.service == service)
            .copied()
    }
}
