//! Groups of messages that belong together: the same subject but for numbers and answers' marks, or the same text.

use std::collections::HashMap;

use spam::Sight;

use super::Mail;

/// Subjects shorter than this say too little: `hello` is no campaign.
const SUBJECT_LETTERS_MIN: usize = 8;

/// Texts shorter than this are not compared.
const TEXT_LETTERS_MIN: usize = 20;

/// A group by its name in an index.
pub fn named(name: &str) -> u64 {
    let hash = fnv(name.as_bytes());
    hash >> 8
}

/// Groups of different corpora are different ones.
pub fn in_corpus(group: u64, corpus: usize) -> u64 {
    group ^ (corpus as u64) << 56
}

/// Finds the groups of messages without an index.
pub fn find(mails: &mut [Mail]) {
    let mut parents: Vec<usize> = (0..mails.len()).collect();
    let mut firsts: HashMap<u64, usize> = HashMap::new();
    for (at, mail) in mails.iter().enumerate() {
        let sight = Sight::of(&mail.bytes);
        let keys = [subject_key(&sight.subject), text_key(&sight.text)];
        for key in keys.into_iter().flatten() {
            let first = *firsts.entry(key).or_insert(at);
            let (one, other) = (root(&parents, first), root(&parents, at));
            let (low, high) = (one.min(other), one.max(other));
            if let Some(parent) = parents.get_mut(high) {
                *parent = low;
            }
        }
    }
    for at in 0..mails.len() {
        let group = root(&parents, at);
        let name = mails
            .get(group)
            .map(|mail| named(&mail.name))
            .unwrap_or_default();
        if let Some(mail) = mails.get_mut(at) {
            mail.group = name;
        }
    }
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while let Some(&parent) = parents.get(at).filter(|parent| **parent != at) {
        at = parent;
    }
    at
}

fn subject_key(subject: &str) -> Option<u64> {
    let mut rest = subject.trim();
    // Answers' marks and list names in brackets, however many.
    loop {
        let lower = rest.to_lowercase();
        let mark = ["re:", "fw:", "fwd:", "aw:", "wg:"]
            .iter()
            .find(|mark| lower.starts_with(**mark));
        rest = match (mark, rest.starts_with('['), rest.find(']')) {
            (Some(mark), _, _) => rest.get(mark.len()..).unwrap_or_default(),
            (None, true, Some(end)) => rest.get(end + 1..).unwrap_or_default(),
            _ => break,
        }
        .trim_start();
    }
    key(rest, SUBJECT_LETTERS_MIN, b's')
}

fn text_key(text: &str) -> Option<u64> {
    key(text, TEXT_LETTERS_MIN, b't')
}

/// Letters alone, in lower case.
fn key(text: &str, least: usize, salt: u8) -> Option<u64> {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let mut letters: String = letters.flat_map(char::to_lowercase).collect();
    if letters.chars().count() < least {
        return None;
    }
    letters.push(char::from(salt));
    Some(fnv(letters.as_bytes()))
}

/// FNV: groups are no secret.
fn fnv(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}
