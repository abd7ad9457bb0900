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
    /// Never empty.
    Local(Vec<Target>),
    Remote,
}

impl Routed {
    pub(crate) fn targets(&self) -> &[Target] {
        match &self.way {
            Way::Local(targets) => targets,
            Way::Remote => &[],
        }
    }

    pub(crate) fn is_remote(&self) -> bool {
        self.way == Way::Remote
    }

    pub(crate) fn wants_success(&self) -> bool {
        self.dsn.notify.is_some_and(|notify| notify.success)
    }
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
