//! The verdict as a header field, and read back from one. One field, ASCII, folded:
//! `X-Postroad-Spam: junk; probability=98.2%; score=4.02; threshold=3.00; by=mx.example; content=+4.3; …`
//! Details follow their reason in quotes, with `%` escapes for all that is not plain.

use std::fmt::Write;

use crate::limits;
use crate::reasons::{Finding, Kind};
use crate::verdict::{Place, Verdict};

/// The field with the verdict and its reasons.
pub const FIELD: &str = "X-Postroad-Spam";

/// The field that clients and Sieve scripts know.
pub const FLAG: &str = "X-Spam-Flag";

/// Ours alone: taken away from mail that comes from outside, for anybody can write them.
pub const OURS: &[&str] = &[FIELD, FLAG];

/// What a stored field says.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub verdict: Verdict,
    /// The host that judged.
    pub by: String,
}

impl Verdict {
    /// The fields for the top of the message, each ended by CRLF. `host` is who judged.
    pub fn header_field(&self, host: &str) -> Vec<u8> {
        let place = match self.place {
            Place::Wanted => "wanted",
            Place::Junk => "junk",
        };
        let mut out = format!("{FIELD}: {place}");
        let mut line = out.len();
        let mut item = |text: &str| {
            out.push(';');
            if line + text.len() + 2 > limits::HEADER_LINE {
                out.push_str("\r\n\t");
                line = limits::TAB;
            } else {
                out.push(' ');
                line += 2;
            }
            out.push_str(text);
            line += text.len();
        };
        item(&format!("probability={}", self.percent().replace(' ', "")));
        item(&format!("score={:.2}", self.log_odds));
        item(&format!("threshold={:.2}", self.threshold));
        item(&format!("by={}", escape(host)));
        for reason in self.reasons.iter().take(limits::HEADER_REASONS_MAX) {
            let mut text = format!("{}={:+.1}", reason.kind.id(), reason.weight);
            for detail in &reason.details {
                // Writing into a String does not fail.
                let _ = write!(text, " \"{}\"", escape(detail));
            }
            item(&text);
        }
        out.push_str("\r\n");
        if self.is_junk() {
            out.push_str(FLAG);
            out.push_str(": YES\r\n");
        }
        out.into_bytes()
    }

    /// Reads the value of the field. Reasons that this version does not know are left out.
    pub fn read(value: &[u8]) -> Option<Recorded> {
        let value = mail::header::unfold(value.get(..limits::RECORDED_BYTES_MAX.min(value.len()))?);
        let text = String::from_utf8(value.into_owned()).ok()?;
        let mut items = text.split(';').map(str::trim);
        let place = match items.next()? {
            "wanted" => Place::Wanted,
            "junk" => Place::Junk,
            _ => return None,
        };
        let mut verdict = Verdict {
            log_odds: 0.0,
            probability: 0.0,
            place,
            threshold: 0.0,
            reasons: Vec::new(),
        };
        let mut by = String::new();
        for item in items.take(limits::HEADER_REASONS_MAX + 4) {
            let Some((name, rest)) = item.split_once('=') else {
                continue;
            };
            match name {
                "probability" => {
                    verdict.probability = number(rest.trim_end_matches('%'))? / 100.0;
                }
                "score" => verdict.log_odds = number(rest)?,
                "threshold" => verdict.threshold = number(rest)?,
                "by" => by = unescape(rest),
                id => verdict.reasons.extend(reason(id, rest)),
            }
        }
        Some(Recorded { verdict, by })
    }

    /// The verdict that stands at the top of a message. Only to be asked of what this server stored.
    pub fn of_message(message: &[u8]) -> Option<Recorded> {
        mail::header::first(message, FIELD).and_then(Verdict::read)
    }
}

fn number(text: &str) -> Option<f32> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f32| number.is_finite())
}

/// `+2.5 "paypal.com" "evil.example"`
fn reason(id: &str, rest: &str) -> Option<Finding> {
    let kind = Kind::from_id(id)?;
    let (weight, details) = rest.split_once(' ').unwrap_or((rest, ""));
    let weight = number(weight)?;
    // What stands between quotes is every second piece.
    let details = details.split('"').skip(1).step_by(2).map(unescape);
    Some(Finding::weighing(kind, weight, details))
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'%' | b'\\' | b';')
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.extend_from_slice(before.as_bytes());
        let code = after
            .get(..2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(code.unwrap_or(b'%'));
        rest = code.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
