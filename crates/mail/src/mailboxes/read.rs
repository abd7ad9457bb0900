//! Reading an address list: words are gathered until a character shows what they were.
//! RFC 5322 §3.4 with §4.4, and what programs write instead.

use std::borrow::Cow;

use super::{Entry, List, Mailbox};
use crate::lexer::{Cursor, is_space};
use crate::limits::{ADDRESS_BYTES_MAX, HEADER_ADDRESSES_MAX};

pub(super) fn list(value: &[u8]) -> List<'_> {
    let mut reader = Reader {
        cursor: Cursor::new(value),
        words: Vec::new(),
        is_clean: true,
    };
    let mut list = List::default();
    let mut group: Option<(Cow<'_, [u8]>, Vec<Mailbox<'_>>)> = None;
    let mut count = 0;
    while count < HEADER_ADDRESSES_MAX {
        let (mailbox, end) = reader.mailbox(group.is_some());
        count += 1;
        match end {
            End::GroupName => {
                let name = reader.phrase().unwrap_or_default();
                group = Some((name, Vec::new()));
            }
            _ => match &mut group {
                Some((_, members)) => members.extend(mailbox),
                None => list.entries.extend(mailbox.map(Entry::Mailbox)),
            },
        }
        if matches!(end, End::Group | End::Value)
            && let Some((name, members)) = group.take()
        {
            reader.is_clean &= matches!(end, End::Group);
            list.entries.push(Entry::Group { name, members });
        }
        if matches!(end, End::Value) {
            break;
        }
    }
    list.entries
        .extend(group.map(|(name, members)| Entry::Group { name, members }));
    list.is_clean = reader.is_clean && reader.cursor.peek().is_none();
    list
}

/// What ended a mailbox.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Comma,
    /// `:`, and the words before it name a group.
    GroupName,
    /// `;` in a group.
    Group,
    Value,
}

/// An atom, a quoted string or an encoded word.
#[derive(Clone)]
struct Word<'a> {
    text: Cow<'a, [u8]>,
    after_space: bool,
    is_quoted: bool,
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// Words whose meaning is not known yet.
    words: Vec<Word<'a>>,
    is_clean: bool,
}

impl<'a> Reader<'a> {
    /// Reads up to and over what ends a mailbox. Leaves the words of a group's name behind.
    fn mailbox(&mut self, in_group: bool) -> (Option<Mailbox<'a>>, End) {
        self.words.clear();
        let mut found: Option<Mailbox<'a>> = None;
        let mut comment = None;
        let mut after_space = false;
        let end = loop {
            after_space |= self.cursor.skip_space();
            let Some(byte) = self.cursor.peek() else {
                break End::Value;
            };
            match byte {
                b'(' => {
                    comment = Some(self.cursor.comment());
                    after_space = true;
                    continue;
                }
                b',' => {
                    self.cursor.bump();
                    break End::Comma;
                }
                b';' => {
                    self.cursor.bump();
                    // Some programs separate with semicolons outside of groups.
                    self.is_clean &= in_group;
                    break if in_group { End::Group } else { End::Comma };
                }
                b':' if !in_group && found.is_none() && !self.words.is_empty() => {
                    self.cursor.bump();
                    return (None, End::GroupName);
                }
                b'<' => {
                    // "a@b <c@d>": what came before was meant as a name.
                    let name = match found.take() {
                        Some(before) if before.name.is_none() => {
                            self.is_clean = false;
                            Some(with_at(before.local, &before.domain))
                        }
                        Some(before) => {
                            self.is_clean = false;
                            before.name
                        }
                        None => self.phrase(),
                    };
                    found = Some(Mailbox {
                        name,
                        ..self.angle_address()
                    });
                    self.words.clear();
                }
                b'@' => {
                    self.cursor.bump();
                    found = Some(self.bare_address(found.take()));
                }
                b'>' | b':' | b')' => {
                    self.cursor.bump();
                    self.is_clean = false;
                }
                _ => {
                    let word = self.word(after_space);
                    self.words.push(word);
                }
            }
            after_space = false;
        };
        (self.finish(found, comment), end)
    }

    fn finish(
        &mut self,
        found: Option<Mailbox<'a>>,
        comment: Option<Cow<'a, [u8]>>,
    ) -> Option<Mailbox<'a>> {
        let mut mailbox = match found {
            Some(mailbox) => {
                // Words after the address mean nothing.
                self.is_clean &= self.words.is_empty();
                mailbox
            }
            None if self.words.is_empty() => return None,
            None => {
                self.is_clean = false;
                Mailbox {
                    local: self.phrase().unwrap_or_default(),
                    ..Mailbox::default()
                }
            }
        };
        if mailbox.name.is_none() {
            // "ann@example.org (Ann)", as it was written before RFC 822.
            mailbox.name = comment.filter(|comment| !comment.is_empty());
        }
        let is_nobody =
            mailbox.name.is_none() && mailbox.local.is_empty() && mailbox.domain.is_empty();
        self.is_clean &= !mailbox.local.is_empty() && !mailbox.domain.is_empty();
        (!is_nobody).then_some(mailbox)
    }

    /// `local@` was read: the local part is the end of the gathered words, what stands before is a name.
    fn bare_address(&mut self, before: Option<Mailbox<'a>>) -> Mailbox<'a> {
        let mut name = None;
        let local = match before {
            // "a@b@c": the last "@" counts.
            Some(before) => {
                self.is_clean = false;
                name = before.name;
                with_at(before.local, &before.domain)
            }
            None => {
                let start = self.local_part_start();
                let words = self.words.split_off(start);
                if !self.words.is_empty() {
                    self.is_clean = false;
                    name = self.phrase();
                }
                self.local_part(&words)
            }
        };
        self.words.clear();
        Mailbox {
            name,
            route: None,
            local,
            domain: self.domain(),
        }
    }

    /// What stands between `<` and `>`, and both.
    fn angle_address(&mut self) -> Mailbox<'a> {
        self.cursor.bump();
        let mut mailbox = Mailbox::default();
        let mut words: Vec<Word<'a>> = Vec::new();
        let mut has_at = false;
        loop {
            let before = self.cursor.rest().len();
            self.cursor.skip_cfws();
            let after_space = self.cursor.rest().len() < before;
            match self.cursor.peek() {
                Some(b'>') => {
                    self.cursor.bump();
                    break;
                }
                // Not closed.
                None | Some(b',' | b';' | b'<') => {
                    self.is_clean = false;
                    break;
                }
                Some(b'@') if words.is_empty() && !has_at => {
                    mailbox.route = Some(self.route());
                }
                Some(b'@') => {
                    self.cursor.bump();
                    mailbox.local = if has_at {
                        self.is_clean = false;
                        with_at(std::mem::take(&mut mailbox.local), &mailbox.domain)
                    } else {
                        self.local_part(&words)
                    };
                    has_at = true;
                    words.clear();
                    mailbox.domain = self.domain();
                }
                Some(b':' | b')') => {
                    self.cursor.bump();
                    self.is_clean = false;
                }
                Some(_) => {
                    self.is_clean &= !has_at;
                    words.push(self.word(after_space));
                }
            }
        }
        if !has_at {
            mailbox.local = self.local_part(&words);
        }
        mailbox
    }

    /// `@a,@b:` before the address. RFC 5322 §4.4.
    fn route(&mut self) -> Cow<'a, [u8]> {
        let start = self.cursor.rest();
        let route = self
            .cursor
            .take_while(|byte| !matches!(byte, b':' | b'>' | b'<'));
        if self.cursor.eat(b':') {
            return crate::header::unfold(route);
        }
        self.is_clean = false;
        crate::header::unfold(start.get(..route.len()).unwrap_or_default())
    }

    fn domain(&mut self) -> Cow<'a, [u8]> {
        self.skip_space_and_comments_if_more();
        if self.cursor.peek() == Some(b'[') {
            let inner = self
                .cursor
                .take_while(|byte| !matches!(byte, b']' | b'>' | b','));
            let len = inner.len();
            if self.cursor.eat(b']') {
                let mut whole = inner.to_vec();
                whole.push(b']');
                whole.retain(|byte| !is_space(*byte));
                return Cow::Owned(whole);
            }
            self.is_clean = false;
            return Cow::Borrowed(inner.get(1..len).unwrap_or_default());
        }
        let first = self.cursor.take_while(is_atom);
        if first.ends_with(b".") || self.dot_follows() {
            return self.obsolete_domain(first);
        }
        Cow::Borrowed(first)
    }

    /// `example . org`: white space and comments around the dots. RFC 5322 §4.4.
    fn obsolete_domain(&mut self, first: &[u8]) -> Cow<'a, [u8]> {
        let mut whole = first.to_vec();
        while whole.ends_with(b".") || self.dot_follows() {
            self.cursor.skip_cfws();
            let atom = self.cursor.take_while(is_atom);
            if atom.is_empty() {
                break;
            }
            whole.extend_from_slice(atom);
        }
        Cow::Owned(whole)
    }

    fn dot_follows(&self) -> bool {
        let mut ahead = self.cursor.clone();
        ahead.skip_cfws();
        ahead.peek() == Some(b'.')
    }

    /// Between "@" and the domain; but a comment at the end may be the name.
    fn skip_space_and_comments_if_more(&mut self) {
        let mut ahead = self.cursor.clone();
        ahead.skip_cfws();
        if ahead
            .peek()
            .is_some_and(|byte| byte == b'[' || is_atom(byte))
        {
            self.cursor = ahead;
        }
    }

    fn word(&mut self, after_space: bool) -> Word<'a> {
        if self.cursor.peek() == Some(b'"') {
            return Word {
                text: self.cursor.quoted(),
                after_space,
                is_quoted: true,
            };
        }
        let text = match self.cursor.encoded_word() {
            Some(word) => word,
            None => self.cursor.take_while(is_atom),
        };
        Word {
            text: Cow::Borrowed(text),
            after_space,
            is_quoted: false,
        }
    }

    /// The gathered words as a name.
    fn phrase(&mut self) -> Option<Cow<'a, [u8]>> {
        let words = std::mem::take(&mut self.words);
        (!words.is_empty()).then(|| joined(&words, |_, word| word.after_space))
    }

    /// Without the white space that obsolete syntax allows around dots; other white space stays, and is wrong.
    fn local_part(&mut self, words: &[Word<'a>]) -> Cow<'a, [u8]> {
        let is_apart = |before: &Word<'a>, word: &Word<'a>| {
            word.after_space && !ends_with_dot(before) && !word.text.starts_with(b".")
        };
        self.is_clean &= !words
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if is_apart(a, b)));
        joined(words, is_apart)
    }

    /// Words joined by dots or nothing, from the end.
    fn local_part_start(&self) -> usize {
        let mut start = self.words.len();
        while start > 0 {
            let at = start - 1;
            let Some(word) = self.words.get(at) else {
                break;
            };
            start = at;
            let dot_before = at > 0
                && self
                    .words
                    .get(at - 1)
                    .is_some_and(|before| ends_with_dot(before));
            if word.after_space && !word.text.starts_with(b".") && !dot_before {
                break;
            }
        }
        start
    }
}

/// `local@domain` as the beginning of something longer. Once it is longer than any address it grows no more, so that
/// "@@@@…" does not cost its square.
fn with_at<'a>(local: Cow<'a, [u8]>, domain: &[u8]) -> Cow<'a, [u8]> {
    if local.len() > ADDRESS_BYTES_MAX {
        return local;
    }
    Cow::Owned([&*local, b"@", domain].concat())
}

fn ends_with_dot(word: &Word<'_>) -> bool {
    !word.is_quoted && word.text.ends_with(b".")
}

/// Words in one piece, with a space between those that are apart.
fn joined<'a>(
    words: &[Word<'a>],
    is_apart: impl Fn(&Word<'a>, &Word<'a>) -> bool,
) -> Cow<'a, [u8]> {
    if let [only] = words {
        return only.text.clone();
    }
    let mut out = Vec::new();
    let mut before = None;
    for word in words {
        if before.is_some_and(|before| is_apart(before, word)) {
            out.push(b' ');
        }
        out.extend_from_slice(&word.text);
        before = Some(word);
    }
    Cow::Owned(out)
}

/// Dots belong to atoms here; brackets and backslashes too, outside of their places.
fn is_atom(byte: u8) -> bool {
    !is_space(byte)
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'"'
        )
}
