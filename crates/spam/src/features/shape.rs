//! Shapes: what remains of an identifier when its letters and digits are forgotten. Hashes of small things.

use super::{Group, Sink};
use crate::hash;

/// Bytes on the stack; what does not fit is cut.
pub(super) struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Buffer<N> {
    pub fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    #[inline]
    pub fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    pub fn extend(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.push(byte);
        }
    }

    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    pub fn last(&self) -> Option<u8> {
        self.as_slice().last().copied()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.as_slice()).into_owned()
    }
}

/// `a` for a run of lower-case letters, `A` for upper-case ones, `0` for digits; the rest as it is.
pub(super) fn of(bytes: &[u8]) -> Buffer<48> {
    let mut shape = Buffer::new();
    for &byte in bytes {
        let class = match byte {
            b'a'..=b'z' => b'a',
            b'A'..=b'Z' => b'A',
            b'0'..=b'9' => b'0',
            128.. => b'~',
            b'\t' => b' ',
            other => other,
        };
        let is_run =
            matches!(class, b'a' | b'A' | b'0' | b'~' | b' ') && shape.last() == Some(class);
        if !is_run {
            shape.push(class);
        }
        if shape.len() == 48 {
            break;
        }
    }
    shape
}

/// Lower case, digits as `0`.
pub(super) fn lower(bytes: &[u8]) -> Buffer<64> {
    let mut out = Buffer::new();
    for &byte in bytes.iter().take(64) {
        out.push(if byte.is_ascii_digit() {
            b'0'
        } else {
            byte.to_ascii_lowercase()
        });
    }
    out
}

/// A named fact with a small value.
#[inline]
pub(super) fn fact(sink: &mut impl Sink, group: Group, name: &'static str, value: u64) {
    let of = hash::with(hash::of(name.as_bytes()), value);
    sink.put(group, of, || format!("{name}: {value}"));
}

/// A named fact with text.
#[inline]
pub(super) fn said(sink: &mut impl Sink, group: Group, name: &'static str, value: &[u8]) {
    let of = hash::with(hash::of(name.as_bytes()), hash::of(value));
    sink.put(group, of, || {
        format!("{name} {}", String::from_utf8_lossy(value))
    });
}

/// The bucket of a count: 0, 1, 2, 3-4, 5-8, 9-16 …
pub(super) fn bucket(count: usize) -> u64 {
    match count {
        0 => 0,
        1 => 1,
        _ => u64::from(usize::BITS - (count - 1).leading_zeros()) + 1,
    }
}

/// The bucket of a share: tenths, and apart nothing and all.
pub(super) fn share(part: usize, whole: usize) -> u64 {
    match (part, whole) {
        (_, 0) => 99,
        (0, _) => 0,
        (part, whole) if part >= whole => 11,
        (part, whole) => 1 + u64::try_from(part * 10 / whole).unwrap_or_default(),
    }
}
