//! The canonical forms of header fields and bodies (RFC 6376 §3.4).
//! Bodies are hashed while they are read: the canonical body is never held as a whole.

use aws_lc_rs::digest;

use super::limits::{HASH_AT_ONCE, HASH_CHUNK};
use super::message::Field;

/// How much a message may change on its way before a signature breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Simple,
    Relaxed,
}

/// Where canonical bytes go.
pub(super) trait Sink {
    fn take(&mut self, bytes: &[u8]);
}

impl Sink for digest::Context {
    fn take(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

/// Hashes a body in relaxed form, in one pass over pieces of any size.
pub struct BodyHash(Relaxed<digest::Context>);

impl Default for BodyHash {
    fn default() -> Self {
        Self::new()
    }
}

impl BodyHash {
    pub fn new() -> Self {
        Self(Relaxed::new(digest::Context::new(&digest::SHA256)))
    }

    /// The SHA-256 of the canonical form of a whole body.
    pub fn of(body: &[u8]) -> [u8; 32] {
        let mut hash = Self::new();
        hash.update(body);
        hash.finish()
    }

    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub fn finish(self) -> [u8; 32] {
        bytes_of(&self.0.finish().finish())
    }
}

pub(super) fn bytes_of(digest: &digest::Digest) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// RFC 6376 §3.4.3: the empty lines at the end are one line end, also where there is no body at all.
pub(super) fn simple_body<S: Sink>(body: &[u8], mut sink: S) -> S {
    let mut kept = body;
    while let Some(shorter) = kept.strip_suffix(b"\r\n") {
        kept = shorter;
    }
    sink.take(kept);
    sink.take(b"\r\n");
    sink
}

/// RFC 6376 §3.4.4, in one pass over pieces of any size.
///
/// Lines end with CRLF. A CR or LF alone is an ordinary byte here: who signs sends strict line
/// ends, and who verifies must not see a line where another reader sees none.
pub(super) struct Relaxed<S> {
    sink: S,
    buffer: Vec<u8>,
    /// Empty lines seen and not yet known to be trailing.
    empty_lines: u64,
    /// White space was seen and not yet known to be trailing.
    space: bool,
    /// A CR was seen and the next byte is not yet known.
    carriage_return: bool,
    /// The current line has content.
    in_line: bool,
}

impl<S: Sink> Relaxed<S> {
    pub(super) fn new(sink: S) -> Self {
        Self {
            sink,
            buffer: Vec::with_capacity(HASH_CHUNK + 64),
            empty_lines: 0,
            space: false,
            carriage_return: false,
            in_line: false,
        }
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        let mut rest = piece;
        loop {
            if !self.in_line && !self.space && !self.carriage_return {
                rest = self.plain_lines(rest);
            }
            let Some((&byte, tail)) = rest.split_first() else {
                return;
            };
            if self.carriage_return {
                self.carriage_return = false;
                if byte == b'\n' {
                    self.end_line();
                    rest = tail;
                    continue;
                }
                self.content(b"\r");
            }
            match byte {
                b'\r' => self.carriage_return = true,
                b' ' | b'\t' => self.space = true,
                _ => {
                    let run = plain_run(rest);
                    let (plain, after) = rest.split_at(run);
                    self.content(plain);
                    rest = after;
                    continue;
                }
            }
            rest = tail;
        }
    }

    pub(super) fn finish(mut self) -> S {
        if self.carriage_return {
            self.carriage_return = false;
            self.content(b"\r");
        }
        // RFC 6376 §3.4.4: a last line without CRLF gets one; an empty body stays empty.
        if self.in_line {
            self.buffer.extend_from_slice(b"\r\n");
        } else if self.space && self.empty_lines == 0 {
            // Only white space without a line end: the reduced line is empty, hence trailing.
            self.space = false;
        }
        self.sink.take(&self.buffer);
        self.sink
    }

    fn content(&mut self, bytes: &[u8]) {
        self.empty_lines_count();
        if self.space {
            self.space = false;
            self.buffer.push(b' ');
        }
        self.in_line = true;
        self.buffer.extend_from_slice(bytes);
        self.spill();
    }

    /// Takes the lines at the start that have white space at their ends at most, which nearly all lines
    /// of real mail are; gives back the rest.
    fn plain_lines<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        // Lines that are their own canonical form and wait to be taken together: from, to.
        let (mut from, mut to) = (0, 0);
        for at in memchr::memchr_iter(b'\n', bytes) {
            let Some(line) = bytes.get(to..at).and_then(|line| line.strip_suffix(b"\r")) else {
                break;
            };
            let content = without_space_at_end(line);
            if !is_plain(content) {
                break;
            }
            if content.len() < line.len() || content.is_empty() {
                self.lines(bytes.get(from..to).unwrap_or_default());
                match content.is_empty() {
                    true => self.empty_lines += 1,
                    false => {
                        self.lines(content);
                        self.buffer.extend_from_slice(b"\r\n");
                    }
                }
                from = at + 1;
            }
            to = at + 1;
        }
        self.lines(bytes.get(from..to).unwrap_or_default());
        bytes.get(to..).unwrap_or_default()
    }

    /// Canonical bytes that begin a line.
    fn lines(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.empty_lines_count();
        if bytes.len() < HASH_AT_ONCE {
            self.buffer.extend_from_slice(bytes);
            self.spill();
        } else {
            self.sink.take(&self.buffer);
            self.buffer.clear();
            self.sink.take(bytes);
        }
    }

    /// Empty lines that are not the last ones after all.
    fn empty_lines_count(&mut self) {
        for _ in 0..std::mem::take(&mut self.empty_lines) {
            self.buffer.extend_from_slice(b"\r\n");
            self.spill();
        }
    }

    fn end_line(&mut self) {
        self.space = false;
        if self.in_line {
            self.in_line = false;
            self.buffer.extend_from_slice(b"\r\n");
        } else {
            self.empty_lines += 1;
        }
    }

    fn spill(&mut self) {
        if self.buffer.len() >= HASH_CHUNK {
            self.sink.take(&self.buffer);
            self.buffer.clear();
        }
    }
}

fn without_space_at_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    line.get(..end.map_or(0, |last| last + 1))
        .unwrap_or_default()
}

/// No tab, bare CR or double space.
fn is_plain(line: &[u8]) -> bool {
    // Without an early end, so that the compiler can look at many bytes at once.
    let next = line.get(1..).unwrap_or_default();
    let odd = line.iter().zip(next).fold(0, |found, (one, two)| {
        let double = u8::from(*one == b' ') & u8::from(*two == b' ');
        found | double | u8::from(*one == b'\t') | u8::from(*one == b'\r')
    });
    odd == 0 && line.last() != Some(&b'\r')
}

/// How many bytes from the start are neither white space nor CR; at most a chunk, so that the
/// buffer stays small.
fn plain_run(bytes: &[u8]) -> usize {
    let window = bytes.get(..HASH_CHUNK).unwrap_or(bytes);
    memchr::memchr3(b' ', b'\t', b'\r', window).unwrap_or(window.len())
}

/// One header field in canonical form, with its line end.
pub(crate) fn field(form: Form, field: &Field<'_>, out: &mut Vec<u8>) {
    match form {
        Form::Simple => out.extend_from_slice(field.text()),
        Form::Relaxed => relaxed_field(field.name, field.value, out),
    }
    out.extend_from_slice(b"\r\n");
}

/// The field of a signature as it was signed: the value of its `b=` cut out (it is at this place of
/// the field's value), and without a line end. RFC 6376 §3.7.
pub(crate) fn unsigned_field(
    form: Form,
    field: &Field<'_>,
    signature: &std::ops::Range<usize>,
    out: &mut Vec<u8>,
) {
    let before = field.value.get(..signature.start).unwrap_or_default();
    let after = field.value.get(signature.end..).unwrap_or_default();
    match form {
        Form::Simple => {
            let head = field.raw.len() - field.value.len();
            out.extend_from_slice(field.raw.get(..head).unwrap_or_default());
            out.extend_from_slice(before);
            out.extend_from_slice(after.strip_suffix(b"\r\n").unwrap_or(after));
        }
        Form::Relaxed => relaxed_field(field.name, &[before, after].concat(), out),
    }
}

/// One header field in relaxed form, without the line end: lower-case name, unfolded value, white
/// space reduced to single spaces and cut at both ends. RFC 6376 §3.4.2.
pub fn relaxed_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let name = name.trim_ascii_end();
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let start = out.len();
    let mut space = false;
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        match byte {
            b' ' | b'\t' => space = true,
            // A line end goes with its two bytes; one of them alone is content, as in bodies.
            b'\r' if tail.first() == Some(&b'\n') => {
                rest = tail.get(1..).unwrap_or_default();
                continue;
            }
            _ => {
                if space && out.len() > start {
                    out.push(b' ');
                }
                space = false;
                let run = memchr::memchr3(b' ', b'\t', b'\r', tail).unwrap_or(tail.len());
                out.push(byte);
                let (plain, after) = tail.split_at(run);
                out.extend_from_slice(plain);
                rest = after;
                continue;
            }
        }
        rest = tail;
    }
}
