//! Rules: what a person would call a trick, found in a message and its envelope. Each is a pure function that
//! returns findings; how much a finding counts is said in `reasons.rs`.

use std::collections::BTreeSet;

use crate::attachments;
use crate::domains::{self, is_freemail, registrable};
use crate::facts::Envelope;
use crate::limits;
use crate::lookalike;
use crate::phrasebook::stands_alone;
use crate::reasons::{Finding, Kind};
use crate::sight::{Link, LinkKind, Mailbox, Sight};

mod address;
mod answers;
mod author;
mod bulk;
mod folded;
mod host;
mod links;
mod page;
mod phrases;
mod scams;
mod scene;
mod stories;

use folded::fold;
pub use links::browsed_host;
use phrases::{List, Said};
use scene::Scene;

/// The test line that every filter takes for spam: <https://spamassassin.apache.org/gtube/>.
const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/// Everything that rules find in a message.
pub fn rules(sight: &Sight, envelope: &Envelope<'_>) -> Vec<Finding> {
    let case = Case::of(sight, envelope);
    let mut found = Vec::new();
    if memchr::memmem::find(sight.text.as_bytes(), GTUBE.as_bytes()).is_some() {
        found.push(Finding::bare(Kind::TestString));
    }
    bulk::look(&case, &mut found);
    author::look(&case, &mut found);
    answers::look(&case, &mut found);
    links::look(&case, &mut found);
    page::look(&case, &mut found);
    scams::look(&case, &mut found);
    let scene = Scene::of(&case);
    stories::look(&case, &scene, &mut found);
    scene::named(&case, &mut found);
    host::look(envelope, &mut found);
    attached(sight, &mut found);
    bounded(found)
}

/// Whether an author's domain imitates one that the account corresponds with (`known`: lower case, of one account).
pub fn known_lookalike(author_domain: &str, known: &[String]) -> Option<Finding> {
    let domain = author_domain.to_ascii_lowercase();
    let known = known
        .iter()
        .map(String::as_str)
        .filter(|domain| !is_freemail(domain))
        .take(limits::KNOWN_DOMAINS_MAX);
    let imitated = lookalike::imitated(&domain, known)?;
    Some(Finding::new(
        Kind::KnownLookalike,
        [domain.as_str(), imitated],
    ))
}

/// A message, and what several rules want to know of it.
struct Case<'s> {
    sight: &'s Sight,
    /// The first of From.
    author: Option<&'s Mailbox>,
    /// Domains of the recipients and of the server, without those where anybody can have an address.
    own: Vec<String>,
    /// Addresses of the recipients, lower case.
    recipients: Vec<String>,
    /// Sent to many: by which mark; empty if not.
    bulk: &'static str,
    /// What distributes it among people who discuss; empty if nothing does.
    list: String,
    /// Subject, visible text and calendar entries, folded: as much as phrases are sought in.
    words: String,
    /// What of it rules look for.
    said: Said,
    targets: Vec<Target<'s>>,
}

/// A link that leads somewhere else.
struct Target<'s> {
    link: &'s Link,
    host: String,
    /// What of the host somebody registered.
    house: String,
}

impl<'s> Case<'s> {
    fn of(sight: &'s Sight, envelope: &Envelope<'_>) -> Self {
        let recipients = recipients(sight, envelope);
        let of_recipients = recipients
            .iter()
            .filter_map(|address| address.rsplit_once('@'));
        let own: BTreeSet<String> = of_recipients
            .map(|(_, domain)| domain.to_owned())
            .chain(
                envelope
                    .own_domains
                    .iter()
                    .take(limits::OWN_DOMAINS_MAX)
                    .cloned(),
            )
            .filter(|domain| !domain.is_empty() && !is_freemail(domain))
            .collect();
        let targets = sight
            .links
            .iter()
            .filter(|link| link.kind != LinkKind::Image)
            .map(|link| {
                let host = links::browsed_host(link);
                let house = registrable(&host).to_owned();
                Target { link, host, house }
            });
        let author = sight.from.first().map_or("", |author| &author.domain);
        // Nobody sends to many from an address of that kind: the mark is there to be spared.
        let bulk = match bulk::mark(sight) {
            _ if is_freemail(author) => "",
            mark => mark,
        };
        let (words, head) = beginning(sight);
        let said = Said::of(&words, head);
        Self {
            sight,
            author: sight
                .from
                .first()
                .filter(|author| !author.domain.is_empty()),
            own: own.into_iter().collect(),
            recipients,
            bulk,
            list: bulk::list(sight),
            said,
            words,
            targets: targets.collect(),
        }
    }

    fn author_domain(&self) -> &str {
        self.author.map_or("", |author| author.domain.as_str())
    }

    /// Whether the author writes from one of our own domains.
    fn is_ours(&self, domain: &str) -> bool {
        self.own
            .iter()
            .any(|own| domains::is_same_house(own, domain))
    }

    /// Whether a name is that of somebody who looks after mail and computers.
    fn is_desk(&self, name: &str) -> bool {
        !name.is_empty() && Said::of(name, 0).count(List::Desk) > 0
    }

    /// The subject says that it answers, and no field does.
    fn is_fake_answer(&self) -> bool {
        let begins = |with: &str| {
            let head = self.sight.subject.get(..with.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(with))
        };
        let fields = ["in-reply-to", "references", "thread-index"];
        begins("re:") && !fields.iter().any(|name| self.sight.has_field(name))
    }

    /// Addressed to nobody, or to its own author.
    fn is_unaddressed(&self) -> bool {
        let author = self.author.map(Mailbox::address).unwrap_or_default();
        match self.sight.to.first() {
            None => true,
            Some(to) => !author.is_empty() && to.address().eq_ignore_ascii_case(&author),
        }
    }

    /// Letters that only look alike, or invisible ones between them, in the sender's name or the subject.
    fn is_disguised(&self) -> bool {
        let name = self.author.map_or("", |author| author.name.as_str());
        [name, &self.sight.subject].iter().any(|text| {
            !text.is_ascii()
                && (page::cuts(text) > 0 || lookalike::disguised_words(text).next().is_some())
        })
    }

    /// The hosts of links, each once.
    fn hosts(&self) -> BTreeSet<&str> {
        let hosts = self.targets.iter().map(|target| target.host.as_str());
        hosts
            .filter(|host| !host.is_empty())
            .take(limits::LINK_HOSTS_MAX)
            .collect()
    }
}

/// Subject, visible text and calendar entries, folded, and where the subject ends.
fn beginning(sight: &Sight) -> (String, usize) {
    let mut text = fold(&sight.subject, limits::FIELD_BYTES_MAX);
    let head = text.len();
    text.push('\n');
    text.push_str(&fold(&sight.text, limits::PHRASES_BYTES_MAX));
    let entries = sight
        .parts
        .iter()
        .filter(|part| part.media_type == "text/calendar");
    for entry in entries.take(1) {
        // Lines are folded, and commas escaped. RFC 5545 §3.1
        let entry = String::from_utf8_lossy(&entry.content).replace("\r\n ", "");
        text.push('\n');
        text.push_str(&fold(
            &entry.replace("\\n", " "),
            limits::CALENDAR_BYTES_MAX,
        ));
    }
    (text, head)
}

/// Who gets it, as far as the envelope or, where there is none, the header tells.
fn recipients(sight: &Sight, envelope: &Envelope<'_>) -> Vec<String> {
    let by_envelope = envelope
        .recipients
        .iter()
        .map(|address| address.to_string().to_lowercase());
    let mut all: Vec<String> = by_envelope.take(limits::RECIPIENTS_MAX).collect();
    if all.is_empty() {
        let delivered = ["delivered-to", "x-original-to", "envelope-to"];
        let by_host = delivered.iter().filter_map(|name| sight.field_text(name));
        all.extend(
            by_host
                .filter(|text| text.contains('@'))
                .map(|text| text.trim().to_lowercase()),
        );
        all.extend(
            sight
                .to
                .iter()
                .take(limits::TO_BELIEVED)
                .map(|to| to.address().to_lowercase()),
        );
    }
    all
}

/// Whether a word, or several beside one another, stands in a text, not as part of another word. Both in lower case.
fn has_words(text: &str, words: &str) -> bool {
    !words.is_empty()
        && text
            .match_indices(words)
            .any(|(at, _)| stands_alone(text, at, at + words.len()))
}

/// Dangerous attachments as findings: the worst of each file.
fn attached(sight: &Sight, found: &mut Vec<Finding>) {
    for danger in attachments::look(sight) {
        let kind = danger.kind.reason();
        let is_source = matches!(
            danger.kind,
            attachments::Kind::Script | attachments::Kind::ScriptedPage
        ) && danger.among > limits::AMONG_MANY;
        let share = if is_source {
            limits::AMONG_MANY_SHARE
        } else {
            1.0
        };
        let details = [danger.file.as_str(), danger.detail.as_str()];
        let told = if danger.detail.is_empty() { 1 } else { 2 };
        let details = details.into_iter().take(told);
        found.push(Finding::weighing(kind, kind.weight() * share, details));
    }
}

/// Of each kind the first few: a hundred bad links are not a hundred reasons.
fn bounded(found: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in found {
        let before = kept.iter().filter(|one| one.kind == finding.kind).count();
        let is_known = kept
            .iter()
            .any(|one| one.kind == finding.kind && one.details == finding.details);
        if is_known || before >= limits::OF_A_KIND_MAX {
            continue;
        }
        // The first says it; each further one adds half as much.
        let weight = finding.weight * 0.5_f32.powi(i32::try_from(before).unwrap_or(i32::MAX));
        kept.push(Finding { weight, ..finding });
    }
    kept
}

/// The registrable domains of two hosts, where they differ.
fn differ<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (one, other) = (registrable(one), registrable(other));
    (!one.is_empty() && !other.is_empty() && one != other).then_some((one, other))
}

#[cfg(test)]
mod tests;
