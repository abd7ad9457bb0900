//! Features of the author: address, name, and how they agree with the rest of the message.

use super::header::relation;
use super::shape::{self, bucket, fact, said};
use super::words;
use super::{Group, Sink};
use crate::{Sight, hash};

/// Houses where everybody can have an address.
const FREE_MAIL: [&str; 34] = [
    "aol.com",
    "bigfoot.com",
    "btinternet.com",
    "caramail.com",
    "email.com",
    "excite.com",
    "free.fr",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "inbox.com",
    "juno.com",
    "lycos.com",
    "mail.com",
    "mail.ru",
    "mailcity.com",
    "me.com",
    "msn.com",
    "netscape.net",
    "orange.fr",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rocketmail.com",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yandex.ru",
];

/// Second labels under which anybody registers, in front of a country.
const SECOND: [&str; 14] = [
    "co", "com", "net", "org", "gov", "edu", "ac", "or", "ne", "go", "gob", "gouv", "ltd", "in",
];

/// Longest name that words are taken from.
const NAME_WORDS_MAX: usize = 12;

/// The part of a host name that somebody registered, nearly: the public suffix list is not here.
pub(super) fn registrable(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (Some(first), Some(second)) = (dots.next(), dots.next()) else {
        return host;
    };
    let last = host.get(first + 1..).unwrap_or_default();
    let middle = host.get(second + 1..first).unwrap_or_default();
    let cut = if last.len() == 2 && SECOND.contains(&middle) {
        match dots.next() {
            Some(third) => third,
            None => return host,
        }
    } else {
        second
    };
    host.get(cut + 1..).unwrap_or(host)
}

/// The label in front of the public suffix.
pub(super) fn core(host: &str) -> &str {
    registrable(host).split('.').next().unwrap_or_default()
}

pub(super) fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.binary_search(&domain).is_ok()
}

pub(super) fn describe(sight: &Sight, sink: &mut impl Sink) {
    fact(
        sink,
        Group::Sender,
        "authors",
        bucket(sight.from.len()).min(2),
    );
    let Some(from) = sight.from.first() else {
        return;
    };
    let domain = from.domain.as_str();
    let house = registrable(domain);
    said(sink, Group::Sender, "from", domain.as_bytes());
    said(sink, Group::Sender, "house", house.as_bytes());
    domain_shape(domain, sink);
    let free = is_free_mail(domain);
    fact(sink, Group::Sender, "free mail", u64::from(free));
    said(
        sink,
        Group::Sender,
        "local",
        shape::lower(from.local.as_bytes()).as_slice(),
    );
    said(
        sink,
        Group::Sender,
        "local like",
        shape::of(from.local.as_bytes()).as_slice(),
    );
    fact(
        sink,
        Group::Sender,
        "local length",
        u64::try_from(from.local.len() / 4)
            .unwrap_or_default()
            .min(10),
    );
    name(&from.name, sink);
    agreement(sight, sink);
}

fn domain_shape(domain: &str, sink: &mut impl Sink) {
    let house = registrable(domain);
    let core = core(domain);
    let top = domain.rsplit('.').next().unwrap_or_default();
    said(sink, Group::Sender, "top", top.as_bytes());
    let labels =
        domain.split('.').count() - house.split('.').count().min(domain.split('.').count());
    fact(sink, Group::Sender, "labels", bucket(labels).min(4));
    fact(
        sink,
        Group::Sender,
        "core length",
        u64::try_from(core.len() / 2).unwrap_or_default().min(14),
    );
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    let hyphens = core.bytes().filter(|byte| *byte == b'-').count();
    fact(sink, Group::Sender, "core digits", bucket(digits).min(3));
    fact(sink, Group::Sender, "core hyphens", bucket(hyphens).min(3));
    fact(sink, Group::Sender, "core vowels", vowels(core));
    if let Some(sub) = domain.strip_suffix(house)
        && !sub.is_empty()
    {
        said(
            sink,
            Group::Sender,
            "sub",
            shape::lower(sub.as_bytes()).as_slice(),
        );
    }
}

/// Tenths of vowels: names that machines made have few.
fn vowels(name: &str) -> u64 {
    let letters = name.bytes().filter(u8::is_ascii_alphabetic).count();
    let vowels = name.bytes().filter(|byte| b"aeiouy".contains(byte)).count();
    u64::try_from(vowels * 8 / letters.max(1)).unwrap_or_default()
}

fn name(name: &str, sink: &mut impl Sink) {
    if name.is_empty() {
        fact(sink, Group::Sender, "no name", 1);
        return;
    }
    let mut last = 0;
    let mut count = 0;
    let odd = words::cut(name, NAME_WORDS_MAX, |word, written| {
        sink.put(Group::Sender, hash::with(word, 3), || {
            format!("author's name {}", String::from_utf8_lossy(written))
        });
        sink.put(Group::Sender, hash::with(hash::with(last, word), 3), || {
            format!("author's name … {}", String::from_utf8_lossy(written))
        });
        last = word;
        count += 1;
    });
    super::text::letters(
        name.get(..name.floor_char_boundary(60)).unwrap_or_default(),
        2,
        sink,
    );
    fact(sink, Group::Sender, "name words", bucket(count).min(6));
    said(
        sink,
        Group::Sender,
        "name like",
        shape::of(name.as_bytes()).as_slice(),
    );
    fact(sink, Group::Sender, "name emoji", bucket(odd.emoji).min(1));
    fact(
        sink,
        Group::Sender,
        "name odd",
        bucket(odd.invisible + odd.mixed + odd.fancy).min(1),
    );
    fact(
        sink,
        Group::Sender,
        "name shouts",
        u64::from(odd.upper > 3 && odd.upper == odd.letters),
    );
    fact(
        sink,
        Group::Sender,
        "name digits",
        bucket(odd.digits).min(3),
    );
    fact(
        sink,
        Group::Sender,
        "name has address",
        u64::from(name.contains('@')),
    );
}

/// How name, address, reply address, text and links agree.
fn agreement(sight: &Sight, sink: &mut impl Sink) {
    let Some(from) = sight.from.first() else {
        return;
    };
    let domain = from.domain.as_str();
    let free = u64::from(is_free_mail(domain));
    let core = core(domain);
    let name = squeezed(&from.name);
    let in_name = core.len() > 2 && name.contains(core);
    let of_name = from
        .name
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word.len() > 3 && domain.contains(&word.to_lowercase()));
    let local = squeezed(&from.local);
    let local_of_name = from
        .name
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word.len() > 2 && local.contains(&word.to_lowercase()));
    let named = u64::from(in_name || of_name) | u64::from(local_of_name) << 1 | free << 2;
    fact(sink, Group::Agreement, "name and address", named);
    if core.len() > 3 && free == 0 {
        let mut says = |name, text: &str| {
            let text = squeezed(text);
            let found = memchr::memmem::find(text.as_bytes(), core.as_bytes()).is_some();
            fact(sink, Group::Agreement, name, u64::from(found));
        };
        says("subject says the domain", &sight.subject.to_lowercase());
        let end = sight.text.floor_char_boundary(16_000);
        let head = sight.text.get(..end).unwrap_or_default();
        says("text says the domain", head);
    }
    let reply = sight
        .reply_to
        .first()
        .map_or("", |reply| reply.domain.as_str());
    let reply_free = u64::from(is_free_mail(reply));
    let reply_relation = relation(reply, domain);
    fact(
        sink,
        Group::Agreement,
        "Reply-To and From",
        reply_relation << 2 | free << 1 | reply_free,
    );
    let sender = sight.mailboxes("sender");
    let sender = sender.first().map_or("", |sender| sender.domain.as_str());
    fact(
        sink,
        Group::Agreement,
        "Sender and From",
        relation(sender, domain),
    );
    links(sight, domain, free, sink);
}

/// How many links stay in the author's house.
fn links(sight: &Sight, domain: &str, free: u64, sink: &mut impl Sink) {
    let house = registrable(domain);
    let mut own = 0;
    let mut all = 0;
    for link in &sight.links {
        let Some(host) = crate::sight::host_of(&link.target) else {
            continue;
        };
        all += 1;
        let host = registrable(host);
        own += usize::from(host.eq_ignore_ascii_case(house));
    }
    fact(
        sink,
        Group::Agreement,
        "own links",
        shape::share(own, all) << 1 | free,
    );
}

/// Letters and digits of ASCII in lower case; nothing for all else.
const SQUEEZED: [u8; 128] = {
    let mut squeezed = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            squeezed[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    squeezed
};

/// Letters and digits only, lower case.
fn squeezed(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match SQUEEZED.get(usize::from(byte)) {
            Some(0) => at += 1,
            Some(letter) => {
                out.push(*letter);
                at += 1;
            }
            None => {
                let c = text.get(at..).and_then(|rest| rest.chars().next());
                let c = c.unwrap_or_default();
                if c.is_alphanumeric() {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                at += c.len_utf8();
            }
        }
    }
    String::from_utf8(out).unwrap_or_default()
}
