//! Which filters answer. The operator hears of one that does not, once a day at most: whoever can make a filter stumble over a message
//! must not be able to fill a mailbox with notices.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use store::Durability;
use store::deliveries::NewNotice;

use super::{Case, Down, Filter, Way, WhenTooLarge, WhenUnavailable};
use crate::Inner;

const DAY_MILLIS: i64 = 86_400_000;

#[derive(Default)]
pub(crate) struct Standing {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Those that do not answer.
    down: BTreeSet<String>,
    /// What the operator was told on this day.
    day: i64,
    told: BTreeSet<String>,
}

impl Standing {
    pub(super) fn up(&self, filter: &Filter) {
        if self.lock().down.remove(&filter.name) {
            tracing::info!(filter = filter.name, "a filter answers again");
        }
    }

    /// Tells the operator, unless that is known.
    pub(super) async fn note(&self, inner: &Inner, filter: &Filter, down: &Down) {
        let now = inner.now();
        let Some(trouble) = trouble(filter, down) else {
            return;
        };
        let day = now.0.div_euclid(DAY_MILLIS);
        let topic = format!("{}/{}/{day}", trouble.topic, filter.name);
        if !self.lock().is_new(filter, &trouble, day, &topic) {
            return;
        }
        tell(
            inner,
            NewNotice {
                kind: "filter-down".to_owned(),
                topic,
                title: trouble.title,
                fix: trouble.fix,
                created: now,
            },
        )
        .await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn is_new(&mut self, filter: &Filter, trouble: &Trouble, day: i64, topic: &str) -> bool {
        if trouble.is_down {
            self.down.insert(filter.name.clone());
        }
        if self.day != day {
            self.day = day;
            self.told.clear();
        }
        self.told.insert(topic.to_owned())
    }
}

/// What the operator is told of. Each sort has a topic of its own, so that one large message does not keep from being told, on the same day,
/// that the filter is gone.
struct Trouble {
    topic: &'static str,
    title: String,
    fix: String,
    is_down: bool,
}

fn trouble(filter: &Filter, down: &Down) -> Option<Trouble> {
    let name = &filter.name;
    let then = match filter.when_unavailable {
        WhenUnavailable::Defer => {
            "Mail is put off meanwhile (451): nothing is lost, senders try again."
        }
        WhenUnavailable::Pass => "Mail passes meanwhile without having been looked at.",
    };
    let large = match filter.when_too_large {
        WhenTooLarge::Pass => "It passed without having been looked at",
        WhenTooLarge::Refuse => "It was refused (552)",
        WhenTooLarge::Defer => "It is put off (451) until its sender gives up",
    };
    let (topic, title, fix) = match down {
        // It was told when it began.
        Down::Rests => return None,
        Down::Busy => (
            "filter-busy",
            format!("messages wait too long for the filter {name}"),
            format!(
                "More come than it looks at in time. {then} Give it more threads or workers, or fewer doors in [filters] in \
                 postroad.toml."
            ),
        ),
        Down::Says(_) => (
            "filter-error",
            format!("the filter {name} cannot look at a message"),
            format!("{down}. {then} Its own log has more."),
        ),
        _ if down.is_size() => (
            "filter-size",
            format!("a message was too large for the filter {name}"),
            format!(
                "{down}. {large}: when_too_large in [filters] in postroad.toml. For clamd, raise StreamMaxLength, MaxScanSize and \
                 MaxFileSize in clamd.conf above [limits] message_bytes."
            ),
        ),
        _ => (
            "filter-down",
            format!("the filter {name} at {} cannot be asked", filter.at),
            format!(
                "{down}. {then} Look whether it runs and listens there (postroad config check), or take it out of [filters] \
                 in postroad.toml."
            ),
        ),
    };
    Some(Trouble {
        topic,
        title,
        fix: format!("{fix} Told once a day."),
        is_down: topic == "filter-down",
    })
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
