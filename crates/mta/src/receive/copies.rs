//! Who gets which copy of a message from outside. Verdicts differ between accounts, and nobody may read in the header what
//! another's past with the sender is: a copy is shared only where it reads the same.

use store::{AccountId, DeliveryTarget, Place, SpecialUse};

use super::spam::{self, Because, Scores};
use crate::envelope::Routed;
use crate::filing::inbox;

/// All copies of one message.
pub(super) struct Copies<'r> {
    pub(super) all: Vec<Copy<'r>>,
    /// Each account once, and why it has it in the junk folder.
    pub(super) places: Vec<(AccountId, Option<Because>)>,
}

/// One body.
#[derive(Default)]
pub(super) struct Copy<'r> {
    /// The verdict's field, with its line end; empty if there is none.
    pub(super) field: Vec<u8>,
    pub(super) targets: Vec<DeliveryTarget>,
    pub(super) recipients: Vec<&'r Routed>,
    /// Those of them who take reports get this one.
    pub(super) is_for_reports: bool,
}

impl<'r> Copies<'r> {
    /// For recipients that have it here, each with whether it was ruled to be junk before the filter looked at it.
    pub(super) fn of(here: &[(&'r Routed, bool)], scores: Option<&Scores>, host: &str) -> Self {
        let mut copies = Self {
            all: Vec::new(),
            places: Vec::new(),
        };
        for (recipient, ruled) in here {
            for target in recipient.targets() {
                let verdict = scores.is_some_and(|scores| scores.is_junk(target.account));
                let because = spam::junk(*ruled, verdict, &recipient.address);
                copies.place(target.account, because);
            }
        }
        for (recipient, _) in here {
            for target in recipient.targets() {
                let verdict = scores.and_then(|scores| scores.of(target.account));
                let field = verdict.map(|verdict| verdict.header_field(host));
                copies.add(recipient, Some(target.account), field);
            }
            if recipient.takes_reports() {
                let field = scores.map(|scores| scores.server.header_field(host));
                copies.add(recipient, None, field);
            }
        }
        copies
    }

    /// Whoever has it in the inbox by one address does not need it in the junk folder.
    fn place(&mut self, account: AccountId, because: Option<Because>) {
        let mut known = self.places.iter_mut();
        match known.find(|(known, _)| *known == account) {
            Some((_, known)) => *known = known.and(because),
            None => self.places.push((account, because)),
        }
    }

    fn add(&mut self, recipient: &'r Routed, account: Option<AccountId>, field: Option<Vec<u8>>) {
        let field = field.unwrap_or_default();
        let target = account.map(|account| {
            let mut places = self.places.iter();
            let junk = places.any(|(known, because)| *known == account && because.is_some());
            DeliveryTarget {
                place: match junk {
                    true => Place::Use(SpecialUse::Junk),
                    false => Place::Inbox,
                },
                ..inbox(account)
            }
        });
        let at = match self.all.iter().position(|copy| copy.field == field) {
            Some(at) => at,
            None => {
                self.all.push(Copy {
                    field,
                    ..Copy::default()
                });
                self.all.len() - 1
            }
        };
        let Some(copy) = self.all.get_mut(at) else {
            return;
        };
        if !copy
            .recipients
            .iter()
            .any(|known| known.address == recipient.address)
        {
            copy.recipients.push(recipient);
        }
        copy.is_for_reports |= account.is_none();
        if let Some(target) = target
            && !copy
                .targets
                .iter()
                .any(|known| known.account == target.account)
        {
            copy.targets.push(target);
        }
    }
}

#[cfg(test)]
mod tests;
