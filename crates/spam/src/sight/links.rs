//! Links of a message: where they lead and what is shown for them.

use memchr::memmem;

use crate::limits;

/// A link, a picture's source, or where a form sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub kind: LinkKind,
    /// Character references undone; percent signs as written.
    pub target: String,
    /// What the reader sees; empty for pictures and plain text (where the target itself is seen).
    pub shown: String,
    /// Around a picture.
    pub has_image: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// `<a href>`, `<area href>`
    Anchor,
    /// `<img src>` and backgrounds.
    Image,
    /// `<form action>`
    Form,
    /// Written out in text.
    Plain,
    /// `<base href>`, `<meta http-equiv=refresh>`, `<iframe src>`, `<link href>` …
    Other,
}

impl Link {
    /// The host in lower case, without user and port; empty if there is none (`mailto:`, `cid:`, relative).
    pub fn host(&self) -> String {
        host_of(&self.target)
            .unwrap_or_default()
            .to_ascii_lowercase()
    }
}

/// The host of a URL as written, without user and port.
pub fn host_of(target: &str) -> Option<&str> {
    let colons = memchr::memchr_iter(b':', target.as_bytes());
    let is_parted = |at: &usize| {
        let rest = target.as_bytes().get(*at..);
        rest.is_some_and(|rest| rest.starts_with(b"://"))
    };
    let rest = match colons.into_iter().find(is_parted) {
        Some(at) => target.get(at + 3..)?,
        None => {
            let bare = target.strip_prefix("//");
            bare.or_else(|| {
                let is_www = target.get(..4)?.eq_ignore_ascii_case("www.");
                is_www.then_some(target)
            })?
        }
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = authority.rsplit('@').next()?;
    // A literal IPv6 address has colons of its own.
    let host = match host.rsplit_once(':') {
        Some((before, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && !before.ends_with(':') =>
        {
            before
        }
        _ => host,
    };
    (!host.is_empty()).then_some(host)
}

/// The links written out in plain text.
pub(super) fn find_plain(text: &str, links: &mut Vec<Link>) {
    let bytes = text.as_bytes();
    for at in memmem::find_iter(bytes, "://") {
        if links.len() >= limits::LINKS_MAX {
            return;
        }
        let before = bytes.get(..at).unwrap_or_default();
        let scheme = before
            .iter()
            .rev()
            .take(8)
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        if scheme < 3 {
            continue;
        }
        push_plain(text, at - scheme, links);
    }
    for at in memmem::find_iter(bytes, "www.") {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        if links.len() >= limits::LINKS_MAX {
            return;
        }
        if before
            .is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'(' | b'<' | b'"'))
        {
            push_plain(text, at, links);
        }
    }
}

fn push_plain(text: &str, start: usize, links: &mut Vec<Link>) {
    let rest = text.get(start..).unwrap_or_default();
    let is_end = |byte: u8| {
        byte.is_ascii_whitespace() || byte < b' ' || matches!(byte, b'<' | b'>' | b'"' | b'\'')
    };
    let end = rest
        .bytes()
        .take(limits::LINK_TARGET_BYTES_MAX)
        .position(is_end)
        .unwrap_or_else(|| rest.floor_char_boundary(limits::LINK_TARGET_BYTES_MAX));
    let target = rest.get(..end).unwrap_or_default();
    let target = target.trim_end_matches(['.', ',', ')', ']', ';', ':', '!', '?']);
    if target.len() > 4 {
        links.push(Link {
            kind: LinkKind::Plain,
            target: target.to_owned(),
            shown: String::new(),
            has_image: false,
        });
    }
}
