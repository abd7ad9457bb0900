//! Whether the sending host's address has a name that leads back to it (RFC 8601 §3, "iprev"; also
//! called forward-confirmed reverse DNS). Judges nothing: it finds a name or says why there is none.

mod limits;

use std::net::IpAddr;

use world::{AnswerStatus, Dns, Kind, Record, reverse_name};

use crate::explain::Notes;

/// RFC 8601 §2.7.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IprevResult {
    Pass,
    Fail,
    TempError,
    PermError,
}

/// Why there is no confirmed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IprevReason {
    /// The address has no reverse name at all.
    NoName,
    /// It has names, but none of them leads back to the address.
    NotConfirmed,
    /// The DNS did not answer.
    Dns,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iprev {
    pub result: IprevResult,
    pub reason: Option<IprevReason>,
    pub ip: IpAddr,
    /// The confirmed name if the result is a pass, else the first name that was not confirmed.
    pub name: Option<String>,
}

impl Iprev {
    /// The name that leads to the address and back.
    pub fn confirmed_name(&self) -> Option<&str> {
        match self.result {
            IprevResult::Pass => self.name.as_deref(),
            _ => None,
        }
    }
}
