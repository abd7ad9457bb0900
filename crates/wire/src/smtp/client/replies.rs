//! A server's replies out of its bytes: bounded, and lenient where leniency is harmless (a bare LF
//! ends a line here: nothing of ours is framed by it).

use memchr::memchr;

use crate::limits;
use crate::line::Input;
use crate::smtp::{EnhancedCode, Reply};

/// Collects the lines of one reply after another.
#[derive(Debug, Default)]
pub(super) struct Replies {
    input: Input,
    code: u16,
    enhanced: Option<EnhancedCode>,
    text: String,
    lines: usize,
}

/// What no reply looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    NotSmtp,
    TooMuch,
}

impl Replies {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Bad> {
        if self.input.len() + bytes.len() > limits::CLIENT_INPUT_BYTES_MAX {
            return Err(Bad::TooMuch);
        }
        self.input.push(bytes);
        Ok(())
    }

    /// Is anything there that was not asked for?
    pub(super) fn is_empty(&self) -> bool {
        self.input.is_empty() && self.lines == 0
    }

    /// Forgets everything: it came in clear text.
    pub(super) fn clear(&mut self) {
        *self = Replies::default();
    }

    /// The next whole reply, if it is there.
    pub(super) fn next(&mut self) -> Result<Option<Reply>, Bad> {
        loop {
            let rest = self.input.rest();
            let Some(end) = memchr(b'\n', rest) else {
                return if rest.len() > limits::REPLY_LINE_BYTES_MAX {
                    Err(Bad::TooMuch)
                } else {
                    Ok(None)
                };
            };
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
            self.input.consume(end + 1);
            if self.line(&line)? {
                let text = std::mem::take(&mut self.text);
                self.lines = 0;
                return Ok(Some(Reply::received(self.code, self.enhanced.take(), text)));
            }
        }
    }

    /// Takes one line; tells whether it was the last of its reply.
    fn line(&mut self, line: &[u8]) -> Result<bool, Bad> {
        if line.len() > limits::REPLY_LINE_BYTES_MAX
            || self.lines >= limits::REPLY_LINES_MAX
            || self.text.len() + line.len() > limits::REPLY_BYTES_MAX
        {
            return Err(Bad::TooMuch);
        }
        let (code, rest) = line.split_at_checked(3).ok_or(Bad::NotSmtp)?;
        let code = std::str::from_utf8(code)
            .ok()
            .and_then(|code| code.parse::<u16>().ok())
            .ok_or(Bad::NotSmtp)?;
        let (last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(Bad::NotSmtp),
        };
        if !(200..=599).contains(&code) {
            return Err(Bad::NotSmtp);
        }
        // Codes that differ within one reply: the last line's counts, as everybody reads it.
        self.code = code;
        let text = String::from_utf8_lossy(text);
        let (enhanced, text) = split_enhanced(code, &text);
        if self.lines == 0 || enhanced.is_some() {
            self.enhanced = enhanced.or(self.enhanced);
        }
        if self.lines > 0 {
            self.text.push('\n');
        }
        self.text
            .extend(text.chars().map(|c| if c.is_control() { '?' } else { c }));
        self.lines += 1;
        Ok(last)
    }
}

/// RFC 2034 §4: the class of the enhanced code is that of the reply, or it is none.
fn split_enhanced(code: u16, text: &str) -> (Option<EnhancedCode>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word.parse::<EnhancedCode>() {
        Ok(enhanced) if u16::from(enhanced.0) == code / 100 => (Some(enhanced), rest),
        _ => (None, text),
    }
}
