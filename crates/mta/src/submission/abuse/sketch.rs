//! What a message is like, whatever name it calls its reader by: a sketch of its words. Pure.
//!
//! Each word and each pair of neighbours is hashed into one of some ranges; of each range the smallest hash is kept. Two
//! messages share as large a part of these as of their words (one-permutation MinHash), so a name here and a number there
//! change little.

use mail::Message;
use store::sending::Sketch;

use super::limits::{SUBJECT_CHARS_MAX, TEXT_BYTES_MAX, WORDS_MAX};

const RANGES: usize = 32;

/// What is learnt of a message by looking at its text once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub(crate) sketch: Sketch,
    pub(crate) subject: String,
    /// A program says that it wrote it. RFC 3834 §5.
    pub(crate) automatic: bool,
}

impl Look {
    pub(crate) fn at(bytes: &[u8]) -> Self {
        let message = Message::parse(bytes);
        let subject = message.header_text("Subject").unwrap_or_default();
        let automatic = message
            .header_text("Auto-Submitted")
            .is_some_and(|value| !value.trim().eq_ignore_ascii_case("no"));
        let mut words = words_of(&subject);
        for part in message.structure().own_parts() {
            if words.len() >= WORDS_MAX {
                break;
            }
            if !part.is_shown_text() {
                words.push(format!("part {}", message.content(part).len()));
                continue;
            }
            let text = message.text(part);
            let text = beginning(&text);
            match part.media_subtype == "html" {
                true => words.extend(words_of(&without_tags(text))),
                false => words.extend(words_of(text)),
            }
        }
        words.truncate(WORDS_MAX);
        Self {
            sketch: sketch(&words),
            subject: subject.chars().take(SUBJECT_CHARS_MAX).collect(),
            automatic,
        }
    }
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Words in lower case; what has a digit in it is a number or a code, and they are all alike.
fn words_of(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .map(
            |word| match word.contains(|letter: char| letter.is_numeric()) {
                true => "#".to_owned(),
                false => word.to_lowercase(),
            },
        )
        .collect()
}

/// The shown text, and the hosts that links lead to.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        if let Some((_, address)) = tag.split_once("://") {
            let host = address.split(['/', '?', '"', '\'', ' ']).next();
            text.push_str(host.unwrap_or_default());
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

fn sketch(words: &[String]) -> Sketch {
    let mut smallest = [u64::MAX; RANGES];
    let mut add = |hash: u64| {
        let range = usize::try_from(hash >> 59).unwrap_or(0) % RANGES;
        if let Some(known) = smallest.get_mut(range) {
            *known = (*known).min(hash);
        }
    };
    for word in words {
        add(hash_of(&[word]));
    }
    for pair in words.windows(2) {
        if let [one, two] = pair {
            add(hash_of(&[one, two]));
        }
    }
    let bytes = smallest.iter().flat_map(|hash| {
        let bits = match *hash {
            u64::MAX => u16::MAX,
            // The lowest bits are as good as any, and all set means that there is nothing.
            hash => u16::try_from(hash & 0xffff).unwrap_or(0).min(u16::MAX - 1),
        };
        bits.to_be_bytes()
    });
    match words.is_empty() {
        true => Sketch::default(),
        false => Sketch(bytes.collect()),
    }
}

fn hash_of(words: &[&String]) -> u64 {
    // FNV-1a, and a mix at the end so that the high bits are as even as the low ones.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in words {
        for byte in word.bytes().chain([b' ']) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
