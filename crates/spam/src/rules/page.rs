//! What the page does: forms, programs, hidden and disguised text, pictures instead of words.

use super::phrases::List;
use super::{Case, registrable};
use crate::limits;
use crate::lookalike;
use crate::reasons::{Finding, Kind};
use crate::sight::LinkKind;

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Finding>) {
    let page = &case.sight.page;
    if page.password_inputs > 0 {
        found.push(Finding::bare(Kind::PasswordForm));
    } else if page.forms > 0 && page.inputs > 0 {
        let form = case
            .targets
            .iter()
            .find(|target| target.link.kind == LinkKind::Form);
        let host = form.map_or("", |form| form.host.as_str());
        let is_authors = registrable(host) == registrable(case.author_domain());
        if !host.is_empty() && !is_authors {
            found.push(Finding::new(Kind::FormInside, [host]));
        }
    }
    if page.scripts > 0 {
        found.push(Finding::bare(Kind::ScriptInside));
    }
    let hidden = case.sight.hidden.len();
    if hidden > limits::HIDDEN_MANY && hidden > 2 * case.sight.text.len() {
        found.push(Finding::bare(Kind::HiddenText));
    }
    if cuts(&case.sight.text) >= limits::CUT_WORDS_MIN
        || cuts(&case.sight.subject) > 0
        || case.author.is_some_and(|author| cuts(&author.name) > 0)
    {
        found.push(Finding::bare(Kind::SplitWords));
    }
    // Identifiers in links have capitals anywhere; letters of other alphabets they have not.
    let pieces = foreign_pieces(&case.sight.text);
    let mut disguised = pieces
        .flat_map(lookalike::disguised_words)
        .filter(|word| !word.is_ascii());
    let first = disguised.next();
    if let (Some(word), true) = (
        first,
        disguised.take(limits::DISGUISED_WORDS_MIN).count() + 1 >= limits::DISGUISED_WORDS_MIN,
    ) {
        found.push(Finding::new(Kind::DisguisedText, [word]));
    }
    picture(case, found);
}

/// The pieces between white space that are not all ASCII.
fn foreign_pieces(text: &str) -> impl Iterator<Item = &str> {
    let text = if text.is_ascii() { "" } else { text };
    text.split_ascii_whitespace()
        .filter(|piece| !piece.is_ascii())
}

/// Invisible characters between letters of a word.
pub(super) fn cuts(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    // All of them begin with one of two bytes, and have three.
    memchr::memchr2_iter(0xe2, 0xef, bytes)
        .filter(|at| {
            let is_invisible = matches!(
                bytes.get(*at..at + 3),
                // U+200B, U+200D, U+2060, U+2062, U+2063, U+FEFF
                Some(
                    [0xe2, 0x80, 0x8b | 0x8d]
                        | [0xe2, 0x81, 0xa0 | 0xa2 | 0xa3]
                        | [0xef, 0xbb, 0xbf]
                )
            );
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            is_invisible && is_letter(before) && is_letter(bytes.get(at + 3))
        })
        .take(limits::CUT_WORDS_MIN)
        .count()
}

fn picture(case: &Case<'_>, found: &mut Vec<Finding>) {
    let page = &case.sight.page;
    let attached = case
        .sight
        .parts
        .iter()
        .any(|part| part.media_type.starts_with("image/"));
    let images = page.images > page.tiny_images || attached;
    let letters = case
        .sight
        .text
        .chars()
        .filter(|c| c.is_alphabetic())
        .take(limits::HARDLY_A_WORD)
        .count();
    let links = case
        .targets
        .iter()
        .filter(|target| target.link.kind == LinkKind::Anchor)
        .count();
    if images && letters < limits::HARDLY_A_WORD && links > 0 {
        found.push(Finding::bare(Kind::PictureOnly));
    }
    let scan = case.said.first(List::Scan);
    let sent_along = page.inline_images > 0 || page.data_images > 0 || attached;
    if let (Some(words), true, true) = (scan, sent_along, links <= limits::QR_LINKS_MAX) {
        found.push(Finding::new(Kind::QrCode, [words]));
    }
}
