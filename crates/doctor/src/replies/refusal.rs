//! A refusal as it came: who said it, when in the dialogue, with which codes and words.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::limits::REPLY_MAX;
use super::status::Enhanced;

/// When in the dialogue it was said.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// In place of the greeting.
    Connect,
    Helo,
    Tls,
    Mail,
    Rcpt,
    /// To the DATA command.
    Data,
    /// After the message.
    End,
    #[default]
    Unknown,
}

/// One reply that refuses, or puts off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the MX host that answered; empty when unknown.
    pub host: String,
    /// Domain of the recipient; empty when unknown.
    pub domain: String,
    pub phase: Phase,
    pub code: Option<u16>,
    pub enhanced: Option<Enhanced>,
    /// All lines, as they came.
    pub lines: Vec<String>,
}

impl Refusal {
    /// Reads a reply of one or several lines; codes are taken from the last line that has them.
    pub fn read(host: &str, domain: &str, phase: Phase, reply: &str) -> Self {
        let lines: Vec<String> = reply
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        let mut code = None;
        let mut enhanced = None;
        for line in &lines {
            let (basic, rest) = split_code(line);
            code = basic.or(code);
            enhanced = split_enhanced(rest).0.or(enhanced);
        }
        Self {
            host: host.trim_end_matches('.').to_ascii_lowercase(),
            domain: domain.trim_end_matches('.').to_ascii_lowercase(),
            phase,
            code,
            enhanced,
            lines,
        }
    }

    /// Whether the code says that trying again makes sense. Without a code the enhanced one decides.
    pub fn is_temporary(&self) -> bool {
        match (self.code, self.enhanced) {
            (Some(code), _) => (400..500).contains(&code),
            (None, Some(status)) => status.class == 4,
            (None, None) => true,
        }
    }

    /// The reply as one line, as the operator and the forms see it.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Lower case, without codes and with single spaces: what the expressions see.
    pub fn normal(&self) -> String {
        let mut words = String::new();
        for line in &self.lines {
            let (_, rest) = split_code(line);
            let (_, rest) = split_enhanced(rest);
            let mut rest = rest.split_ascii_whitespace().peekable();
            while let Some(word) = rest.next() {
                // A folded report keeps the codes of the later lines: `550-5.7.1 one 550 5.7.1 two`.
                let next_is_status = rest
                    .peek()
                    .is_some_and(|next| Enhanced::parse(next).is_some());
                if is_code_with_status(word) || (is_code(word) && next_is_status) {
                    if is_code(word) {
                        rest.next();
                    }
                    continue;
                }
                if words.len() + word.len() > REPLY_MAX {
                    return words;
                }
                if !words.is_empty() {
                    words.push(' ');
                }
                // What the address says is not what they say: <no-spam@virus.example>.
                let word = without_address(word);
                words.extend(word.chars().flat_map(char::to_lowercase));
            }
        }
        words
    }

    /// Addresses that the text names: ours, or one from an old Received line, or a neighbour's.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let mut found = Vec::new();
        for line in &self.lines {
            let words = line.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':')));
            for word in words {
                let word = word.trim_end_matches(['.', ':']);
                if let Ok(address) = word.parse::<IpAddr>()
                    && !found.contains(&address)
                {
                    found.push(address);
                }
            }
        }
        found
    }
}

/// `<who@example.org>:` becomes `<>:`.
fn without_address(word: &str) -> std::borrow::Cow<'_, str> {
    let parts = word.split_once('<').and_then(|(before, rest)| {
        let (address, after) = rest.split_once('>')?;
        address.contains('@').then_some((before, after))
    });
    match parts {
        Some((before, after)) => format!("{before}<>{after}").into(),
        None => word.into(),
    }
}

fn is_code(word: &str) -> bool {
    word.len() == 3
        && word.starts_with(['2', '4', '5'])
        && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `550-5.7.26`.
fn is_code_with_status(word: &str) -> bool {
    word.split_once('-')
        .is_some_and(|(code, status)| is_code(code) && Enhanced::parse(status).is_some())
}

/// `550-`, `550 ` or `550` in front.
fn split_code(line: &str) -> (Option<u16>, &str) {
    let Some(code) = line.get(..3).filter(|code| is_code(code)) else {
        return (None, line);
    };
    let rest = line.get(3..).unwrap_or_default();
    match rest.chars().next() {
        None => (code.parse().ok(), rest),
        Some(' ' | '-' | ':' | '\t') => (
            code.parse().ok(),
            rest.get(1..).unwrap_or_default().trim_start(),
        ),
        Some(_) => (None, line),
    }
}

/// `5.7.1 ` or `#5.1.0 ` in front, or `(#5.1.1)` at the end as qmail writes it.
fn split_enhanced(rest: &str) -> (Option<Enhanced>, &str) {
    let end = rest
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(rest.len());
    let (first, after) = rest.split_at(end);
    if let Some(status) = Enhanced::parse(first.trim_end_matches([':', ';', ',', '-'])) {
        return (Some(status), after.trim_start());
    }
    let last = rest
        .rsplit(|c: char| c.is_ascii_whitespace())
        .next()
        .unwrap_or_default();
    let last = last.trim_matches(['(', ')', '[', ']', '.']);
    let marked = last.strip_prefix('#').and_then(Enhanced::parse);
    (marked, rest)
}
