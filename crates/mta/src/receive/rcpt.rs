//! RCPT: what an address means here, and whether mail for it is taken.

use mail::Address;
use store::{Resolution, StoreError};
use wire::smtp::ForwardPath;

use crate::envelope::{Local, Way};
use crate::forward::{self, Origin, SrsProblem};
use crate::refusal::Refusal;
use crate::{Door, Inner};

/// What the store says of a recipient.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) address: Address,
    pub(crate) resolution: Resolution,
    /// Takes reports of others, whoever else has the address.
    pub(crate) reports: bool,
    /// Whom a return address of ours stands for.
    pub(crate) back: Option<Result<Address, SrsProblem>>,
}

/// Looks the recipient up. `size` is what the sender announced, 0 if nothing.
pub(crate) async fn gather(inner: &Inner, to: &ForwardPath, size: u64) -> Result<Facts, Refusal> {
    let facts = match to.clone() {
        ForwardPath::Address(address) => {
            inner
                .store
                .read_small(move |view| look_up(view, &address, size))
                .await?
        }
        ForwardPath::Postmaster => {
            let host = inner.settings.hostname.clone();
            inner
                .store
                .read_small(move |view| postmaster(view, &host, size))
                .await?
        }
    };
    if forward::is_srs(facts.address.local()) && facts.resolution != Resolution::NotLocal {
        return came_back(inner, facts, size).await;
    }
    Ok(facts)
}

fn look_up(view: &store::View<'_>, address: &Address, size: u64) -> Result<Facts, StoreError> {
    Ok(Facts {
        address: address.clone(),
        resolution: view.resolve(address, size)?,
        reports: view.is_report_address(address)?,
        back: None,
    })
}

/// A local part like those of our return addresses: no catch-all has it, only its sender.
async fn came_back(inner: &Inner, facts: Facts, size: u64) -> Result<Facts, Refusal> {
    let secrets = inner.srs.all(inner).await?;
    let found = forward::origin(facts.address.local(), &secrets, inner.now());
    let sender = match found {
        Ok(Origin::Sender(sender)) => Ok(sender),
        Ok(Origin::Token(token)) => inner
            .store
            .read_small(move |view| view.srs_sender(&token))
            .await?
            .ok_or(SrsProblem::Forgotten),
        Err(problem) => Err(problem),
    };
    // One of ours by now has it like any other mail.
    let resolution = match sender.clone() {
        Ok(sender) => {
            let looked_up = inner
                .store
                .read_small(move |view| view.resolve(&sender, size));
            looked_up.await?
        }
        Err(_) => Resolution::NoSuchUser,
    };
    Ok(Facts {
        resolution,
        back: Some(sender),
        ..facts
    })
}

/// `<Postmaster>` without a domain is whoever that is at this host, or at its first domain.
/// RFC 5321 §4.5.1.
fn postmaster(view: &store::View<'_>, host: &mail::Domain, size: u64) -> Result<Facts, StoreError> {
    let at = |domain: &mail::Domain| {
        Address::new("postmaster", domain.clone())
            .map_err(|error| StoreError::Failed(error.to_string()))
    };
    let here = look_up(view, &at(host)?, size)?;
    if here.resolution != Resolution::NotLocal {
        return Ok(here);
    }
    match view.domains()?.first() {
        Some(domain) => look_up(view, &at(&domain.name)?, size),
        None => Ok(Facts {
            resolution: Resolution::NoSuchUser,
            ..here
        }),
    }
}

/// The relay decision: mail for others only through the doors of our users.
pub(crate) fn decide(
    door: Door,
    null_sender: bool,
    recipients_before: usize,
    facts: Facts,
) -> Result<(Address, Way), Refusal> {
    // Reports go to one address. The others are not lost: the sender offers them again.
    if door == Door::Mx && null_sender && recipients_before > 0 {
        return Err(Refusal::NullSenderManyRecipients);
    }
    if let Some(back) = &facts.back {
        let problem = match back {
            Ok(_) if null_sender => None,
            Ok(_) => Some(SrsProblem::NotAReport),
            Err(problem) => Some(*problem),
        };
        if let Some(problem) = problem {
            return Err(Refusal::ReturnAddress {
                address: facts.address,
                problem,
            });
        }
    }
    if door == Door::Mx && facts.back.is_none() && facts.resolution == Resolution::NotLocal {
        return Err(Refusal::RelayDenied(facts.address));
    }
    facts.for_us()
}

impl Facts {
    /// The way, for a sender who may send anywhere.
    pub(crate) fn for_us(self) -> Result<(Address, Way), Refusal> {
        let Self {
            address,
            resolution,
            reports,
            back,
        } = self;
        let mut local = Local {
            reports,
            ..Local::default()
        };
        let refusal = match resolution {
            Resolution::NotLocal => {
                let way = match back {
                    Some(Ok(sender)) => Way::Back(sender),
                    _ => Way::Remote,
                };
                return Ok((address, way));
            }
            Resolution::Deliver(targets) => {
                local.targets = targets;
                Refusal::Bug
            }
            Resolution::Forward { targets, forwards } => {
                (local.targets, local.forwards) = (targets, forwards);
                Refusal::Bug
            }
            Resolution::NoSuchUser => Refusal::NoSuchUser(address.clone()),
            Resolution::Disabled => Refusal::Disabled(address.clone()),
            Resolution::OverQuota => Refusal::OverQuota(address.clone()),
        };
        // An address for reports takes them whatever became of the account of that name.
        local.way().map(|way| (address, way)).ok_or(refusal)
    }
}

#[cfg(test)]
mod tests;
