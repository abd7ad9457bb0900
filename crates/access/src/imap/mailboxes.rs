//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 ff., RFC 6154 §5.2).

use store::{Durability, MailboxError};
use wire::imap::{MailboxName, SpecialUse};

use super::refusal::{Done, Outcome, Refusal};
use super::select::mailbox_id;
use super::session::Session;

impl Session {
    /// A separator at the end says that mailboxes below are to come; it is not part of the name.
    pub(super) async fn create(
        &mut self,
        mailbox: MailboxName,
        special_use: Vec<SpecialUse>,
    ) -> Outcome {
        let (account, now) = (self.account()?, self.now());
        let text = mailbox.as_str();
        let name = parsed(
            text.strip_suffix(store::MailboxName::SEPARATOR)
                .unwrap_or(text),
        )?;
        let special = match special_use.as_slice() {
            [] => None,
            [one] => Some(stored_use(*one)?),
            _ => return Err(Refusal::no("[USEATTR] A mailbox has one special use.")),
        };
        let id = self
            .access
            .store
            .write(Durability::Durable, move |change| {
                let made = change.create_mailbox(account, &name, special, now)?;
                Ok::<_, MailboxError>(made)
            })
            .await?;
        Ok(Done::Text(format!(
            "[MAILBOXID ({})] CREATE completed.",
            mailbox_id(account, id)
        )))
    }

    pub(super) async fn delete(&mut self, mailbox: MailboxName) -> Outcome {
        let account = self.account()?;
        let name = name_of(&mailbox)?;
        self.access
            .store
            .write(Durability::Durable, move |change| {
                change.delete_mailbox(account, &name)
            })
            .await?;
        Ok(Done::Plain)
    }

    pub(super) async fn rename(&mut self, from: MailboxName, to: MailboxName) -> Outcome {
        let (account, now) = (self.account()?, self.now());
        let from = name_of(&from)?;
        let to = to.as_str();
        let to = parsed(to.strip_suffix(store::MailboxName::SEPARATOR).unwrap_or(to))?;
        self.access
            .store
            .write(Durability::Durable, move |change| {
                change.rename_mailbox(account, &from, &to, now)
            })
            .await?;
        Ok(Done::Plain)
    }

    pub(super) async fn subscribe(&mut self, mailbox: MailboxName) -> Outcome {
        let account = self.account()?;
        let name = name_of(&mailbox)?;
        self.access
            .store
            .write(Durability::Durable, move |change| {
                change.subscribe(account, &name)
            })
            .await?;
        Ok(Done::Plain)
    }

    pub(super) async fn unsubscribe(&mut self, mailbox: MailboxName) -> Outcome {
        let account = self.account()?;
        let name = name_of(&mailbox)?;
        self.access
            .store
            .write(Durability::Durable, move |change| {
                change.unsubscribe(account, &name)
            })
            .await?;
        Ok(Done::Plain)
    }
}

/// The name of a mailbox that should exist. What cannot be a name is no mailbox.
pub(super) fn name_of(mailbox: &MailboxName) -> Result<store::MailboxName, Refusal> {
    store::MailboxName::parse(mailbox.as_str()).map_err(|_| Refusal::NO_MAILBOX)
}

/// The name of a mailbox to be made: what is wrong with it is said.
fn parsed(text: &str) -> Result<store::MailboxName, Refusal> {
    Ok(store::MailboxName::parse(text)?)
}

/// Uses that are views and not places are not ours to give.
fn stored_use(special_use: SpecialUse) -> Result<store::SpecialUse, Refusal> {
    Ok(match special_use {
        SpecialUse::Archive => store::SpecialUse::Archive,
        SpecialUse::Drafts => store::SpecialUse::Drafts,
        SpecialUse::Junk => store::SpecialUse::Junk,
        SpecialUse::Sent => store::SpecialUse::Sent,
        SpecialUse::Trash => store::SpecialUse::Trash,
        SpecialUse::All | SpecialUse::Flagged => {
            return Err(Refusal::no("[USEATTR] That use cannot be given."));
        }
    })
}
