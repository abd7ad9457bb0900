//! Recipients with where they lead, and the parameters of envelopes between wire and store.

use mail::{Address, TraceId};
use store::Target;
use store::blobs::NOTE_BYTES_MAX;
use store::queue::{MessageDsn, Notify, RecipientDsn, Ret};
use wire::smtp;

/// A recipient that was accepted, with its way.
#[derive(Clone, Debug)]
pub(crate) struct Routed {
    pub(crate) address: Address,
    pub(crate) dsn: RecipientDsn,
    pub(crate) way: Way,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// An address of ours.
    Local(Local),
    /// Another server's.
    Remote,
    /// A return address of ours for mail that we forwarded: what comes to it goes on to its sender.
    Back(Address),
}

/// All that mail for an address of ours leads to. Never nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) targets: Vec<Target>,
    /// Where an alias leads outside.
    pub(crate) forwards: Vec<Address>,
    /// The address takes reports of others (DMARC, TLS).
    pub(crate) reports: bool,
}

impl Local {
    /// A way without anything at its end is none.
    pub(crate) fn way(self) -> Option<Way> {
        let leads = !self.targets.is_empty() || !self.forwards.is_empty() || self.reports;
        leads.then_some(Way::Local(self))
    }
}

impl Routed {
    pub(crate) fn targets(&self) -> &[Target] {
        match &self.way {
            Way::Local(local) => &local.targets,
            Way::Remote | Way::Back(_) => &[],
        }
    }

    /// Where an alias leads outside.
    pub(crate) fn forwards(&self) -> &[Address] {
        match &self.way {
            Way::Local(local) => &local.forwards,
            Way::Remote | Way::Back(_) => &[],
        }
    }

    pub(crate) fn takes_reports(&self) -> bool {
        matches!(&self.way, Way::Local(local) if local.reports)
    }

    /// Whether somebody here gets a copy.
    pub(crate) fn stays_here(&self) -> bool {
        !self.targets().is_empty() || self.takes_reports()
    }

    pub(crate) fn wants_success(&self) -> bool {
        self.dsn.notify.is_some_and(|notify| notify.success)
    }
}

/// The recipients at other servers: those named themselves, and where aliases lead. An alias is not
/// a mailing list: its sender hears of trouble (RFC 5321 §3.9.1, RFC 3461 §5.2.7).
pub(crate) fn outward(recipients: &[Routed]) -> Vec<Routed> {
    let mut out: Vec<Routed> = Vec::new();
    for recipient in recipients {
        match &recipient.way {
            Way::Remote => out.push(recipient.clone()),
            Way::Back(sender) => out.push(Routed {
                address: sender.clone(),
                way: Way::Remote,
                ..recipient.clone()
            }),
            Way::Local(_) => out.extend(expand(recipient)),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|recipient| seen.insert(recipient.address.clone()));
    out
}

/// Where an alias leads outside, as recipients.
pub(crate) fn expand(recipient: &Routed) -> Vec<Routed> {
    let forwards = recipient.forwards();
    // RFC 3461 §5.2.7.3: one success among several says nothing of the others.
    let alone = forwards.len() == 1 && !recipient.stays_here();
    let original = || format!("rfc822;{}", xtext_address(&recipient.address));
    let dsn = RecipientDsn {
        notify: recipient.dsn.notify.map(|notify| Notify {
            success: notify.success && alone,
            ..notify
        }),
        // RFC 3461 §5.2.1: whom the sender wrote to, so that a report makes sense to them.
        original_recipient: match &recipient.dsn.original_recipient {
            Some(original) => Some(original.clone()),
            None => Some(original()),
        },
    };
    let way = |address: &Address| Routed {
        address: address.clone(),
        dsn: dsn.clone(),
        way: Way::Remote,
    };
    forwards.iter().map(way).collect()
}

/// ORCPT is kept decoded; only ASCII may stand in its `rfc822` form.
fn xtext_address(address: &Address) -> String {
    address.ascii().unwrap_or_else(|| address.unicode())
}

/// What lies beside a body on disk: the trace id and whom it is for, so that lost tables can be
/// rebuilt. Cut where the store's bound is; the body matters more.
pub(crate) fn note<'r>(trace: TraceId, recipients: impl IntoIterator<Item = &'r Routed>) -> String {
    let mut note = format!("trace={trace};to=");
    for recipient in recipients {
        let address = recipient.address.to_string();
        if NOTE_BYTES_MAX < note.len() + address.len() + 1 {
            break;
        }
        note.push_str(&address);
        note.push(',');
    }
    note
}

pub(crate) fn message_dsn(params: &smtp::MailParams) -> MessageDsn {
    MessageDsn {
        envelope_id: params.envid.clone(),
        ret: params.ret.map(|ret| match ret {
            smtp::Ret::Full => Ret::Full,
            smtp::Ret::Headers => Ret::Headers,
        }),
    }
}

pub(crate) fn recipient_dsn(params: &smtp::RcptParams) -> RecipientDsn {
    RecipientDsn {
        notify: params.notify.map(|notify| match notify {
            smtp::Notify::Never => Notify::NEVER,
            smtp::Notify::On {
                success,
                failure,
                delay,
            } => Notify {
                success,
                failure,
                delay,
            },
        }),
        original_recipient: params
            .orcpt
            .as_ref()
            .map(|orcpt| format!("{};{}", orcpt.address_type, orcpt.address)),
    }
}

/// Back to the parameters that a next server understands.
pub(crate) fn wire_recipient(address: &Address, dsn: &RecipientDsn) -> smtp::client::Recipient {
    smtp::client::Recipient {
        to: address.clone(),
        notify: dsn.notify.map(
            |Notify {
                 success,
                 failure,
                 delay,
             }| {
                if success || failure || delay {
                    smtp::Notify::On {
                        success,
                        failure,
                        delay,
                    }
                } else {
                    smtp::Notify::Never
                }
            },
        ),
        orcpt: dsn.original_recipient.as_deref().and_then(|text| {
            let (address_type, address) = text.split_once(';')?;
            Some(smtp::OriginalRecipient {
                address_type: address_type.to_owned(),
                address: address.to_owned(),
            })
        }),
    }
}

pub(crate) fn wire_ret(ret: Option<Ret>) -> Option<smtp::Ret> {
    ret.map(|ret| match ret {
        Ret::Full => smtp::Ret::Full,
        Ret::Headers => smtp::Ret::Headers,
    })
}

#[cfg(test)]
mod tests;
