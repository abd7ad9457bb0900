//! Enhanced status codes (RFC 3463) and the patterns that rules name them by.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// `class.subject.detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Enhanced {
    pub class: u8,
    pub subject: u16,
    pub detail: u16,
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Enhanced {
    /// Reads a code that is the whole text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('#').split('.');
        let class = number(parts.next()?)?;
        let subject = number(parts.next()?)?;
        let detail = number(parts.next()?)?;
        if parts.next().is_some() {
            return None;
        }
        let class = u8::try_from(class)
            .ok()
            .filter(|class| matches!(class, 2 | 4 | 5))?;
        Some(Self {
            class,
            subject,
            detail,
        })
    }

    /// Whether it says more than "other or undefined" (RFC 3463 3.1).
    pub fn is_undefined(self) -> bool {
        self.subject == 0 && self.detail == 0
    }
}

/// At most three digits (RFC 3463 2), and none but digits.
fn number(text: &str) -> Option<u16> {
    let fits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// `4.7.28`, `.7.28` (4 or 5), `5.7.606-649`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    class: Option<u8>,
    subject: u16,
    low: u16,
    high: u16,
}

impl Pattern {
    pub fn fits(self, code: Enhanced) -> bool {
        self.class.is_none_or(|class| class == code.class)
            && self.subject == code.subject
            && (self.low..=self.high).contains(&code.detail)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no pattern of enhanced codes");
        let mut parts = text.split('.');
        let class = match parts.next() {
            Some("") => None,
            Some("4") => Some(4),
            Some("5") => Some(5),
            _ => return Err(wrong()),
        };
        let subject = parts.next().and_then(number).ok_or_else(wrong)?;
        let detail = parts.next().ok_or_else(wrong)?;
        if parts.next().is_some() {
            return Err(wrong());
        }
        let (low, high) = detail.split_once('-').unwrap_or((detail, detail));
        Ok(Self {
            class,
            subject,
            low: number(low).ok_or_else(wrong)?,
            high: number(high).ok_or_else(wrong)?,
        })
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
