//! Reading Authentication-Results fields of others, forgivingly: what cannot be read is left out.
//! Comments and folding are gone after the first pass; then parts end at `;`, keys at `=`.

use super::limits::{COMMENT_DEPTH_MAX, FIELD_BYTES_MAX, PROPERTIES_MAX, RESULTS_MAX};
use super::{MethodResult, Property, Results};

/// Reads the value of a field. `None` if not even the authserv-id can be read.
pub fn parse(value: &[u8]) -> Option<Results> {
    let mut parts = Parts::of(value)?;
    let authserv_id = parts.next()?.first_word()?;
    let results = parts
        .filter_map(Part::method_result)
        .take(RESULTS_MAX)
        .collect();
    Some(Results {
        authserv_id,
        results,
    })
}

/// Reads what follows the instance of an ARC-Authentication-Results field (RFC 8617 §4.1.1): the same
/// as an Authentication-Results field. One that cannot be read says nothing.
pub(crate) fn parse_or_empty(value: &[u8]) -> Results {
    parse(value).unwrap_or_default()
}

/// The words before the first `;`, where the authserv-id and the version stand. `None` if comments
/// or quotes do not close.
pub(super) fn head_words(value: &[u8]) -> Option<Vec<String>> {
    Some(Parts::of(value)?.next()?.words())
}

/// One character of the field, when comments are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Char {
    /// From inside quotes: never a separator.
    Quoted(char),
    Bare(char),
}

struct Parts {
    parts: std::vec::IntoIter<Part>,
}

/// What stands between two semicolons.
struct Part(Vec<Char>);

impl Parts {
    fn of(value: &[u8]) -> Option<Self> {
        let value = value.get(..FIELD_BYTES_MAX).unwrap_or(value);
        let text = String::from_utf8_lossy(value);
        let mut parts = Vec::new();
        let mut part = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '(' => {
                    skip_comment(&mut chars)?;
                    part.push(Char::Bare(' '));
                }
                '"' => quoted(&mut chars, &mut part)?,
                ';' => parts.push(Part(std::mem::take(&mut part))),
                c if c.is_whitespace() || c.is_control() => part.push(Char::Bare(' ')),
                c => part.push(Char::Bare(c)),
            }
        }
        parts.push(Part(part));
        Some(Self {
            parts: parts.into_iter(),
        })
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        self.parts.next()
    }
}

fn skip_comment(chars: &mut std::str::Chars<'_>) -> Option<()> {
    let mut depth = 1;
    loop {
        match chars.next()? {
            '\\' => {
                chars.next()?;
            }
            '(' if depth == COMMENT_DEPTH_MAX => return None,
            '(' => depth += 1,
            ')' if depth == 1 => return Some(()),
            ')' => depth -= 1,
            _ => {}
        }
    }
}

fn quoted(chars: &mut std::str::Chars<'_>, part: &mut Vec<Char>) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            '\\' => part.push(Char::Quoted(chars.next()?)),
            // Folding inside quotes.
            '\r' | '\n' => {}
            c => part.push(Char::Quoted(c)),
        }
    }
}

impl Part {
    fn words(self) -> Vec<String> {
        let mut words = vec![String::new()];
        for c in self.0 {
            match (c, words.last_mut()) {
                (Char::Bare(' '), _) => words.push(String::new()),
                (Char::Bare(c) | Char::Quoted(c), Some(word)) => word.push(c),
                (_, None) => {}
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    fn first_word(self) -> Option<String> {
        self.words().into_iter().next()
    }

    /// `method[/version]=result`, perhaps a reason, then properties.
    fn method_result(self) -> Option<MethodResult> {
        let mut pairs = self.pairs().into_iter();
        let (method, result) = pairs.next()?;
        let method = method.split('/').next().unwrap_or_default().to_owned();
        if method.is_empty() || result.is_empty() {
            return None;
        }
        let mut read = MethodResult {
            method,
            result: result.to_ascii_lowercase(),
            ..MethodResult::default()
        };
        for (key, value) in pairs {
            if key == "reason" {
                read.reason = Some(value);
            } else if let Some((ptype, property)) = key.split_once('.') {
                read.properties.push(Property {
                    ptype: ptype.to_owned(),
                    property: property.to_owned(),
                    value,
                });
            }
        }
        Some(read)
    }

    /// `key=value` in turn, keys in lower case and without the white space that may stand in them.
    fn pairs(self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut rest = self.0.as_slice();
        while pairs.len() <= PROPERTIES_MAX {
            let Some(equals) = rest.iter().position(|c| *c == Char::Bare('=')) else {
                break;
            };
            let (before, after) = rest.split_at(equals);
            let after = trim_start(after.get(1..).unwrap_or_default());
            // The value is one word; base64 in it may hold further equals signs.
            let end = after.iter().position(|c| *c == Char::Bare(' '));
            let (value, after) = after.split_at(end.unwrap_or(after.len()));
            pairs.push((key_of(before), text_of(value)));
            rest = after;
        }
        pairs
    }
}

fn trim_start(chars: &[Char]) -> &[Char] {
    let start = chars.iter().position(|c| *c != Char::Bare(' '));
    chars
        .get(start.unwrap_or(chars.len())..)
        .unwrap_or_default()
}

/// The last word before the sign, which `header . d` and `dkim / 1` spread over three.
fn key_of(chars: &[Char]) -> String {
    let text = text_of(chars).to_ascii_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = words.join(" ");
    let joined = joined.replace(" .", ".").replace(". ", ".");
    let joined = joined.replace(" /", "/").replace("/ ", "/");
    joined
        .split_whitespace()
        .last()
        .unwrap_or_default()
        .to_owned()
}

fn text_of(chars: &[Char]) -> String {
    let chars = chars.iter().map(|c| match c {
        Char::Bare(c) | Char::Quoted(c) => *c,
    });
    chars.collect()
}
