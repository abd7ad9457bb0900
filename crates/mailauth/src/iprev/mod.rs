//! Whether the sending host's address has a name that leads back to it (RFC 8601 §3, "iprev"; also
//! called forward-confirmed reverse DNS). Judges nothing: it finds a name or says why there is none.

mod limits;

use std::net::IpAddr;

use futures_util::future::join_all;
use mail::Domain;
use world::{Answer, Dns, Kind, Record, reverse_name};

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

impl IprevResult {
    /// As Authentication-Results names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Looks for the address's name and asks whether the name has the address. RFC 8601 §3.
pub async fn check(dns: &dyn Dns, ip: IpAddr, notes: &mut Notes) -> Iprev {
    // An IPv4 client on an IPv6 socket is asked for as what it is.
    let ip = ip.to_canonical();
    let reverse = reverse_name(ip);
    let answer = dns.ask(&reverse, Kind::Ptr).await;
    notes.asked(
        "What is the name of this address?",
        &reverse,
        Kind::Ptr,
        &answer,
    );
    let answer = match answer {
        Ok(answer) => answer,
        Err(_) => return outcome(ip, IprevResult::TempError, Some(IprevReason::Dns), None),
    };
    let names = names(&answer);
    let Some(first) = names.first() else {
        notes.say(|| "The address has no name.".to_owned());
        return outcome(ip, IprevResult::Fail, Some(IprevReason::NoName), None);
    };
    let kind = match ip {
        IpAddr::V4(_) => Kind::A,
        IpAddr::V6(_) => Kind::Aaaa,
    };
    let answers = join_all(names.iter().map(|name| dns.ask(name, kind))).await;
    let mut trouble = false;
    for (name, answer) in names.iter().zip(&answers) {
        notes.asked(
            "Does the name lead back to the address?",
            name,
            kind,
            answer,
        );
        match answer {
            Ok(answer) if answer.addresses().any(|found| found == ip) => {
                notes.say(|| format!("{name} leads back to {ip}."));
                return outcome(ip, IprevResult::Pass, None, Some(name.clone()));
            }
            Ok(_) => {}
            Err(_) => trouble = true,
        }
    }
    if trouble {
        return outcome(
            ip,
            IprevResult::TempError,
            Some(IprevReason::Dns),
            Some(first.clone()),
        );
    }
    notes.say(|| format!("No name of {ip} leads back to it: anybody can claim a name."));
    outcome(
        ip,
        IprevResult::Fail,
        Some(IprevReason::NotConfirmed),
        Some(first.clone()),
    )
}

fn outcome(
    ip: IpAddr,
    result: IprevResult,
    reason: Option<IprevReason>,
    name: Option<String>,
) -> Iprev {
    Iprev {
        result,
        reason,
        ip,
        name,
    }
}

/// The names that can be asked for; whoever runs the reverse zone may write there what he likes.
fn names(answer: &Answer) -> Vec<String> {
    let names = answer.records.iter().filter_map(|record| match record {
        Record::Ptr(name) => Domain::parse(name.trim_end_matches('.')).ok(),
        _ => None,
    });
    names
        .map(|name| name.as_str().to_owned())
        .take(limits::NAMES_MAX)
        .collect()
}
