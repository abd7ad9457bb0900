//! Features of the header: which fields, in which order, how written, what the telling ones say.
//! What is added on or after arrival is left out: it would tell of the mailbox, not of the message.

use super::shape::{self, bucket, fact, said};
use super::words;
use super::{Group, Sink};
use crate::sight::Field;
use crate::{Sight, hash};

/// Added by who takes or keeps the message, or by filters; the beginnings of names.
const NOT_OURS_TO_USE: [&str; 44] = [
    "return-path",
    "delivered-to",
    "x-delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-",
    "delivery-date",
    "authentication-results",
    "x-authentication-",
    "received-spf",
    "arc-",
    "dkim-filter",
    "domainkey-status",
    "x-dkim",
    "x-spam",
    "x-postroad",
    "x-foff",
    "x-greylist",
    "x-rspamd",
    "x-bogosity",
    "x-virus",
    "x-amavis",
    "x-scanned",
    "x-mailscanner",
    "x-pyzor",
    "x-razor",
    "x-barracuda",
    "x-ironport",
    "x-proofpoint",
    "x-msg-ref",
    "x-hops",
    "status",
    "x-status",
    "x-keywords",
    "x-uid",
    "x-tuid",
    "x-mozilla",
    "x-evolution",
    "content-length",
    "lines",
    "xref",
    "x-received",
    "x-folder",
    "old-",
];

/// Most fields that order and presence are taken of.
const FIELDS_MAX: usize = 80;

/// Most letters of a field's name.
const NAME_BYTES_MAX: usize = 40;

pub(super) fn describe(sight: &Sight, sink: &mut impl Sink) {
    let mut last = 0;
    let mut count = 0;
    let mut signatures = 0;
    for field in &sight.fields {
        if is_skipped(&field.name) || count >= FIELDS_MAX {
            continue;
        }
        count += 1;
        let lower = shape::lower(
            field
                .name
                .as_bytes()
                .get(..NAME_BYTES_MAX)
                .unwrap_or(field.name.as_bytes()),
        );
        let name = hash::of(lower.as_slice());
        sink.put(Group::Field, name, || format!("field {}", field.name));
        let written = hash::of(field.name.as_bytes());
        sink.put(Group::Order, written, || {
            format!("field written {}", field.name)
        });
        sink.put(Group::Order, hash::with(last, name), || {
            format!("{} after the field before it", field.name)
        });
        last = name;
        signatures += usize::from(field.is("dkim-signature"));
        value(sight, field, lower.as_slice(), sink);
    }
    fact(sink, Group::Order, "fields", bucket(count));
    fact(
        sink,
        Group::Value,
        "dkim signatures",
        bucket(signatures).min(3),
    );
    for name in [
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "cc",
    ] {
        let times = sight
            .fields
            .iter()
            .filter(|field| field.is(name))
            .take(3)
            .count();
        if times != 1 {
            let of = hash::with(
                hash::of(name.as_bytes()),
                90 + u64::try_from(times).unwrap_or_default(),
            );
            sink.put(Group::Field, of, || format!("{times} fields {name}"));
        }
    }
    answer(sight, sink);
    recipients(sight, sink);
}

pub(super) fn is_skipped(name: &str) -> bool {
    // Most fields begin like none of these.
    let key = key(name.as_bytes());
    name.eq_ignore_ascii_case("received")
        || KEYS.iter().zip(&NOT_OURS_TO_USE).any(|(its, start)| {
            *its == key
                && name
                    .get(..start.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(start))
        })
}

/// The first and the third letter.
static KEYS: [u16; NOT_OURS_TO_USE.len()] = {
    let mut keys = [0; NOT_OURS_TO_USE.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = key(NOT_OURS_TO_USE[at].as_bytes());
        at += 1;
    }
    keys
};

const fn key(name: &[u8]) -> u16 {
    match name {
        [first, _, third, ..] => {
            (first.to_ascii_lowercase() as u16) << 8 | third.to_ascii_lowercase() as u16
        }
        _ => 0,
    }
}

fn value(sight: &Sight, field: &Field, name: &[u8], sink: &mut impl Sink) {
    let raw = &*field.raw;
    match name {
        b"message-id" => message_id(sight, raw, sink),
        b"date" => date(raw, sink),
        b"content-type" => content_type(raw, sink),
        b"x-mailer" | b"user-agent" => mailer(raw, sink),
        b"dkim-signature" => signature(sight, raw, sink),
        b"list-unsubscribe" => unsubscribe(raw, sink),
        b"subject" => encoded(raw, "subject written", sink),
        b"from" => encoded(raw, "from written", sink),
        b"to" => encoded(raw, "to written", sink),
        b"content-transfer-encoding"
        | b"mime-version"
        | b"precedence"
        | b"x-priority"
        | b"x-msmail-priority"
        | b"importance"
        | b"priority"
        | b"auto-submitted"
        | b"content-language"
        | b"list-unsubscribe-post"
        | b"x-mimeole"
        | b"content-disposition"
        | b"x-originating-ip"
        | b"x-auto-response-suppress"
        | b"feedback-id"
        | b"organization" => {
            let pattern = shape::of(raw);
            let of = hash::with(hash::of(name), hash::of(pattern.as_slice()));
            sink.put(Group::Value, of, || {
                format!("{} like {}", field.name, pattern.text())
            });
            let exact = shape::lower(raw);
            let of = hash::with(hash::of(name), hash::of(exact.as_slice()));
            sink.put(Group::Value, of, || {
                format!("{}: {}", field.name, exact.text())
            });
        }
        // Ours is a shape only: the value tells of one sender.
        _ if name.starts_with(b"x-") => {
            let pattern = shape::of(raw.get(..60).unwrap_or(raw));
            let of = hash::with(hash::of(b"x-"), hash::of(pattern.as_slice()));
            sink.put(Group::Order, of, || {
                format!("a field X-… like {}", pattern.text())
            });
        }
        _ => {}
    }
}

fn message_id(sight: &Sight, raw: &[u8], sink: &mut impl Sink) {
    let at = raw
        .iter()
        .rposition(|&byte| byte == b'@')
        .unwrap_or(raw.len());
    let (left, right) = raw.split_at(at);
    let pattern = shape::of(left);
    said(sink, Group::Value, "Message-ID like", pattern.as_slice());
    fact(
        sink,
        Group::Value,
        "Message-ID length",
        u64::try_from(left.len() / 4).unwrap_or_default().min(20),
    );
    let right = right.get(1..).unwrap_or_default();
    let host = right.split(|&byte| byte == b'>').next().unwrap_or_default();
    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
    let from = sight.from.first().map_or("", |from| from.domain.as_str());
    let relation = relation(&host, from);
    fact(sink, Group::Agreement, "Message-ID and From", relation);
    said(
        sink,
        Group::Value,
        "Message-ID host like",
        shape::of(host.as_bytes()).as_slice(),
    );
    let core = super::sender::registrable(&host);
    said(sink, Group::Value, "Message-ID of", core.as_bytes());
}

/// How two host names are related: 0 one is missing, 1 same, 2 same house, 3 strangers.
pub(super) fn relation(one: &str, other: &str) -> u64 {
    if one.is_empty() || other.is_empty() {
        0
    } else if one == other {
        1
    } else if super::sender::registrable(one) == super::sender::registrable(other) {
        2
    } else {
        3
    }
}

fn date(raw: &[u8], sink: &mut impl Sink) {
    said(sink, Group::Value, "Date like", shape::of(raw).as_slice());
    let mut pieces = raw.split(|byte| byte.is_ascii_whitespace());
    let zone = pieces.find(|piece| matches!(piece.first(), Some(b'+' | b'-')));
    said(
        sink,
        Group::Value,
        "zone",
        zone.unwrap_or(b"none").get(..5).unwrap_or(b"odd"),
    );
}

fn content_type(raw: &[u8], sink: &mut impl Sink) {
    let lower = raw.to_ascii_lowercase();
    let boundary = memchr::memmem::find(&lower, b"boundary=");
    let head = raw.get(..boundary.unwrap_or(raw.len())).unwrap_or_default();
    said(
        sink,
        Group::Value,
        "Content-Type",
        shape::lower(head).as_slice(),
    );
    said(
        sink,
        Group::Value,
        "Content-Type like",
        shape::of(head).as_slice(),
    );
    if let Some(at) = boundary {
        let value = raw.get(at + 9..).unwrap_or_default();
        let pattern = shape::of(value.get(..60).unwrap_or(value));
        said(sink, Group::Value, "boundary like", pattern.as_slice());
    }
}

fn mailer(raw: &[u8], sink: &mut impl Sink) {
    said(sink, Group::Value, "mailer", shape::lower(raw).as_slice());
    let text = String::from_utf8_lossy(raw);
    words::cut(&text, 8, |word, written| {
        sink.put(Group::Value, hash::with(word, 77), || {
            format!("mailer {}", String::from_utf8_lossy(written))
        });
    });
}

/// Who signed, and with which program: the order of the tags tells.
fn signature(sight: &Sight, raw: &[u8], sink: &mut impl Sink) {
    let mut order = shape::Buffer::<48>::new();
    let from = sight.from.first().map_or("", |from| from.domain.as_str());
    for tag in raw.split(|&byte| byte == b';').take(16) {
        let tag = tag.trim_ascii();
        let Some(equals) = memchr::memchr(b'=', tag) else {
            continue;
        };
        let (name, value) = tag.split_at(equals);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        order.extend(name.get(..2).unwrap_or(name));
        order.push(b' ');
        match name {
            b"d" => {
                let domain = String::from_utf8_lossy(value).to_ascii_lowercase();
                fact(
                    sink,
                    Group::Agreement,
                    "signer and From",
                    relation(&domain, from),
                );
                let house = super::sender::registrable(&domain);
                said(sink, Group::Sender, "signed by", house.as_bytes());
            }
            b"c" | b"a" | b"q" => {
                let of = hash::with(hash::of(name), hash::of(value));
                sink.put(Group::Value, of, || {
                    format!("signature {}", String::from_utf8_lossy(tag))
                });
            }
            b"s" => said(
                sink,
                Group::Value,
                "selector like",
                shape::of(value).as_slice(),
            ),
            b"h" => {
                let list = value.to_ascii_lowercase();
                let of = hash::of(
                    &list
                        .iter()
                        .copied()
                        .filter(|byte| !byte.is_ascii_whitespace())
                        .collect::<Vec<_>>(),
                );
                sink.put(Group::Value, hash::with(of, 78), || {
                    "the list of signed fields".to_owned()
                });
            }
            _ => {}
        }
    }
    said(sink, Group::Value, "signature's tags", order.as_slice());
}

fn unsubscribe(raw: &[u8], sink: &mut impl Sink) {
    let lower = raw.to_ascii_lowercase();
    let has = |what: &[u8]| u64::from(memchr::memmem::find(&lower, what).is_some());
    let forms = has(b"mailto:") | has(b"http:") << 1 | has(b"https:") << 2;
    fact(sink, Group::Value, "List-Unsubscribe leads to", forms);
    let starts_with_mailto = lower.trim_ascii_start().starts_with(b"<mailto");
    fact(
        sink,
        Group::Value,
        "List-Unsubscribe begins",
        u64::from(starts_with_mailto),
    );
}

/// How a text is written: raw bytes, encoded words, in which charset.
fn encoded(raw: &[u8], name: &'static str, sink: &mut impl Sink) {
    if !raw.is_ascii() {
        said(sink, Group::Value, name, b"in raw bytes");
    } else if let Some(at) = memchr::memmem::find(raw, b"=?") {
        let word = raw.get(at + 2..).unwrap_or_default();
        let end = word
            .iter()
            .take(24)
            .rposition(|&byte| byte == b'?')
            .unwrap_or(0);
        said(
            sink,
            Group::Value,
            name,
            shape::lower(word.get(..end).unwrap_or_default()).as_slice(),
        );
        fact(sink, Group::Value, name, u64::from(at == 0));
    }
    if name == "from written" {
        let at = memchr::memchr(b'<', raw).unwrap_or(raw.len());
        let head = raw.get(..at).unwrap_or_default();
        let form = match (head.first(), at < raw.len()) {
            (Some(b'"'), _) => 1,
            (Some(_), true) => 2,
            (None, _) => 3,
            (Some(_), false) => 4,
        };
        fact(sink, Group::Value, "From written", form);
    }
}

/// Whether it says it is an answer, and is one.
fn answer(sight: &Sight, sink: &mut impl Sink) {
    let start = sight.subject.get(..3).unwrap_or_default();
    let says = start.eq_ignore_ascii_case("re:") || start.eq_ignore_ascii_case("aw:");
    let is = sight.has_field("in-reply-to") || sight.has_field("references");
    fact(
        sink,
        Group::Agreement,
        "answer",
        u64::from(says) | u64::from(is) << 1,
    );
}

fn recipients(sight: &Sight, sink: &mut impl Sink) {
    let raw = sight.field("to").map_or(&b""[..], |field| &field.raw);
    fact(
        sink,
        Group::Value,
        "recipients",
        bucket(sight.to.len()).min(5),
    );
    if sight.to.is_empty() {
        said(
            sink,
            Group::Value,
            "nobody in To:",
            shape::lower(raw).as_slice(),
        );
    }
    let Some(to) = sight.to.first() else {
        return;
    };
    let named = if to.name.is_empty() {
        0
    } else if to.name.eq_ignore_ascii_case(&to.local) || to.name.contains('@') {
        1
    } else {
        2
    };
    fact(sink, Group::Value, "To is named", named);
    let same = sight
        .from
        .first()
        .is_some_and(|from| from.domain == to.domain);
    let self_sent = same
        && sight
            .from
            .first()
            .is_some_and(|from| from.local == to.local);
    fact(
        sink,
        Group::Agreement,
        "From and To",
        u64::from(same) + u64::from(self_sent),
    );
    let local = to.local.to_lowercase();
    if local.len() > 3 {
        let called = sight.subject.to_lowercase().contains(&local);
        fact(
            sink,
            Group::Agreement,
            "subject calls the local part",
            u64::from(called),
        );
    }
}
