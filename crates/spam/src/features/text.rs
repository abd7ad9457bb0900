//! Features of the text that shows, of the hidden one, and of the subject: words, pairs, letters, measures.

use super::shape::{bucket, fact, share};
use super::words::{self, Oddities};
use super::{Group, Sink};
use crate::{Sight, hash, limits};

/// How much of the hidden text is looked at.
const HIDDEN_WORDS_MAX: usize = 300;

/// How much of a subject is looked at, in words and bytes.
const SUBJECT_WORDS_MAX: usize = 40;
const SUBJECT_BYTES_MAX: usize = 200;

pub(super) fn describe(sight: &Sight, sink: &mut impl Sink) {
    subject(sight, sink);
    let mut last = 0;
    let mut count = 0;
    let mut bytes = 0;
    let odd = words::cut(&sight.text, limits::WORDS_MAX, |word, written| {
        count += 1;
        bytes += written.len();
        sink.put(Group::Word, word, || text_of(written));
        sink.put(Group::Pair, hash::with(last, word), || text_of(written));
        last = word;
    });
    measures(sight, &odd, count, bytes, sink);
    let mut hidden = 0;
    words::cut(&sight.hidden, HIDDEN_WORDS_MAX, |word, written| {
        hidden += 1;
        sink.put(Group::Hidden, word, || text_of(written));
    });
    fact(sink, Group::Measure, "hidden words", bucket(hidden));
    let lines = sight.text.lines().take(2_000);
    let quoted = lines
        .filter(|line| line.trim_start().starts_with('>'))
        .count();
    fact(sink, Group::Measure, "quoted lines", bucket(quoted).min(4));
    let marks = sight.text.matches("wrote:").take(3).count();
    fact(sink, Group::Measure, "answers", bucket(marks).min(2));
}

fn text_of(written: &[u8]) -> String {
    String::from_utf8_lossy(written).into_owned()
}

fn measures(sight: &Sight, odd: &Oddities, count: usize, bytes: usize, sink: &mut impl Sink) {
    let mut measure = |name, value| fact(sink, Group::Measure, name, value);
    measure("words", bucket(count));
    measure(
        "average word",
        u64::try_from(bytes * 2 / count.max(1))
            .unwrap_or_default()
            .min(24),
    );
    measure("upper case", share(odd.upper * 3, odd.letters));
    measure("digits", share(odd.digits * 3, odd.letters + odd.digits));
    measure("not ascii", share(odd.not_ascii, odd.letters));
    measure("exclamations", bucket(odd.exclamations).min(5));
    measure("money", bucket(odd.money).min(5));
    measure("emoji", bucket(odd.emoji).min(5));
    measure("invisible", bucket(odd.invisible).min(6));
    measure("mixed scripts", bucket(odd.mixed).min(4));
    measure("fancy letters", bucket(odd.fancy).min(4));
    measure("spaced words", bucket(odd.spaced).min(3));
    measure("long words", bucket(odd.long).min(4));
    measure("addresses", bucket(odd.addresses).min(4));
    measure("size", bucket(sight.size / 256).min(12));
    measure("links per word", share(sight.links.len() * 5, count));
}

fn subject(sight: &Sight, sink: &mut impl Sink) {
    let subject = &sight.subject;
    let end = subject.floor_char_boundary(SUBJECT_BYTES_MAX);
    let subject = subject.get(..end).unwrap_or_default();
    let mut last = 0;
    let mut count = 0;
    let odd = words::cut(subject, SUBJECT_WORDS_MAX, |word, written| {
        sink.put(Group::Subject, word, || text_of(written));
        sink.put(Group::Subject, hash::with(last, word), || text_of(written));
        // What the subject says, the text says too.
        sink.put(Group::Word, word, || text_of(written));
        last = word;
        count += 1;
    });
    letters(subject, 1, sink);
    let mut measure = |name, value| fact(sink, Group::Measure, name, value);
    measure("subject words", bucket(count));
    measure("subject upper case", share(odd.upper, odd.letters));
    measure("subject exclamations", bucket(odd.exclamations).min(3));
    measure("subject money", bucket(odd.money).min(2));
    measure("subject emoji", bucket(odd.emoji).min(2));
    measure(
        "subject digits",
        share(odd.digits * 2, odd.letters + odd.digits),
    );
    measure("subject invisible", bucket(odd.invisible).min(2));
    measure("subject mixed", bucket(odd.mixed + odd.fancy).min(2));
    measure("subject asks", u64::from(subject.trim_end().ends_with('?')));
    measure("subject spaces", u64::from(subject.contains("   ")));
}

/// Four and five letters in a row.
pub(super) fn letters(text: &str, salt: u64, sink: &mut impl Sink) {
    let lower = text.to_lowercase();
    let bytes = lower.as_bytes();
    for len in [4, 5] {
        for window in bytes.windows(len).take(SUBJECT_BYTES_MAX) {
            let of = hash::with(hash::of(window), salt);
            sink.put(Group::Letters, of, || text_of(window));
        }
    }
}
