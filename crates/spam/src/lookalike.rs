//! Names made to be taken for others: letters of other alphabets, letters swapped, a brand with a word beside it,
//! a genuine name in front of a foreign one.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton as unicode_skeleton;

use crate::brands::{self, Brand, from_each_label};
use crate::domains::{is_at_or_below, registrable};
use crate::limits;

/// How a name imitates another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Looks the same: `paypa1`, `rnicrosoft`, Cyrillic letters.
    LooksAlike,
    /// One letter is wrong: `microsfot`.
    Typo,
    /// With a word that promises something: `paypal-security`.
    WithWord,
    /// The genuine name stands in front of a foreign one: `paypal.com.evil.example`.
    InFront,
}

/// What is put beside a name to make it sound official.
const BAIT: &[&str] = &[
    "secure",
    "security",
    "secured",
    "support",
    "login",
    "signin",
    "logon",
    "verify",
    "verification",
    "update",
    "account",
    "accounts",
    "service",
    "services",
    "billing",
    "help",
    "helpdesk",
    "helpcenter",
    "team",
    "alert",
    "alerts",
    "notification",
    "notice",
    "payment",
    "payments",
    "pay",
    "invoice",
    "refund",
    "customer",
    "care",
    "client",
    "id",
    "auth",
    "access",
    "portal",
    "delivery",
    "express",
    "parcel",
    "package",
    "track",
    "tracking",
    "shipping",
    "shipment",
    "post",
    "wallet",
    "bank",
    "banking",
    "recovery",
    "unlock",
    "confirm",
    "official",
    "promo",
    "reward",
    "rewards",
    "gift",
    "giftcard",
    "bonus",
    "winner",
    "survey",
    "kunden",
    "kundenservice",
    "konto",
    "sicherheit",
    "zahlung",
    "rechnung",
    "paket",
    "servicio",
    "cliente",
    "compte",
];

/// Honest names one letter away from a brand.
const HONEST: &[&str] = &[
    "paypay",
    "revolt",
    "googol",
    "shopfy",
    "twitte",
    "stream",
    "intuitive",
    "ebays",
    "rebay",
    "correo",
];

/// Names as the eye takes them: without marks, lower case, letters that look alike made one.
pub fn skeleton(text: &str) -> String {
    let alike: String = if text.is_ascii() {
        text.chars()
            .take(limits::NAME_CHARS_MAX)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    } else {
        let plain: String = text
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .flat_map(char::to_lowercase)
            .take(limits::NAME_CHARS_MAX)
            .collect();
        unicode_skeleton(&plain)
            .flat_map(char::to_lowercase)
            .collect()
    };
    let mut out = String::with_capacity(alike.len());
    for c in alike.chars() {
        out.push(match c {
            '0' => 'o',
            '1' | 'i' | '|' | 'j' | '!' => 'l',
            '3' => 'e',
            '5' | '$' => 's',
            '8' => 'b',
            '@' => 'a',
            c => c,
        });
    }
    if out.contains("vv") || out.contains("rn") {
        out = out.replace("vv", "w").replace("rn", "m");
    }
    out
}

/// A host with its own letters: `xn--…` undone.
pub fn unicode_host(host: &str) -> String {
    if is_plain(host) {
        return host.to_ascii_lowercase();
    }
    mail::Domain::parse(host).map_or_else(|_| host.to_owned(), |domain| domain.unicode())
}

/// Whether there is nothing to undo.
fn is_plain(host: &str) -> bool {
    let is_coded = |label: &[u8]| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"xn--"))
    };
    host.is_ascii() && !host.as_bytes().split(|byte| *byte == b'.').any(is_coded)
}

/// The label that somebody registered: `example` of `www.example.co.uk`.
fn registered_label(host: &str) -> &str {
    registrable(host).split('.').next().unwrap_or_default()
}

/// A label and what the eye makes of it.
struct Name<'n> {
    label: &'n str,
    skeleton: String,
    /// Which bytes they have, by their last six bits: what differs here, differs.
    letters: u64,
    skeleton_letters: u64,
    is_ascii: bool,
}

impl<'n> Name<'n> {
    fn of(label: &'n str) -> Self {
        let skeleton = skeleton(label);
        Self {
            label,
            letters: letters(label),
            skeleton_letters: letters(&skeleton),
            is_ascii: label.is_ascii(),
            skeleton,
        }
    }

    /// Whether it could be made after another at all: a cheap look before [`imitates`].
    fn may_imitate(&self, genuine: &Name<'_>) -> bool {
        genuine.skeleton_letters & !self.skeleton_letters == 0
            || genuine.letters & !self.letters == 0
            || self.may_be_one_off(genuine)
    }

    /// A wrong letter is one too many and one too few.
    fn may_be_one_off(&self, genuine: &Name<'_>) -> bool {
        !self.is_ascii || !genuine.is_ascii || (self.letters ^ genuine.letters).count_ones() <= 2
    }
}

fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |set, byte| set | 1 << (byte & 63))
}

/// Whether a host's label is made to be taken for another. Whether it belongs to the same people is asked before.
fn imitates(candidate: &Name<'_>, genuine: &Name<'_>) -> Option<How> {
    let (shown, label) = (candidate.label, genuine.label);
    if !candidate.may_imitate(genuine) || shown == label || HONEST.contains(&shown) {
        return None;
    }
    let is_long = label.len() >= limits::LOOKALIKE_CHARS_MIN;
    if is_long && candidate.skeleton == genuine.skeleton {
        return Some(How::LooksAlike);
    }
    if has_bait(candidate, genuine) {
        return Some(How::WithWord);
    }
    let may_be_typo = label.len() >= limits::TYPO_CHARS_MIN
        && shown.bytes().next() == label.bytes().next()
        && shown.len().abs_diff(label.len()) <= 1
        && candidate.may_be_one_off(genuine);
    // A plural or a number behind the name is another name.
    let is_another = || {
        let rest = shown.strip_prefix(label);
        rest.is_some_and(|rest| rest == "s" || rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_typo = may_be_typo && strsim::damerau_levenshtein(shown, label) == 1 && !is_another();
    is_typo.then_some(How::Typo)
}

/// `paypal-security`, `secure-paypal-login`, `paypalsupport`
fn has_bait(candidate: &Name<'_>, genuine: &Name<'_>) -> bool {
    let is_genuine = |piece: &str| skeleton(piece) == genuine.skeleton;
    // Hyphens stay what they are.
    if candidate.label.contains('-') && candidate.skeleton.contains(&genuine.skeleton) {
        let pieces = || candidate.label.split('-');
        return pieces().any(is_genuine)
            && pieces().any(|piece| !is_genuine(piece) && BAIT.contains(&piece));
    }
    let (shown, label) = (candidate.label, genuine.label);
    let beside = shown
        .strip_prefix(label)
        .or_else(|| shown.strip_suffix(label));
    label.len() >= limits::LOOKALIKE_CHARS_MIN
        && beside.is_some_and(|beside| BAIT.contains(&beside))
}

/// The labels of all brands, and where to find those that a name could imitate.
#[derive(Default)]
struct Labels {
    all: Vec<(&'static Brand, Name<'static>)>,
    by_first: HashMap<u8, Vec<usize>>,
    by_last: HashMap<u8, Vec<usize>>,
    by_skeleton: HashMap<String, Vec<usize>>,
}

static LABELS: LazyLock<Labels> = LazyLock::new(|| {
    let mut labels = Labels::default();
    for brand in &brands::knowledge().brand {
        for label in &brand.labels {
            let (at, name) = (labels.all.len(), Name::of(label));
            let bytes = label.as_bytes();
            if let (Some(first), Some(last)) = (bytes.first(), bytes.last()) {
                labels.by_first.entry(*first).or_default().push(at);
                labels.by_last.entry(*last).or_default().push(at);
            }
            let alike = labels.by_skeleton.entry(name.skeleton.clone());
            alike.or_default().push(at);
            labels.all.push((brand, name));
        }
    }
    labels
});

impl Labels {
    /// Those that look like it or like a piece of it, begin as it does (with a word behind it or one letter wrong), or
    /// end as it does (with a word in front). There are no others in [`imitates`].
    fn near<'l>(&'l self, candidate: &'l Name<'_>) -> impl Iterator<Item = usize> + 'l {
        let bytes = candidate.label.as_bytes();
        let pieces = candidate.label.split('-').map(skeleton);
        let pieces = pieces.filter(|_| candidate.label.contains('-'));
        let alike = std::iter::once(candidate.skeleton.clone()).chain(pieces);
        let alike = alike.filter_map(|skeleton| self.by_skeleton.get(&skeleton));
        let first = bytes.first().and_then(|byte| self.by_first.get(byte));
        let last = bytes.last().and_then(|byte| self.by_last.get(byte));
        alike.chain(first).chain(last).flatten().copied()
    }
}

/// The brand that a host imitates, and how.
pub fn imitated_brand(host: &str) -> Option<(&'static Brand, How)> {
    if host.is_empty() || host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    // Whoever owns the host imitates nobody.
    if brands::of_host(host).owner().is_some() {
        return None;
    }
    let shown = unicode_host(host);
    let candidate = Name::of(registered_label(&shown));
    let by_label = LABELS
        .near(&candidate)
        .filter_map(|at| {
            let (brand, name) = LABELS.all.get(at)?;
            Some((at, *brand, imitates(&candidate, name)?))
        })
        .min_by_key(|(at, ..)| *at)
        .map(|(_, brand, how)| (brand, how));
    by_label.or_else(|| {
        let brand = brands::knowledge().brand.get(in_front(host)?)?;
        Some((brand, How::InFront))
    })
}

/// The first brand whose whole name stands in front of a host that is not its own.
fn in_front(host: &str) -> Option<usize> {
    // Only a host with many labels can have one.
    if host.bytes().filter(|byte| *byte == b'.').count() < 2 {
        return None;
    }
    let names = from_each_label(host).flat_map(|rest| {
        let ends = rest.match_indices(['.', '-']);
        ends.filter_map(move |(end, _)| rest.get(..end))
    });
    names
        .filter(|name| name.len() >= limits::IN_FRONT_CHARS_MIN)
        .filter_map(brands::place_of_owner)
        .min()
}

/// `paypal.com.evil.example`, `paypal.com-secure.example`
pub fn stands_in_front(host: &str, domain: &str) -> bool {
    if is_at_or_below(host, domain) || domain.len() < limits::IN_FRONT_CHARS_MIN {
        return false;
    }
    from_each_label(host).any(|rest| begins_with_name(rest, domain))
}

fn begins_with_name(rest: &str, domain: &str) -> bool {
    rest.strip_prefix(domain)
        .is_some_and(|after| after.starts_with(['.', '-']))
}

/// Which of `ours` a host imitates (whole domains in lower case, each with a label long enough to be told from others).
pub fn imitated<'d>(host: &str, ours: impl IntoIterator<Item = &'d str>) -> Option<&'d str> {
    let house = registrable(host);
    let shown = unicode_host(host);
    let candidate = Name::of(registered_label(&shown));
    let mut ours = ours.into_iter().peekable();
    ours.peek()?;
    let mut found = None;
    for domain in ours {
        if house == registrable(domain) {
            // One of the names is theirs: likeness to another of them is no trick.
            return None;
        }
        let label = registered_label(domain);
        let is_like = imitates(&candidate, &Name::of(label)).is_some()
            || stands_in_front(host, registrable(domain))
            || is_misspelt_end(house, registrable(domain));
        if is_like && found.is_none() {
            found = Some(domain);
        }
    }
    found
}

/// `example.co` for `example.com`
fn is_misspelt_end(candidate: &str, domain: &str) -> bool {
    let (Some((one, end)), Some((other, true_end))) =
        (candidate.split_once('.'), domain.split_once('.'))
    else {
        return false;
    };
    one == other
        && true_end == "com"
        && matches!(end, "co" | "cm" | "om" | "con" | "corn" | "comm" | "cam")
}

/// The alphabets of a label that mixes some which no language mixes: `Latin, Cyrillic`.
pub fn mixed_alphabets(host: &str) -> Option<String> {
    if is_plain(host) {
        return None;
    }
    let shown = unicode_host(host);
    let mixed = shown
        .split('.')
        .find(|label| !label.is_ascii() && !label.is_single_script())?;
    Some(alphabets(mixed))
}

fn alphabets(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let name = alphabet(c);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn alphabet(c: char) -> &'static str {
    match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => "Latin",
        '\u{250}'..='\u{2af}' => "phonetic letters",
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
        '\u{400}'..='\u{52f}' => "Cyrillic",
        '\u{530}'..='\u{58f}' => "Armenian",
        '\u{590}'..='\u{5ff}' => "Hebrew",
        '\u{13a0}'..='\u{13ff}' => "Cherokee",
        '\u{1d400}'..='\u{1d7ff}' => "mathematical letters",
        '\u{ff21}'..='\u{ff5a}' => "wide letters",
        _ => "others",
    }
}

/// Words in which other letters stand for the right ones: `Pаypal` with a Cyrillic `а`, `PoIicy` with an upper-case I.
pub fn disguised_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| {
        if word.is_ascii() {
            has_false_l(word)
        } else {
            is_disguised(word)
        }
    })
}

/// An upper-case I among lower-case letters where only an l or an i makes sense: `compIimentary`, not `LinkedIn`.
fn has_false_l(word: &str) -> bool {
    word.as_bytes().windows(3).any(|three| {
        let [before, middle, after] = three else {
            return false;
        };
        *middle == b'I' && before.is_ascii_lowercase() && b"aeiuy".contains(after)
    })
}

fn is_disguised(word: &str) -> bool {
    let mut latin = 0;
    let mut borrowed = 0;
    let mut ornamental = 0;
    for c in word.chars().take(limits::NAME_CHARS_MAX) {
        match alphabet(c) {
            "Latin" => latin += 1,
            "Cyrillic" | "Greek" | "Armenian" | "Cherokee" | "phonetic letters"
                if is_borrowable(c) =>
            {
                borrowed += 1
            }
            "mathematical letters" | "wide letters" => ornamental += 1,
            _ => return false,
        }
    }
    latin > 0 && borrowed > 0 && latin + borrowed >= 3 || ornamental >= 3 && latin + borrowed > 0
}

/// Whether a letter of another alphabet looks like a Latin one.
fn is_borrowable(c: char) -> bool {
    static LETTERS: LazyLock<&'static str> = LazyLock::new(
        || "аеорсухіѕјԁԛԝһӏкмтвнАВЕКМНОРСТХІЅЈУԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονρυιτκаօսոհցեյՕՍɑɡɩɪɾɴʀʏʟɢʜɪʙ",
    );
    LETTERS.contains(c)
}

#[cfg(test)]
mod tests;
