//! Which filters answer. The operator hears of one that does not, once a day at most: whoever can make a filter stumble over a message
//! must not be able to fill a mailbox with notices.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use store::Durability;
use store::deliveries::NewNotice;

use super::{Case, Down, Filter, Way};
use crate::Inner;

const DAY_MILLIS: i64 = 86_400_000;

/// Those that do not answer.
#[derive(Default)]
pub(crate) struct Standing {
    down: Mutex<BTreeSet<String>>,
}

impl Standing {
    pub(super) fn up(&self, filter: &Filter) {
        if self.lock().remove(&filter.name) {
            tracing::info!(filter = filter.name, "a filter answers again");
        }
    }

    pub(super) async fn down(&self, inner: &Inner, filter: &Filter, down: &Down) {
        // That many wait says nothing of the filter.
        if matches!(down, Down::Busy) || !self.lock().insert(filter.name.clone()) {
            return;
        }
        let then = match filter.when_unavailable {
            super::WhenUnavailable::Defer => {
                "Mail is put off meanwhile (451): nothing is lost, senders try again."
            }
            super::WhenUnavailable::Pass => "Mail passes meanwhile without having been looked at.",
        };
        let now = inner.now();
        tell(
            inner,
            NewNotice {
                kind: "filter-down".to_owned(),
                topic: format!("filter-down/{}/{}", filter.name, now.0.div_euclid(DAY_MILLIS)),
                title: format!(
                    "the filter {} at {} cannot be asked",
                    filter.name, filter.at
                ),
                fix: format!(
                    "{down}. {then} Look whether it runs and listens there (postroad config check), or take it out of [filters] \
                     in postroad.toml."
                ),
                created: now,
            },
        )
        .await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Once a day for all that comes in; once a day for each user whose program sends viruses, since that machine is ill.
pub(super) async fn note_virus(inner: &Inner, case: &Case<'_>, name: &str) {
    let day = case.now.0.div_euclid(DAY_MILLIS);
    let recipients: Vec<String> = case
        .recipients
        .iter()
        .take(5)
        .map(|to| to.address.to_string())
        .collect();
    tracing::warn!(
        target: "message", id = %case.trace, event = "virus", virus = name, from = %case.from,
        to = recipients.join(", "), peer = case.peer.map(tracing::field::display),
        user = case.user.map(|(_, user)| tracing::field::display(user)),
    );
    let notice = match (case.way, case.user) {
        (Way::Submission, Some((account, user))) => NewNotice {
            kind: "virus-sent".to_owned(),
            topic: format!("virus/account/{}/{day}", account.0),
            title: format!("{user} tried to send a virus: {name}"),
            fix: "It was refused. A device of that user is infected, or somebody else knows the password: change it, and have the \
                  device looked at. Told once a day for an account."
                .to_owned(),
            created: case.now,
        },
        _ => NewNotice {
            kind: "virus".to_owned(),
            topic: format!("virus/{day}"),
            title: format!("a virus was refused: {name}"),
            fix: format!(
                "From <{}> for {}. Nothing is left to do. Told once a day; the log has all of them.",
                case.from.address().map(ToString::to_string).unwrap_or_default(),
                recipients.join(", ")
            ),
            created: case.now,
        },
    };
    tell(inner, notice).await;
}

/// Once a day, that something waits in the quarantine.
pub(crate) async fn note_held(inner: &Inner, held: &store::held::NewHeld) {
    let day = held.created.0.div_euclid(DAY_MILLIS);
    tell(
        inner,
        NewNotice {
            kind: "held".to_owned(),
            topic: format!("held/{day}"),
            title: format!("a message is held: {} ({})", held.words, held.filter),
            fix: "Look at it and release or delete it: postroad quarantine list. Told once a day."
                .to_owned(),
            created: held.created,
        },
    )
    .await;
}

async fn tell(inner: &Inner, notice: NewNotice) {
    let told = inner.store.write(Durability::Relaxed, move |change| {
        change.add_notice(&notice).map(drop)
    });
    if let Err(error) = told.await {
        tracing::warn!(%error, "the operator is not told");
    }
}
