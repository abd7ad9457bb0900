//! Where a message leads its reader, and what speaks against its sender: the half of a story that its words do not tell.

use super::address::Written;
use super::folded::fold;
use super::phrases::List;
use super::{Case, Target, differ, has_words};
use crate::brands::{self, Brand};
use crate::domains::{is_freemail, registrable};
use crate::limits;
use crate::lookalike;
use crate::reasons::{Finding, Kind};
use crate::sight::LinkKind;

/// Where the reader is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    Nowhere,
    /// To the sender's own house, or to that of a known brand.
    Home,
    Elsewhere(String),
    /// To a host where anybody can put up pages, that hides where it leads, or that knows who is coming.
    Odd(String),
    /// Into an attached page.
    File(String),
    /// To where a picture of a code leads.
    Code,
}

impl Leads {
    pub(super) fn weight(&self) -> f32 {
        match self {
            Leads::Nowhere | Leads::Home => 0.0,
            Leads::Elsewhere(_) => 0.5,
            Leads::Odd(_) | Leads::File(_) | Leads::Code => 1.3,
        }
    }
}

/// What speaks against the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Bears a brand's name and is not from there.
    Brand,
    /// Names one in the subject.
    BrandInSubject,
    /// Names one in the text.
    BrandInText,
    Freemail,
    /// Speaks for the recipient's own domain.
    OwnName,
    /// Seems to come from the recipient's own domain and leads elsewhere.
    OwnAddress,
    /// Calls itself help desk, server, voice mail and the like.
    Desk,
    /// A domain that costs next to nothing, or a trial name.
    Cheap,
    /// Answers go elsewhere.
    Answers,
    /// Not addressed to anybody, or to the sender.
    Unaddressed,
    /// Letters that only look alike, invisible characters, `A m a z o n`.
    Disguised,
    /// Claims to answer and answers nothing.
    FakeAnswer,
    /// Holds the recipient's address or domain in its subject, as a machine writes it.
    NamesYou,
}

impl Doubt {
    fn weight(self) -> f32 {
        match self {
            Doubt::Brand => 1.5,
            Doubt::OwnName => 1.2,
            Doubt::Freemail | Doubt::Disguised => 1.0,
            Doubt::BrandInSubject => 0.9,
            Doubt::Cheap | Doubt::OwnAddress => 0.8,
            Doubt::BrandInText | Doubt::Desk | Doubt::NamesYou => 0.7,
            Doubt::Unaddressed | Doubt::FakeAnswer => 0.5,
            Doubt::Answers => 0.4,
        }
    }
}

pub(super) struct Scene<'c> {
    case: &'c Case<'c>,
    pub(super) leads: Leads,
    doubts: Vec<Doubt>,
    /// The brand that is named and is not from there.
    brand: Option<&'static Brand>,
    /// The author's domain belongs to a known brand.
    pub(super) is_genuine: bool,
}

impl<'c> Scene<'c> {
    pub(super) fn of(case: &'c Case<'c>) -> Self {
        let author = case.author_domain();
        let owner = brands::of_host(author).owner();
        let mut scene = Self {
            case,
            leads: leads(case),
            doubts: Vec::new(),
            brand: None,
            is_genuine: owner.is_some() && !is_freemail(author),
        };
        scene.look();
        scene
    }

    pub(super) fn doubts(&self) -> f32 {
        self.doubts.iter().map(|doubt| doubt.weight()).sum()
    }

    pub(super) fn doubts_without(&self, some: &[Doubt]) -> f32 {
        let rest = self.doubts.iter().filter(|doubt| !some.contains(doubt));
        rest.map(|doubt| doubt.weight()).sum()
    }

    pub(super) fn has(&self, doubt: Doubt) -> bool {
        self.doubts.contains(&doubt)
    }

    /// The loudest of it, for people.
    pub(super) fn why(&self) -> String {
        let author = self.case.author_domain();
        let loudest = self
            .doubts
            .iter()
            .max_by(|a, b| a.weight().total_cmp(&b.weight()));
        match (&self.leads, loudest, self.brand) {
            (Leads::Odd(host), _, _) => format!("leads to {host}"),
            (Leads::File(name), _, _) => format!("leads into the file {name}"),
            (Leads::Code, _, _) => "leads to where a code leads".to_owned(),
            (_, Some(Doubt::Brand | Doubt::BrandInSubject | Doubt::BrandInText), Some(brand)) => {
                format!("speaks for {} from {author}", brand.name)
            }
            (_, Some(Doubt::OwnName), _) => format!("speaks for you from {author}"),
            (_, Some(Doubt::Freemail), _) => {
                format!("comes from {author}, where anybody can write")
            }
            (Leads::Elsewhere(host), _, _) => format!("leads to {host}"),
            _ => format!("comes from {author}"),
        }
    }

    fn look(&mut self) {
        let case = self.case;
        let author = case.author_domain();
        let name = case.author.map_or("", |author| author.name.as_str());
        let name = fold(name, limits::NAME_CHARS_MAX);
        let subject = fold(&case.sight.subject, limits::NAME_CHARS_MAX);
        let is_ours = case.is_ours(author);
        self.brand(&joined(&name), &joined(&subject));
        let mut has = |doubt: Doubt, is: bool| {
            if is {
                self.doubts.push(doubt);
            }
        };
        has(Doubt::Freemail, is_freemail(author));
        let names_own = !is_ours && self.case.own.iter().any(|own| names_domain(&name, own));
        has(Doubt::OwnName, names_own);
        let leads_away = matches!(
            self.leads,
            Leads::Odd(_) | Leads::Elsewhere(_) | Leads::File(_) | Leads::Code
        );
        has(Doubt::OwnAddress, is_ours && leads_away);
        let is_desk = || case.is_desk(&name) && !self.is_genuine && (!is_ours || leads_away);
        has(Doubt::Desk, !names_own && is_desk());
        let known = brands::of_host(author);
        has(
            Doubt::Cheap,
            known.has_cheap_end || known.is_tenant || author.is_empty(),
        );
        let answers = case.sight.reply_to.first();
        let elsewhere = answers.and_then(|to| differ(author, &to.domain)).is_some();
        has(Doubt::Answers, elsewhere && case.bulk.is_empty());
        has(Doubt::Unaddressed, case.is_unaddressed());
        let is_spaced = joined(&name) != name || joined(&subject) != subject;
        has(Doubt::Disguised, is_spaced || case.is_disguised());
        has(Doubt::FakeAnswer, case.is_fake_answer());
        let names_you = || {
            let own = case.own.iter().map(|own| registrable(own));
            let addresses = case.recipients.iter().map(String::as_str);
            let mut all = own.chain(addresses);
            all.any(|one| has_words(&subject, one))
        };
        has(Doubt::NamesYou, case.bulk.is_empty() && names_you());
    }

    /// A brand that is named and does not write.
    fn brand(&mut self, name: &str, subject: &str) {
        let author = self.case.author_domain();
        // Whoever leads to a brand's own pages, or has its name, speaks of it rather than for it.
        let is_theirs = |brand: &&'static Brand| brand.may_own(author);
        let in_name = brands::claimed_by(name);
        let in_subject = brands::named_in(subject);
        if in_name.iter().chain(&in_subject).any(is_theirs) {
            return;
        }
        let in_head = [
            (in_name.first(), Doubt::Brand),
            (in_subject.first(), Doubt::BrandInSubject),
        ];
        for (brand, doubt) in in_head {
            if let Some(brand) = brand {
                self.brand = Some(brand);
                self.doubts.push(doubt);
                // Who bears a false name is at home nowhere.
                let is_at_home = self.leads == Leads::Home
                    && !self
                        .case
                        .targets
                        .iter()
                        .any(|target| brand.owns(&target.host));
                if is_at_home && doubt == Doubt::Brand {
                    self.leads = Leads::Elsewhere(author.to_owned());
                }
                return;
            }
        }
        let text = self
            .case
            .words
            .get(..self.case.words.floor_char_boundary(limits::CLAIM_BYTES_MAX));
        let in_text = brands::named_in(text.unwrap_or_default());
        if in_text.iter().any(is_theirs) {
            return;
        }
        let has_links = |brand: &&&'static Brand| {
            let mut targets = self.case.targets.iter();
            !targets.any(|target| brand.owns(&target.host))
        };
        if let Some(brand) = in_text.iter().find(has_links) {
            self.brand = Some(brand);
            self.doubts.push(Doubt::BrandInText);
        }
    }
}

/// Words written letter by letter made words again: `a m a z o n`.
fn joined(text: &str) -> String {
    let is_letter = |piece: &str| {
        let mut chars = piece.chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    };
    let pieces: Vec<&str> = text.split(' ').collect();
    let runs = pieces.chunk_by(|one, next| is_letter(one) && is_letter(next));
    let words = runs.map(|run| {
        let is_word = run.len() >= limits::SPACED_LETTERS_MIN;
        run.join(if is_word { "" } else { " " })
    });
    words.collect::<Vec<String>>().join(" ")
}

/// Whether a name names a domain: whole, or the word that was registered.
fn names_domain(name: &str, domain: &str) -> bool {
    let house = registrable(domain);
    let label = house.split('.').next().unwrap_or_default();
    has_words(name, house) || label.len() >= limits::OWN_LABEL_CHARS_MIN && has_words(name, label)
}

/// The worst of all links; else attached pages; else codes.
fn leads(case: &Case<'_>) -> Leads {
    let mut worst = Leads::Nowhere;
    let own = Written::of(case);
    let author = registrable(case.author_domain());
    let mut seen: Vec<&str> = Vec::new();
    for target in case.targets.iter().take(limits::LINKS_MAX) {
        let is_pressed = matches!(
            target.link.kind,
            LinkKind::Anchor | LinkKind::Form | LinkKind::Plain
        );
        if !is_pressed || target.host.is_empty() {
            continue;
        }
        let is_authors = target.house == author;
        if !is_authors && (has_odd_path(target) || case.bulk.is_empty() && own.is_in(target)) {
            return Leads::Odd(target.host.clone());
        }
        // What the host says is said once.
        if seen.contains(&target.host.as_str()) || seen.len() >= limits::LINK_HOSTS_MAX {
            continue;
        }
        seen.push(&target.host);
        let known = brands::of_host(&target.host);
        if !is_authors && is_odd(&target.host, known) {
            return Leads::Odd(target.host.clone());
        }
        let is_home = is_authors || known.owner().is_some() || case.is_ours(&target.host);
        match (&worst, is_home) {
            (Leads::Nowhere, true) => worst = Leads::Home,
            (Leads::Nowhere | Leads::Home, false) => worst = Leads::Elsewhere(target.host.clone()),
            _ => {}
        }
    }
    let page = case.sight.parts.iter().find_map(|part| {
        let name = part.name.as_deref().unwrap_or_default();
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        let ends = [
            "htm", "html", "shtml", "xhtml", "xht", "mht", "mhtml", "svg", "hta",
        ];
        let is_page = ends.iter().any(|one| end.eq_ignore_ascii_case(one)) && !part.has_id;
        is_page.then(|| name.to_owned())
    });
    if let Some(name) = page {
        return Leads::File(name);
    }
    let has_picture = case.sight.page.inline_images + case.sight.page.data_images > 0
        || case
            .sight
            .parts
            .iter()
            .any(|part| part.media_type.starts_with("image/"));
    if has_picture && case.said.first(List::Scan).is_some() && !matches!(worst, Leads::Elsewhere(_))
    {
        return Leads::Code;
    }
    worst
}

/// Whether honest firms would not have their customers go to such a host.
fn is_odd(host: &str, known: brands::Known) -> bool {
    known.is_shortener
        || known.is_free_host
        || known.has_cheap_end
        || host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        || host.starts_with("ipfs.")
        || lookalike::imitated_brand(host).is_some()
}

/// Where pages lie that somebody put onto the site of another.
fn has_odd_path(target: &Target<'_>) -> bool {
    let written = target.link.target.as_bytes();
    let paths = ["/ipfs/", "/wp-content/", "/wp-includes/", "/wp-admin/"];
    paths
        .iter()
        .any(|path| memchr::memmem::find(written, path.as_bytes()).is_some())
}

/// The reader's address within links: pages that ask for a password fill it in.
pub(super) fn named(case: &Case<'_>, found: &mut Vec<Finding>) {
    let own = Written::of(case);
    let named = case
        .targets
        .iter()
        .find(|target| own.is_in_fragment(target));
    if let Some(target) = named {
        found.push(Finding::new(Kind::LinkNamesYou, [target.host.as_str()]));
    }
}
