//! What is done with dangerous attachments, for each recipient's domain: what the operator chose, else what is built in.

use std::collections::BTreeMap;
use std::sync::Arc;

use mail::{Address, Domain};
use spam::Sight;
use spam::attachments::{Dangerous, Kind, look};
use store::AttachmentRule;
use wire::milter::Change;

use super::{Case, Way};
use crate::refusal::Refusal;
use crate::{Inner, limits};

/// What is done with a kind of attachment. The order is that of strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It counts in the spam verdict, no more.
    Allow,
    /// Delivered with a header field that names it.
    Mark,
    /// Into the junk folder.
    Junk,
    /// Into the quarantine, for the operator.
    Hold,
    /// Its sender hears what and why.
    Refuse,
}

impl Action {
    pub const ALL: [Self; 5] = [
        Self::Allow,
        Self::Mark,
        Self::Junk,
        Self::Hold,
        Self::Refuse,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Mark => "mark",
            Self::Junk => "junk",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// Where nothing was chosen. Refused is what runs when it is opened and what no big provider takes (so that honest senders know
/// other ways), for the sender hears of it; junk is what is a danger but is sent by honest people as well. The rest is weighed by the
/// spam verdict, with everything else that is known of the sender.
#[must_use]
pub fn built_in_action(kind: Kind) -> Action {
    match kind {
        Kind::Program | Kind::Script | Kind::Shortcut | Kind::ReversedName => Action::Refuse,
        Kind::Macros
        | Kind::RemoteTemplate
        | Kind::DiskImage
        | Kind::SmugglingPage
        | Kind::ScriptedPage
        | Kind::Notebook
        | Kind::DoubleExtension
        | Kind::TooDeep => Action::Junk,
        Kind::LockedArchive | Kind::Page | Kind::FalseType => Action::Allow,
    }
}

/// What the rules say of one message.
#[derive(Debug, Default)]
pub(super) struct Ruled {
    pub(super) refused: Vec<(Address, Refusal)>,
    pub(super) hold: Option<String>,
    pub(super) junk: Option<String>,
    pub(super) mark: Option<Change>,
    /// The message taken apart, for who needs it next.
    pub(super) sight: Option<Arc<Sight>>,
}

pub(super) async fn rule(
    inner: &Inner,
    case: &Case<'_>,
    message: &bytes::Bytes,
) -> Result<Ruled, Refusal> {
    if !may_have_attachments(message) {
        return Ok(Ruled::default());
    }
    let bytes = message.clone();
    let found = inner
        .compute(message.len(), move || {
            let sight = Sight::of(&bytes).looked_into();
            (look(&sight), Arc::new(sight))
        })
        .await;
    let (found, sight) = found.map_err(|_| Refusal::Bug)?;
    let seen = Ruled {
        sight: Some(sight),
        ..Ruled::default()
    };
    if found.is_empty() {
        return Ok(seen);
    }
    let rules = inner
        .store
        .read_small(|view| view.attachment_rules())
        .await?;
    let domains: Vec<(Address, Domain)> = match (case.way, case.user) {
        // What a user may send is for the user's own domain to say.
        (Way::Submission, Some((_, user))) => {
            let all = case.recipients.iter();
            all.map(|to| (to.address.clone(), user.domain().clone()))
                .collect()
        }
        _ => {
            let all = case.recipients.iter();
            all.map(|to| (to.address.clone(), to.address.domain().clone()))
                .collect()
        }
    };
    let ruled = decide(case.way, &found, &Rules::of(&rules), &domains);
    Ok(Ruled {
        sight: seen.sight,
        ..ruled
    })
}

/// A message of one part that is text has none. Looked for in the header alone, since most mail of people is such.
/// Text of another sort, or with a name, is a file to mail programs.
fn may_have_attachments(message: &[u8]) -> bool {
    let is_text = |value: &[u8]| {
        let value = String::from_utf8_lossy(value).trim().to_ascii_lowercase();
        let kind = value.split(';').next().unwrap_or_default().trim_end();
        matches!(kind, "text/plain" | "text/html") && !value.contains("name")
    };
    // Of two types nobody knows which one a mail program believes.
    let mut types = mail::header::fields(message).filter(|field| field.is("content-type"));
    let plain = types.next().is_none_or(|field| is_text(field.value)) && types.next().is_none();
    let named = mail::header::first(message, "content-disposition").is_some();
    !plain || named || memchr::memmem::find(message, b"\nbegin ").is_some()
}

/// The operator's choices, by domain and kind.
struct Rules {
    chosen: BTreeMap<(String, String), Action>,
}

impl Rules {
    fn of(rules: &[AttachmentRule]) -> Self {
        let chosen = rules.iter().filter_map(|rule| {
            let domain = rule.domain.as_ref().map(ToString::to_string);
            let key = (domain.unwrap_or_default(), rule.kind.clone());
            Some((key, Action::from_name(&rule.action)?))
        });
        Self {
            chosen: chosen.collect(),
        }
    }

    fn action(&self, domain: &Domain, one: &Dangerous) -> Action {
        let kind = one.kind;
        let of = |domain: &str| {
            let key = (domain.to_owned(), kind.name().to_owned());
            self.chosen.get(&key).copied()
        };
        let own = of(domain.as_str()).or_else(|| of(""));
        own.unwrap_or_else(|| match kind {
            // One script among many files is the source code of somebody who writes programs.
            Kind::Script if limits::FILES_OF_SOURCE_MIN <= one.among => Action::Allow,
            _ => built_in_action(kind),
        })
    }
}

/// The strictest of what is found counts, for each recipient. Refused is for each alone; what is milder cannot be, since there is
/// one message: the strictest recipient's counts for all who are left.
fn decide(way: Way, found: &[Dangerous], rules: &Rules, domains: &[(Address, Domain)]) -> Ruled {
    let mut ruled = Ruled::default();
    let mut rest: Option<(Action, &Dangerous)> = None;
    for (address, domain) in domains {
        let worst = found
            .iter()
            .map(|one| (rules.action(domain, one), one))
            .max_by_key(|(action, _)| *action);
        let Some((action, one)) = worst else {
            continue;
        };
        if action == Action::Refuse {
            let refusal = Refusal::Attachment(refusal_words(way, one).into());
            ruled.refused.push((address.clone(), refusal));
        } else if rest.is_none_or(|(strictest, _)| strictest < action) {
            rest = Some((action, one));
        }
    }
    if let Some((action, one)) = rest {
        match action {
            Action::Hold => ruled.hold = Some(words(one)),
            Action::Junk if way == Way::Inbound => ruled.junk = Some(words(one)),
            Action::Mark if way == Way::Inbound => ruled.mark = Some(mark(found)),
            _ => {}
        }
    }
    ruled
}

fn words(one: &Dangerous) -> String {
    format!(
        "the attachment {} is {}",
        plain(&one.file),
        one.kind.words()
    )
}

/// Which file, why, and what to do instead.
fn refusal_words(way: Way, one: &Dangerous) -> String {
    let instead = match way {
        Way::Submission => "share it by a link, or ask your postmaster",
        Way::Inbound => "please share it by a link instead",
    };
    format!("{}, which is not taken here; {instead}", words(one))
}

/// Names of files are a stranger's: what goes into a reply or a header field is plain and short.
fn plain(file: &str) -> String {
    let clean = file.chars().map(|letter| match letter {
        ' '..='~' => letter,
        _ => '?',
    });
    let name: String = clean.take(limits::ATTACHMENT_NAME_CHARS_MAX).collect();
    format!("\"{name}\"")
}

fn mark(found: &[Dangerous]) -> Change {
    let names: Vec<String> = found
        .iter()
        .take(5)
        .map(|one| format!("{} ({})", plain(&one.file), one.kind.name()))
        .collect();
    Change::InsertHeader {
        at: 0,
        name: "X-Postroad-Attachments".to_owned(),
        value: format!(" {}", names.join(",\r\n\t")).into_bytes(),
    }
}

#[cfg(test)]
mod tests;
