//! The one id of a message from its first byte to its last delivery.
//! The caller brings the randomness.

use std::fmt;
use std::str::FromStr;

/// Crockford's base32: no I, L, O, U, so that it can be read aloud and typed.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Sixteen characters of Crockford base32: 80 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId([u8; 10]);

/// The text is not sixteen characters of Crockford base32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trace id is 16 characters of 0-9 and A-Z without I, L, O, U")]
pub struct TraceIdError;

impl TraceId {
    pub const fn from_random(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    pub const fn to_bytes(self) -> [u8; 10] {
        self.0
    }

    fn chars(self) -> [u8; 16] {
        let mut out = [0; 16];
        let mut bits = 0_u32;
        let mut held = 0;
        let mut at = out.iter_mut();
        for byte in self.0 {
            bits = bits << 8 | u32::from(byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                if let Some(slot) = at.next() {
                    *slot = ALPHABET[(bits >> held & 31) as usize];
                }
            }
        }
        out
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars = self.chars();
        f.pad(std::str::from_utf8(&chars).unwrap_or_default())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl FromStr for TraceId {
    type Err = TraceIdError;

    /// Either case; I and L are read as 1, O as 0, as Crockford asks.
    fn from_str(text: &str) -> Result<Self, TraceIdError> {
        if text.len() != 16 {
            return Err(TraceIdError);
        }
        let mut out = [0; 10];
        let mut at = out.iter_mut();
        let mut bits = 0_u32;
        let mut held = 0;
        for byte in text.bytes() {
            let byte = match byte.to_ascii_uppercase() {
                b'I' | b'L' => b'1',
                b'O' => b'0',
                other => other,
            };
            let value = ALPHABET
                .iter()
                .position(|&c| c == byte)
                .ok_or(TraceIdError)?;
            bits = bits << 5 | value as u32;
            held += 5;
            if held >= 8 {
                held -= 8;
                if let Some(slot) = at.next() {
                    *slot = (bits >> held) as u8;
                }
            }
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests;
