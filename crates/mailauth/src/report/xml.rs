//! Just enough XML to read reports, and those that are no XML any more as far as they go: names
//! without prefix, text, and where elements end. A parser that stops at the first error would lose
//! whole reports for one bad character.
//!
//! Entities are the five of XML and character numbers. What a DOCTYPE defines is not looked at, so
//! nothing expands and nothing is fetched.

use super::limits::{TEXT_BYTES_MAX, XML_DEPTH_MAX};

/// What comes next in a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Lower case, without namespace prefix.
    Open(String),
    /// The element's own text, trimmed and cut; without that of elements inside.
    Close { name: String, text: String },
}

/// Reads a document event by event.
pub(crate) struct Reader<'a> {
    rest: &'a str,
    open: Vec<Element>,
    /// Elements below [`XML_DEPTH_MAX`], which are only counted.
    too_deep: usize,
    /// What is still to be told before reading on: elements that end with an outer one.
    ending: usize,
    /// An empty element (`<a/>`) that was just opened.
    ends_at_once: bool,
    broken: bool,
    ends_early: bool,
}

struct Element {
    name: String,
    text: String,
}

enum Token<'a> {
    Text(&'a str),
    Verbatim(&'a str),
    Open { name: &'a str, empty: bool },
    Close(&'a str),
    Nothing,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(document: &'a str) -> Self {
        Self {
            rest: document,
            open: Vec::new(),
            too_deep: 0,
            ending: 0,
            ends_at_once: false,
            broken: false,
            ends_early: false,
        }
    }

    /// Whether anything was not as XML has to be.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether it ended with elements still open.
    pub(crate) fn ends_early(&self) -> bool {
        self.ends_early
    }

    /// Names of the elements that are open, outermost first.
    pub(crate) fn path(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.open.iter().map(|element| element.name.as_str())
    }

    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            if self.ends_at_once {
                self.ends_at_once = false;
                self.ending = 1;
            }
            if self.ending != 0 {
                self.ending -= 1;
                if let Some(Element { name, text }) = self.open.pop() {
                    let text = super::tidy(&text, TEXT_BYTES_MAX);
                    return Some(Event::Close { name, text });
                }
            }
            if self.rest.is_empty() {
                if self.open.is_empty() {
                    return None;
                }
                // The document ends too early: so do all its elements.
                self.broken = true;
                self.ends_early = true;
                self.ending = self.open.len();
                continue;
            }
            match self.token() {
                Token::Text(text) => self.push_text(text, true),
                Token::Verbatim(text) => self.push_text(text, false),
                Token::Open { name, empty } => {
                    if let Some(event) = self.opened(name, empty) {
                        return Some(event);
                    }
                }
                Token::Close(name) => self.closed(name),
                Token::Nothing => {}
            }
        }
    }

    fn opened(&mut self, name: &str, empty: bool) -> Option<Event> {
        if XML_DEPTH_MAX <= self.open.len() {
            self.broken = true;
            if !empty {
                self.too_deep = self.too_deep.saturating_add(1);
            }
            return None;
        }
        let name = local_name(name);
        self.open.push(Element {
            name: name.clone(),
            text: String::new(),
        });
        self.ends_at_once = empty;
        Some(Event::Open(name))
    }

    /// Ends the innermost element of this name, and what was left open within. Without one there is
    /// nothing to end.
    fn closed(&mut self, name: &str) {
        if self.too_deep != 0 {
            self.too_deep -= 1;
            return;
        }
        let name = local_name(name);
        match self.open.iter().rposition(|element| element.name == name) {
            Some(at) => {
                self.ending = self.open.len() - at;
                self.broken |= self.ending != 1;
            }
            None => self.broken = true,
        }
    }

    fn push_text(&mut self, text: &str, has_entities: bool) {
        let Some(element) = self.open.last_mut().filter(|_| self.too_deep == 0) else {
            return;
        };
        let room = (2 * TEXT_BYTES_MAX).saturating_sub(element.text.len());
        let text = text
            .get(..text.floor_char_boundary(room))
            .unwrap_or_default();
        if has_entities && text.contains('&') {
            self.broken |= !push_unescaped(&mut element.text, text);
        } else {
            element.text.push_str(text);
        }
    }

    fn token(&mut self) -> Token<'a> {
        let Some(inside) = self.rest.strip_prefix('<') else {
            let (text, rest) = split(self.rest, self.rest.find('<').unwrap_or(self.rest.len()));
            self.rest = rest;
            return Token::Text(text);
        };
        if let Some(after) = inside.strip_prefix("!--") {
            self.until(after, "-->");
            return Token::Nothing;
        }
        if let Some(after) = inside.strip_prefix("![CDATA[") {
            return Token::Verbatim(self.until(after, "]]>"));
        }
        if let Some(after) = inside.strip_prefix('?') {
            self.until(after, "?>");
            return Token::Nothing;
        }
        if let Some(after) = inside.strip_prefix('!') {
            self.doctype(after);
            return Token::Nothing;
        }
        self.tag(inside)
    }

    fn until(&mut self, text: &'a str, end: &str) -> &'a str {
        match text.find(end) {
            Some(at) => {
                let (inside, rest) = split(text, at);
                self.rest = rest.get(end.len()..).unwrap_or_default();
                inside
            }
            None => {
                self.broken = true;
                self.rest = "";
                text
            }
        }
    }

    /// Passes over `<!DOCTYPE … [ … ]>` with whatever it declares.
    fn doctype(&mut self, text: &'a str) {
        let mut depth = 1_usize;
        for (at, c) in text.char_indices() {
            match c {
                '<' => depth += 1,
                '>' => depth -= 1,
                _ => continue,
            }
            if depth == 0 {
                self.rest = text.get(at + 1..).unwrap_or_default();
                return;
            }
        }
        self.broken = true;
        self.rest = "";
    }

    fn tag(&mut self, inside: &'a str) -> Token<'a> {
        let Some((tag, ended, rest)) = tag_end(inside) else {
            self.broken = true;
            self.rest = "";
            return Token::Nothing;
        };
        self.rest = rest;
        let (closes, tag) = match tag.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, tag),
        };
        let name = tag
            .split(|c: char| c.is_whitespace() || c == '/')
            .next()
            .unwrap_or_default();
        let is_name = name
            .chars()
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '_');
        let odd = |c: char| c.is_control() || "@;,=\"'".contains(c);
        if !ended || !is_name || name.contains(odd) {
            // Most likely text that somebody did not escape.
            self.broken = true;
            return Token::Text(tag);
        }
        if closes {
            Token::Close(name)
        } else {
            let empty = tag.ends_with('/');
            Token::Open { name, empty }
        }
    }
}

/// A tag's inside, whether it is ended by `>`, and what follows. Attributes may hold `>` in quotes.
fn tag_end(text: &str) -> Option<(&str, bool, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('>', None) => {
                let (tag, rest) = split(text, at);
                return Some((tag, true, rest.get(1..).unwrap_or_default()));
            }
            ('<', _) => {
                let (tag, rest) = split(text, at);
                return Some((tag, false, rest));
            }
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn local_name(name: &str) -> String {
    let local = name.rsplit(':').next().unwrap_or(name);
    super::tidy(local, 60).to_ascii_lowercase()
}

/// False if an ampersand begins nothing that is known; it is then kept as it is.
fn push_unescaped(out: &mut String, text: &str) -> bool {
    let mut fine = true;
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, after) = split(rest, at);
        out.push_str(before);
        let inside = after.get(1..).unwrap_or_default();
        let entity = inside.split_once(';').filter(|(name, _)| name.len() <= 10);
        match entity.and_then(|(name, after)| Some((unescaped(name)?, after))) {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                fine = false;
                out.push('&');
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    fine
}

fn unescaped(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            // XML 1.0 §2.2: control characters have no place in a document, however they are written.
            char::from_u32(code).filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))?
        }
    })
}

/// Writes text so that it is text again when read.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // XML 1.0 §2.2 allows these only; the others cannot be written at all.
            '\t' | '\n' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
