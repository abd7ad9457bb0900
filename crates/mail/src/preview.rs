//! The beginning of a message's text for lists: what RFC 8970 calls a preview.
//! Looks only at the first kilobytes of the text; quoted lines and markup are left out.

use crate::limits::{PREVIEW_CHARS_MAX, PREVIEW_SOURCE_BYTES_MAX};
use crate::structure::{Part, Structure};
use crate::transfer::decode_transfer;

mod html;

/// How much of plain text is enough, quoted lines included.
const PLAIN_SOURCE_BYTES_MAX: usize = 4 * 1024;

/// One line without control characters, at most `PREVIEW_CHARS_MAX` characters.
pub(crate) fn of(message: &[u8], structure: &Structure) -> String {
    let mut of_html = None;
    for part in structure.own_parts().filter(|part| part.is_shown_text()) {
        if part.media_subtype == "html" {
            of_html = of_html.or(Some(part));
            continue;
        }
        let text = beginning(message, part, PLAIN_SOURCE_BYTES_MAX);
        let preview = of_plain(&text);
        if !preview.is_empty() {
            return preview;
        }
    }
    match of_html {
        Some(part) => {
            let mut line = Line::default();
            html::push_text(
                &mut line,
                &beginning(message, part, PREVIEW_SOURCE_BYTES_MAX),
            );
            line.text
        }
        None => String::new(),
    }
}

fn beginning(message: &[u8], part: &Part, bytes_max: usize) -> String {
    let body = message.get(part.body.clone()).unwrap_or_default();
    let is_cut = body.len() > bytes_max;
    let body = body.get(..bytes_max).unwrap_or(body);
    let content = decode_transfer(body, part.encoding);
    // A cut may have left half a character, which would make UTF-8 look like something else.
    let content = if is_cut {
        without_torn_character(&content)
    } else {
        &content
    };
    crate::charset::decode(content, part.charset().as_deref()).into_owned()
}

fn without_torn_character(content: &[u8]) -> &[u8] {
    let end = (content.len().saturating_sub(3)..content.len()).rev();
    for at in end {
        match content.get(at) {
            Some(0xc0..) => return content.get(..at).unwrap_or_default(),
            Some(0x80..) => {}
            _ => break,
        }
    }
    content
}

/// What the person wrote comes first; if all is quoted, that.
fn of_plain(text: &str) -> String {
    let mut own = Line::default();
    for line in text.lines().take_while(|line| *line != "-- ") {
        if own.is_full() {
            break;
        }
        if !line.starts_with('>') {
            own.push(line);
            own.push(" ");
        }
    }
    if own.text.trim_end().is_empty() {
        own = Line::default();
        own.push(text);
    }
    own.text.truncate(own.text.trim_end().len());
    own.text
}

/// Text with white space joined and what does not show left out.
#[derive(Default)]
struct Line {
    text: String,
    count: usize,
    ends_with_space: bool,
}

impl Line {
    fn push(&mut self, text: &str) {
        text.chars().for_each(|c| self.push_char(c));
    }

    fn push_char(&mut self, c: char) {
        if self.is_full() || is_invisible(c) {
            return;
        }
        if c.is_whitespace() || c.is_control() {
            self.ends_with_space = !self.text.is_empty();
            return;
        }
        if self.ends_with_space {
            self.text.push(' ');
            self.count += 1;
            self.ends_with_space = false;
            if self.is_full() {
                self.text.pop();
                return;
            }
        }
        self.text.push(c);
        self.count += 1;
    }

    fn is_full(&self) -> bool {
        self.count >= PREVIEW_CHARS_MAX
    }
}

/// What newsletters pad their hidden first line with.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
