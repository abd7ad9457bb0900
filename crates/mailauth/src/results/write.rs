//! Writing our Authentication-Results field (RFC 8601 §2.2): one field, folded, with the reasons as
//! comments for people. Whatever came from the message or from the DNS is quoted or left out, so
//! that nobody can make the field say something else.

use super::limits::{FOLD_COLUMNS, VALUE_CHARS_MAX};
use crate::arc::{self, Arc};
use crate::dkim;
use crate::dmarc::Dmarc;
use crate::iprev::{Iprev, IprevReason};
use crate::spf::{Identity, Spf, SpfResult};
use crate::verdict::Verdict;

/// The whole field with its name and line end.
pub fn write(authserv_id: &str, verdict: &Verdict) -> Vec<u8> {
    let mut line = Line::new("Authentication-Results:");
    line.push(&value(authserv_id));
    for result in results(verdict) {
        line.end_result();
        for piece in result {
            line.push(&piece);
        }
    }
    line.finish().into_bytes()
}

/// The results alone, `iprev=pass …; spf=pass …`, in one line: what [`crate::arc::seal`] takes.
pub fn summary(verdict: &Verdict) -> String {
    let results: Vec<String> = results(verdict).map(|result| result.join(" ")).collect();
    results.join("; ")
}

/// The pieces of one result, which a line may be folded between.
type Pieces = Vec<String>;

fn results(verdict: &Verdict) -> impl Iterator<Item = Pieces> {
    let mut results = vec![iprev(&verdict.iprev), spf(&verdict.spf)];
    if verdict.helo.result != SpfResult::None {
        results.push(spf(&verdict.helo));
    }
    if verdict.dkim.is_empty() {
        results.push(vec!["dkim=none".to_owned(), comment("no signature")]);
    }
    results.extend(verdict.dkim.iter().map(dkim));
    results.push(arc(&verdict.arc, &verdict.iprev));
    results.push(dmarc(&verdict.dmarc));
    results.into_iter()
}

/// RFC 8601 §2.7.3.
fn iprev(iprev: &Iprev) -> Pieces {
    let name = || iprev.name.clone().unwrap_or_default();
    let why = match iprev.reason {
        None => name(),
        Some(IprevReason::NoName) => "the address has no name".to_owned(),
        Some(IprevReason::NotConfirmed) => format!("{} does not lead back to the address", name()),
        Some(IprevReason::Dns) => "the DNS did not answer".to_owned(),
    };
    vec![
        format!("iprev={}", iprev.result.as_str()),
        comment(&why),
        property("policy.iprev", &iprev.ip.to_string()),
    ]
}

/// RFC 8601 §2.7.2.
fn spf(spf: &Spf) -> Pieces {
    let mut pieces = vec![format!("spf={}", spf.result.as_str())];
    match (&spf.problem, &spf.matched) {
        (Some(problem), _) => pieces.push(comment(&problem.to_string())),
        (None, Some(matched)) => pieces.push(comment(&format!("matched {matched}"))),
        (None, None) => {}
    }
    if !spf.domain.is_empty() {
        let name = match spf.identity {
            Identity::MailFrom => "smtp.mailfrom",
            Identity::Helo => "smtp.helo",
        };
        pieces.push(property(name, &spf.domain));
    }
    pieces
}

/// RFC 8601 §2.7.1; `header.a` and `header.s` by its registry, `header.b` by RFC 6008.
fn dkim(verdict: &dkim::Verdict) -> Pieces {
    let mut pieces = vec![format!("dkim={}", verdict.result.as_str())];
    let mut why = match verdict.bits {
        Some(bits) if verdict.passed() => format!("{bits}-bit key"),
        _ => verdict.reason.to_string(),
    };
    if verdict.testing {
        why.push_str(", the key is for testing");
    }
    if verdict.passed() && !verdict.covers_whole_body {
        why.push_str(", and text may have been added after what is signed");
    }
    pieces.push(comment(&why));
    let properties = [
        ("header.d", &verdict.domain),
        ("header.i", &verdict.identity),
        ("header.s", &verdict.selector),
        ("header.a", &verdict.algorithm_name),
        ("header.b", &verdict.signature_start),
    ];
    for (name, text) in properties {
        if !text.is_empty() {
            pieces.push(property(name, text));
        }
    }
    pieces
}

/// RFC 8617 §10.2 and §5.2 step 5.
fn arc(arc: &Arc, iprev: &Iprev) -> Pieces {
    let mut pieces = vec![format!("arc={}", arc.cv.as_str())];
    let sealers: Vec<String> = arc
        .sets
        .iter()
        .rev()
        .take(3)
        .map(|set| format!("i={} {}", set.instance, set.domain))
        .collect();
    match arc.why {
        arc::Reason::NoSets => return pieces,
        arc::Reason::Intact => pieces.push(comment(&format!("sealed by {}", sealers.join(", ")))),
        why => pieces.push(comment(&why.to_string())),
    }
    if let Some(oldest_pass) = arc.oldest_pass {
        pieces.push(property("header.oldest-pass", &oldest_pass.to_string()));
    }
    pieces.push(property("smtp.remote-ip", &iprev.ip.to_string()));
    pieces
}

/// RFC 9989 §6 keeps `header.from` and `policy.dmarc`.
fn dmarc(dmarc: &Dmarc) -> Pieces {
    let mut pieces = vec![format!("dmarc={}", dmarc.result.as_str())];
    pieces.push(comment(&why_dmarc(dmarc)));
    if let Some(domain) = &dmarc.domain {
        pieces.push(property("header.from", domain));
    }
    if let Some(published) = &dmarc.published {
        pieces.push(property("policy.dmarc", published.wish().as_str()));
    }
    pieces
}

fn why_dmarc(dmarc: &Dmarc) -> String {
    let mut why = dmarc.reason.to_string();
    if let Some(published) = &dmarc.published {
        let (tag, policy) = (published.tag.as_str(), published.policy.as_str());
        why.push_str(&format!(", {tag}={policy}"));
        if published.record.testing {
            why.push_str(" t=y");
        }
        why.push_str(&format!(" at {}", published.domain));
    }
    why
}

fn property(name: &str, text: &str) -> String {
    format!("{name}={}", pvalue(text))
}

/// A value of a property: an address or a name may stand as it is. RFC 8601 §2.2.
fn pvalue(text: &str) -> String {
    let (local, domain) = match text.split_once('@') {
        Some((local, domain)) => (local, domain),
        None => return value(text),
    };
    let plain = |part: &str| {
        part.split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
    };
    if (local.is_empty() || plain(local)) && plain(domain) && text.len() <= VALUE_CHARS_MAX {
        text.to_owned()
    } else {
        value(text)
    }
}

/// A token, or a quoted string. RFC 2045 §5.1.
fn value(text: &str) -> String {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte);
    if !text.is_empty() && text.len() <= VALUE_CHARS_MAX && text.bytes().all(is_token) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars().take(VALUE_CHARS_MAX) {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            // Line ends, control characters and other alphabets: nothing a name has.
            _ => out.push('?'),
        }
    }
    out.push('"');
    out
}

/// For people. Brackets would need to be paired, so strangers' ones become square.
fn comment(text: &str) -> String {
    let mut out = String::from("(");
    for c in text.chars().take(VALUE_CHARS_MAX) {
        out.push(match c {
            '(' => '[',
            ')' => ']',
            '\\' => '/',
            ' '..='~' => c,
            _ => '?',
        });
    }
    out.push(')');
    out
}

/// RFC 5322 §3.2.3.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// A field that is folded between its pieces.
struct Line {
    text: String,
    column: usize,
}

impl Line {
    fn new(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            column: name.len(),
        }
    }

    /// The next result begins on a line of its own.
    fn end_result(&mut self) {
        self.text.push_str(";\r\n\t");
        self.column = 8;
    }

    fn push(&mut self, piece: &str) {
        let fresh = self.text.ends_with('\t');
        if !fresh && self.column + 1 + piece.len() >= FOLD_COLUMNS {
            self.text.push_str("\r\n\t ");
            self.column = 9;
        } else if !fresh {
            self.text.push(' ');
            self.column += 1;
        }
        self.text.push_str(piece);
        self.column += piece.len();
    }

    fn finish(mut self) -> String {
        self.text.push_str("\r\n");
        self.text
    }
}
