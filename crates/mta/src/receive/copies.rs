//! Who gets which copy of a message from outside. Verdicts differ between accounts, and nobody may read in the header what
//! another's past with the sender is: a copy is shared only where it reads the same.

use std::collections::BTreeSet;

use ::spam::{Place as Judged, Verdict};
use store::{AccountId, DeliveryTarget, Place, SpecialUse};

use super::spam::{self, Because, Scores};
use crate::envelope::Routed;
use crate::filing::inbox;
use crate::limits;

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
    pub(super) fn of(
        here: &[(&'r Routed, bool)],
        scores: Option<&Scores>,
        host: &str,
        size: usize,
    ) -> Self {
        let is_personal = scores.is_none_or(|scores| are_few(here, scores, host, size));
        let mut copies = Self {
            all: Vec::new(),
            places: places(here, scores),
        };
        for (recipient, _) in here {
            for target in recipient.targets() {
                let verdict = scores.and_then(|scores| scores.of(target.account));
                let field = verdict
                    .zip(scores)
                    .map(|(verdict, scores)| match is_personal {
                        true => verdict.header_field(host),
                        false => impersonal(verdict, &scores.server).header_field(host),
                    });
                copies.add(recipient, Some(target.account), field);
            }
            if recipient.takes_reports() {
                let field = scores.map(|scores| scores.server.header_field(host));
                copies.add(recipient, None, field);
            }
        }
        copies
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

/// Each account once, and why it has it in the junk folder. Whoever has it in the inbox by one address does not need it there
/// too; but the names of those who answer for the server put it into nobody's inbox who was named otherwise as well.
pub(super) fn places(
    here: &[(&Routed, bool)],
    scores: Option<&Scores>,
) -> Vec<(AccountId, Option<Because>)> {
    let mut places: Vec<(AccountId, Option<Because>)> = Vec::new();
    let mut by_name: BTreeSet<AccountId> = BTreeSet::new();
    for of_roles in [false, true] {
        let recipients = here.iter();
        let recipients = recipients.filter(|(to, _)| spam::is_role(&to.address) == of_roles);
        for (recipient, ruled) in recipients {
            for target in recipient.targets() {
                let account = target.account;
                if of_roles && by_name.contains(&account) {
                    continue;
                }
                if !of_roles {
                    by_name.insert(account);
                }
                let aside = scores.is_some_and(|one| one.is_aside(account, &recipient.address));
                let because = spam::because(*ruled, aside);
                match places.iter_mut().find(|(known, _)| *known == account) {
                    Some((_, known)) => *known = known.and(because),
                    None => places.push((account, because)),
                }
            }
        }
    }
    places
}

/// Whether each account may have a body with the reasons of its own.
fn are_few(here: &[(&Routed, bool)], scores: &Scores, host: &str, size: usize) -> bool {
    let mut fields: BTreeSet<Vec<u8>> = BTreeSet::new();
    for target in here.iter().flat_map(|(recipient, _)| recipient.targets()) {
        let verdict = scores.of(target.account);
        fields.extend(verdict.map(|verdict| verdict.header_field(host)));
        let bytes = fields.len().saturating_mul(size);
        let fits = fields.len() <= limits::PERSONAL_COPIES_MAX
            && bytes <= limits::PERSONAL_COPIES_BYTES_MAX;
        // One for either place there may always be.
        if !fits && 2 < fields.len() {
            return false;
        }
    }
    true
}

/// Without what is the account's own: with the reasons of the server where it comes to the same end, else with none.
fn impersonal(verdict: &Verdict, server: &Verdict) -> Verdict {
    if verdict.place == server.place {
        return server.clone();
    }
    let log_odds = match verdict.place {
        Judged::Junk => server.threshold,
        Judged::Wanted => server.threshold.min(1.0) - 1.0,
    };
    Verdict {
        log_odds,
        probability: 1.0 / (1.0 + (-log_odds).exp()),
        place: verdict.place,
        threshold: server.threshold,
        reasons: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
