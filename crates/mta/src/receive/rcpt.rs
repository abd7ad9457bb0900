//! RCPT: what an address means here, and whether mail for it is taken.

use mail::Address;
use store::{Resolution, StoreError};
use wire::smtp::ForwardPath;

use crate::envelope::Way;
use crate::refusal::Refusal;
use crate::{Door, Inner};

/// What the store says of a recipient.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) address: Address,
    pub(crate) resolution: Resolution,
}

/// Looks the recipient up. `size` is what the sender announced, 0 if nothing.
pub(crate) async fn gather(inner: &Inner, to: &ForwardPath, size: u64) -> Result<Facts, Refusal> {
    let facts = match to.clone() {
        ForwardPath::Address(address) => {
            inner
                .store
                .read_small(move |view| -> Result<Facts, StoreError> {
                    let resolution = view.resolve(&address, size)?;
                    Ok(Facts {
                        address: address.clone(),
                        resolution,
                    })
                })
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
    Ok(facts)
}

/// `<Postmaster>` without a domain is whoever that is at this host, or at its first domain.
/// RFC 5321 §4.5.1.
fn postmaster(view: &store::View<'_>, host: &mail::Domain, size: u64) -> Result<Facts, StoreError> {
    let at = |domain: &mail::Domain| {
        Address::new("postmaster", domain.clone())
            .map_err(|error| StoreError::Failed(error.to_string()))
    };
    let address = at(host)?;
    let resolution = view.resolve(&address, size)?;
    if resolution != Resolution::NotLocal {
        return Ok(Facts {
            address,
            resolution,
        });
    }
    match view.domains()?.first() {
        Some(domain) => {
            let address = at(&domain.name)?;
            let resolution = view.resolve(&address, size)?;
            Ok(Facts {
                address,
                resolution,
            })
        }
        None => Ok(Facts {
            address,
            resolution: Resolution::NoSuchUser,
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
    let Facts {
        address,
        resolution,
    } = facts;
    // Reports go to one address. The others are not lost: the sender offers them again.
    if door == Door::Mx && null_sender && recipients_before > 0 {
        return Err(Refusal::NullSenderManyRecipients);
    }
    match resolution {
        Resolution::Deliver(targets) if targets.is_empty() => Err(Refusal::Bug),
        Resolution::Deliver(targets) => Ok((address, Way::Local(targets))),
        Resolution::NoSuchUser => Err(Refusal::NoSuchUser(address)),
        Resolution::Disabled => Err(Refusal::Disabled(address)),
        Resolution::OverQuota => Err(Refusal::OverQuota(address)),
        Resolution::NotLocal => match door {
            Door::Mx => Err(Refusal::RelayDenied(address)),
            Door::Submission | Door::SubmissionTls => Ok((address, Way::Remote)),
        },
    }
}

#[cfg(test)]
mod tests;
