//! Macro strings (RFC 7208 §7): read once, strictly; expanded with the facts of one check.
//! Asks no DNS: who expands a `%{p}` finds the validated name first.

use std::net::IpAddr;

use super::limits::EXPANSION_BYTES_MAX;

/// A macro string that was read without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MacroString(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// `%%`, `%_` and `%-`, with what they stand for.
    Escape(&'static str),
    Macro(Macro),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Macro {
    letter: Letter,
    /// An upper-case letter asks for it.
    url_escape: bool,
    /// Right-hand parts that are kept.
    keep: Option<usize>,
    reverse: bool,
    delimiters: String,
}

/// RFC 7208 §7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Letter {
    Sender,
    LocalPart,
    SenderDomain,
    Domain,
    Ip,
    Validated,
    Helo,
    Version,
    /// The last three are for explanations only.
    ReadableIp,
    Receiver,
    Time,
}

/// Where a macro string stands, which decides what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A name to look up.
    DomainSpec,
    /// The text that people get to read: with spaces, and three letters more.
    Explanation,
    /// The value of a modifier that nobody knows.
    UnknownModifier,
}

/// What the letters stand for in one check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub ip: IpAddr,
    pub local: &'a str,
    pub sender_domain: &'a str,
    /// Of the record in which the macro stands.
    pub domain: &'a str,
    pub helo: &'a str,
    /// `unknown` if there is none.
    pub validated: &'a str,
    pub receiver: &'a str,
    pub now: u64,
}

impl MacroString {
    /// `None`: a syntax error.
    pub fn parse(text: &str, place: Place) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.find('%').unwrap_or(rest.len());
            let (literal, after) = rest.split_at_checked(plain)?;
            if !literal.is_empty() {
                let legal =
                    |c: char| c.is_ascii_graphic() || c == ' ' && place == Place::Explanation;
                if !literal.chars().all(legal) {
                    return None;
                }
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let Some(escape) = after.strip_prefix('%') else {
                break;
            };
            let (piece, after) = parse_escape(escape, place)?;
            pieces.push(piece);
            rest = after;
        }
        Some(Self(pieces))
    }

    /// `domain-spec`: ends in a macro, or in a dot and a label that can be a top-level domain.
    /// rfc7208#7.1
    pub fn parse_domain_spec(text: &str) -> Option<Self> {
        let parsed = Self::parse(text, Place::DomainSpec)?;
        match parsed.0.last()? {
            Piece::Literal(literal) => {
                let literal = literal.strip_suffix('.').unwrap_or(literal);
                let (_, label) = literal.rsplit_once('.')?;
                is_top_label(label).then_some(parsed)
            }
            Piece::Escape(_) | Piece::Macro(_) => Some(parsed),
        }
    }

    pub fn wants_validated(&self) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Macro(it) if it.letter == Letter::Validated))
    }

    /// `None` if it becomes longer than anything that has a use.
    pub fn expand(&self, facts: &Facts<'_>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Escape(text) => out.push_str(text),
                Piece::Macro(it) => it.expand(facts, &mut out),
            }
            if EXPANSION_BYTES_MAX < out.len() {
                return None;
            }
        }
        Some(out)
    }
}

/// What follows a `%`.
fn parse_escape(text: &str, place: Place) -> Option<(Piece, &str)> {
    let mut chars = text.chars();
    let piece = match chars.next()? {
        '%' => Piece::Escape("%"),
        '_' => Piece::Escape(" "),
        '-' => Piece::Escape("%20"),
        '{' => {
            let (inner, after) = chars.as_str().split_once('}')?;
            return Some((Piece::Macro(parse_macro(inner, place)?), after));
        }
        _ => return None,
    };
    Some((piece, chars.as_str()))
}

/// What stands between the braces: a letter, digits, `r`, delimiters.
fn parse_macro(text: &str, place: Place) -> Option<Macro> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let letter = match first.to_ascii_lowercase() {
        's' => Letter::Sender,
        'l' => Letter::LocalPart,
        'o' => Letter::SenderDomain,
        'd' => Letter::Domain,
        'i' => Letter::Ip,
        'p' => Letter::Validated,
        'h' => Letter::Helo,
        'v' => Letter::Version,
        'c' if place != Place::DomainSpec => Letter::ReadableIp,
        'r' if place != Place::DomainSpec => Letter::Receiver,
        't' if place != Place::DomainSpec => Letter::Time,
        _ => return None,
    };
    let rest = chars.as_str();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = rest.split_at_checked(digits)?;
    let keep = match digits {
        "" => None,
        // More parts than a usize can count are all parts.
        digits => Some(digits.parse().unwrap_or(usize::MAX)),
    };
    if keep == Some(0) {
        return None;
    }
    let without = rest.strip_prefix(['r', 'R']);
    let delimiters = without.unwrap_or(rest);
    if !delimiters.chars().all(|c| ".-+,/_=".contains(c)) {
        return None;
    }
    Some(Macro {
        letter,
        url_escape: first.is_ascii_uppercase(),
        keep,
        reverse: without.is_some(),
        delimiters: match delimiters {
            "" => ".".to_owned(),
            delimiters => delimiters.to_owned(),
        },
    })
}

impl Macro {
    fn expand(&self, facts: &Facts<'_>, out: &mut String) {
        let value = self.letter.value(facts);
        // Without transformers and delimiters of its own a value is not taken apart.
        let changed = if self.keep.is_none() && !self.reverse && self.delimiters == "." {
            value
        } else {
            let mut parts: Vec<&str> = value.split(|c| self.delimiters.contains(c)).collect();
            if self.reverse {
                parts.reverse();
            }
            let from = parts.len().saturating_sub(self.keep.unwrap_or(usize::MAX));
            parts.get(from..).unwrap_or_default().join(".")
        };
        match self.url_escape {
            true => url_escape(&changed, out),
            false => out.push_str(&changed),
        }
    }
}

impl Letter {
    fn value(self, facts: &Facts<'_>) -> String {
        match self {
            Self::Sender => format!("{}@{}", facts.local, facts.sender_domain),
            Self::LocalPart => facts.local.to_owned(),
            Self::SenderDomain => facts.sender_domain.to_owned(),
            Self::Domain => facts.domain.to_owned(),
            Self::Ip => dotted(facts.ip),
            Self::Validated => facts.validated.to_owned(),
            Self::Helo => facts.helo.to_owned(),
            Self::Version => match facts.ip {
                IpAddr::V4(_) => "in-addr".to_owned(),
                IpAddr::V6(_) => "ip6".to_owned(),
            },
            Self::ReadableIp => facts.ip.to_string(),
            Self::Receiver => facts.receiver.to_owned(),
            Self::Time => facts.now.to_string(),
        }
    }
}

/// For `%{i}` an IPv6 address is its 32 digits with dots between. rfc7208#7.3
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let mut out = String::with_capacity(64);
            for octet in ip.octets() {
                out.push_str(&format!("{:X}.{:X}.", octet >> 4, octet & 15));
            }
            out.pop();
            out
        }
    }
}

/// RFC 3986 §2.3: all but the unreserved characters.
fn url_escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// RFC 7208 §7.1 `toplabel`: letters, digits and inner hyphens, not digits alone.
fn is_top_label(label: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty()
        && label.bytes().all(legal)
        && !label.bytes().all(|byte| byte.is_ascii_digit())
        && !label.starts_with('-')
        && !label.ends_with('-')
}
