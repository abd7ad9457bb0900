//! What a server answers: code, enhanced code, text. Written as a server, read as a client.
//! The mapping from refusals to replies is the flow's.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// An enhanced status code. RFC 3463, RFC 5248.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnhancedCode(pub u8, pub u16, pub u16);

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an enhanced status code")]
pub struct BadEnhancedCode;

impl FromStr for EnhancedCode {
    type Err = BadEnhancedCode;

    fn from_str(text: &str) -> Result<Self, BadEnhancedCode> {
        let mut numbers = text.split('.');
        let mut next = || {
            let digits = numbers
                .next()
                .filter(|digits| matches!(digits.len(), 1..=3))?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse::<u16>().ok())?
        };
        match (next(), next(), next(), next()) {
            (Some(class @ (2 | 4 | 5)), Some(subject), Some(detail), None)
                if text.matches('.').count() == 2 =>
            {
                Ok(EnhancedCode(class as u8, subject, detail))
            }
            _ => Err(BadEnhancedCode),
        }
    }
}

/// The first digit of a reply code. RFC 5321 §4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    Positive,
    Intermediate,
    Temporary,
    Permanent,
}

/// One reply, possibly of many lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<EnhancedCode>,
    /// Lines joined by `\n`, without codes.
    text: Cow<'static, str>,
}

/// Longest text of one line we write: the line has 512 octets in all (RFC 5321 §4.5.3.1.5).
const TEXT_BYTES_MAX: usize = 480;

impl Reply {
    /// A reply that needs no allocation.
    pub const fn fixed(code: u16, enhanced: EnhancedCode, text: &'static str) -> Reply {
        Reply {
            code,
            enhanced: Some(enhanced),
            text: Cow::Borrowed(text),
        }
    }

    /// Lines of `text` are separated by `\n`; control characters are made harmless when written.
    pub fn new(code: u16, enhanced: EnhancedCode, text: impl Into<Cow<'static, str>>) -> Reply {
        Reply {
            code,
            enhanced: Some(enhanced),
            text: text.into(),
        }
    }

    /// Greetings, EHLO answers, 334 and 354 carry no enhanced code (RFC 2034 §4).
    pub fn plain(code: u16, text: impl Into<Cow<'static, str>>) -> Reply {
        Reply {
            code,
            enhanced: None,
            text: text.into(),
        }
    }

    /// As read from a peer: the enhanced code may be missing.
    pub fn received(code: u16, enhanced: Option<EnhancedCode>, text: String) -> Reply {
        Reply {
            code,
            enhanced,
            text: Cow::Owned(text),
        }
    }

    pub fn code(&self) -> u16 {
        self.code
    }

    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }

    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            2 => Severity::Positive,
            3 => Severity::Intermediate,
            5 => Severity::Permanent,
            // A code no standard knows says nothing for ever (law 7: in doubt temporary).
            _ => Severity::Temporary,
        }
    }

    pub fn is_positive(&self) -> bool {
        self.severity() == Severity::Positive
    }

    pub fn is_temporary(&self) -> bool {
        self.severity() == Severity::Temporary
    }

    pub fn is_permanent(&self) -> bool {
        self.severity() == Severity::Permanent
    }

    /// As it goes over the wire, every line ended by CR LF, none too long.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let mut lines = self.text.split('\n').flat_map(fold).peekable();
        while let Some(line) = lines.next() {
            let code = self.code.clamp(200, 599);
            out.extend_from_slice(code.to_string().as_bytes());
            out.push(if lines.peek().is_some() { b'-' } else { b' ' });
            if let Some(enhanced) = self.enhanced {
                out.extend_from_slice(enhanced.to_string().as_bytes());
                out.push(b' ');
            }
            out.extend(line.bytes().map(|byte| {
                if byte < b' ' || byte == 0x7f {
                    b'?'
                } else {
                    byte
                }
            }));
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// For logs, DSNs and the queue view: all lines, on one.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        self.text
            .split('\n')
            .filter(|line| !line.is_empty())
            .try_for_each(|line| write!(f, " {line}"))
    }
}

/// Cuts a line that is too long at a space, or where it must.
fn fold(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        if text.len() <= TEXT_BYTES_MAX {
            return Some(text);
        }
        let hard = text.floor_char_boundary(TEXT_BYTES_MAX);
        let (head, _) = text.split_at(hard);
        let cut = head.rfind(' ').filter(|at| *at > 0).unwrap_or(hard);
        let (head, tail) = text.split_at(cut);
        rest = Some(tail.strip_prefix(' ').unwrap_or(tail));
        Some(head)
    })
}
