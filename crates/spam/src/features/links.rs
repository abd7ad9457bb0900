//! Features of links: hosts, paths, shapes, and what is shown for them.

use super::shape::{self, bucket, fact, said};
use super::words;
use super::{Group, Sink};
use crate::sight::{LinkKind, host_of};
use crate::{Sight, hash};

/// Most links that are looked at; the rest of a newsletter is alike.
const LINKS_MAX: usize = 60;

/// Services that make long links short, and hide where they lead.
const SHORTENERS: [&str; 20] = [
    "bit.ly",
    "buff.ly",
    "cutt.ly",
    "dlvr.it",
    "goo.gl",
    "is.gd",
    "j.mp",
    "lnkd.in",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "shorturl.at",
    "t.co",
    "t.ly",
    "tiny.cc",
    "tiny.one",
    "tinyurl.com",
    "tr.im",
    "v.gd",
];

pub(super) fn describe(sight: &Sight, sink: &mut impl Sink) {
    let mut hosts: Vec<u64> = Vec::new();
    let mut count = 0;
    for link in sight.links.iter().take(LINKS_MAX) {
        let kind = link.kind as u64;
        fact(sink, Group::LinkShape, "kind", kind);
        let Some(host) = host_of(&link.target) else {
            let scheme = link.target.split(':').next().unwrap_or_default();
            said(
                sink,
                Group::LinkShape,
                "scheme",
                shape::lower(scheme.get(..12).unwrap_or(scheme).as_bytes()).as_slice(),
            );
            continue;
        };
        count += 1;
        let lower = host.to_ascii_lowercase();
        hosts.push(hash::of(lower.as_bytes()));
        of_host(&lower, kind, sink);
        of_path(&link.target, host, kind, sink);
        if link.kind == LinkKind::Anchor {
            shown(&link.shown, &lower, link.has_image, sink);
        }
    }
    hosts.sort_unstable();
    hosts.dedup();
    let mut measure = |name, value| fact(sink, Group::Measure, name, value);
    measure("links", bucket(count).min(7));
    measure("link hosts", bucket(hosts.len()).min(5));
    let anchors = sight
        .links
        .iter()
        .filter(|link| link.kind == LinkKind::Anchor)
        .count();
    measure("anchors", bucket(anchors).min(7));
    let pictured = sight.links.iter().filter(|link| link.has_image).count();
    measure("picture links", bucket(pictured).min(6));
    let mut targets: Vec<u64> = sight
        .links
        .iter()
        .filter(|link| link.kind == LinkKind::Anchor)
        .map(|link| hash::of(link.target.as_bytes()))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    measure("same targets", shape::share(targets.len(), anchors));
}

fn of_host(host: &str, kind: u64, sink: &mut impl Sink) {
    let house = super::sender::registrable(host);
    said(sink, Group::Link, "leads to", house.as_bytes());
    if host != house {
        said(sink, Group::Link, "host", host.as_bytes());
        let sub = host.strip_suffix(house).unwrap_or_default();
        said(
            sink,
            Group::LinkShape,
            "sub",
            shape::lower(sub.as_bytes()).as_slice(),
        );
    }
    let is_address = host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let top = if is_address {
        "address"
    } else {
        host.rsplit('.').next().unwrap_or_default()
    };
    let of = hash::with(hash::of(top.as_bytes()), kind + 40);
    sink.put(Group::LinkShape, of, || format!("a link under .{top}"));
    if SHORTENERS.binary_search(&house).is_ok() {
        fact(sink, Group::LinkShape, "shortener", 1);
    }
    if host.as_bytes().windows(4).any(|four| four == b"xn--") {
        fact(sink, Group::LinkShape, "international", 1);
    }
    fact(
        sink,
        Group::LinkShape,
        "labels",
        bucket(host.split('.').count()).min(5) << 3 | kind,
    );
    let core = super::sender::core(host);
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    fact(
        sink,
        Group::LinkShape,
        "core",
        bucket(digits).min(3) << 8 | u64::try_from(core.len() / 3).unwrap_or_default().min(9),
    );
}

/// Where a host first stands in its target, of which it is a piece.
fn place_of(target: &str, host: &str) -> usize {
    let place = host.as_ptr().addr().checked_sub(target.as_ptr().addr());
    let place = place.unwrap_or_default();
    // Before it there is hardly more than a scheme.
    let before = target.as_bytes().get(..place).unwrap_or_default();
    match host.as_bytes().first() {
        Some(first) if before.contains(first) => target.find(host).unwrap_or(place),
        _ => place,
    }
}

fn of_path(target: &str, host: &str, kind: u64, sink: &mut impl Sink) {
    let after = place_of(target, host) + host.len();
    let path = target.get(after..).unwrap_or_default().as_bytes();
    let scheme = target.get(..5).unwrap_or_default();
    fact(
        sink,
        Group::LinkShape,
        "safe",
        u64::from(scheme.eq_ignore_ascii_case("https")) << 3 | kind,
    );
    let pattern = shape::of(path.get(..80).unwrap_or(path));
    let of = hash::with(hash::of(pattern.as_slice()), kind + 50);
    sink.put(Group::LinkShape, of, || {
        format!("a link like {}", pattern.text())
    });
    fact(
        sink,
        Group::LinkShape,
        "length",
        bucket(target.len() / 16).min(8) << 3 | kind,
    );
    let (way, query) = match memchr::memchr(b'?', path) {
        Some(at) => path.split_at(at),
        None => (path, &b""[..]),
    };
    for piece in way
        .split(|byte| matches!(byte, b'/' | b'.' | b'-' | b'_'))
        .take(8)
    {
        if (2..=20).contains(&piece.len()) {
            said(sink, Group::Link, "path", shape::lower(piece).as_slice());
        }
    }
    for pair in query.split(|byte| matches!(byte, b'?' | b'&')).take(6) {
        let key = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        if (1..=20).contains(&key.len()) {
            said(sink, Group::Link, "query", shape::lower(key).as_slice());
        }
    }
    let oddities = u64::from(memchr::memchr(b'%', path).is_some())
        | u64::from(memchr::memchr(b'#', path).is_some()) << 1
        | u64::from(memchr::memchr(b'@', path).is_some()) << 2
        | u64::from(target.get(..after).is_some_and(|head| head.contains('@'))) << 3;
    fact(sink, Group::LinkShape, "signs", oddities);
}

fn shown(shown: &str, host: &str, has_image: bool, sink: &mut impl Sink) {
    let mut last = 0;
    let mut count = 0;
    words::cut(shown, 12, |word, written| {
        sink.put(Group::Anchor, word, || {
            format!("a link shown as {}", String::from_utf8_lossy(written))
        });
        sink.put(Group::Anchor, hash::with(last, word), || {
            format!("a link shown as … {}", String::from_utf8_lossy(written))
        });
        last = word;
        count += 1;
    });
    let seen = host_of(shown).map(str::to_ascii_lowercase);
    let other = match seen {
        None => 0,
        Some(seen) if super::header::relation(&seen, host) == 3 => 2,
        Some(_) => 1,
    };
    fact(
        sink,
        Group::LinkShape,
        "shown",
        other << 4 | u64::from(has_image) << 3 | bucket(count).min(4),
    );
}
