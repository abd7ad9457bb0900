//! The hash of features. It is part of the model's format and of what learning stores: it never changes.

const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0xd6e8_feb8_6659_fd93;

/// Bytes to 64 bits, eight at a time.
#[inline]
pub(crate) fn of(bytes: &[u8]) -> u64 {
    let mut state = FIRST ^ (bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        state = with(state, u64::from_le_bytes(eight));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut eight = [0; 8];
        for (slot, byte) in eight.iter_mut().zip(rest) {
            *slot = *byte;
        }
        state = with(state, u64::from_le_bytes(eight));
    }
    last(state)
}

/// [`of`] of the first bytes of three times eight, of which the others are nothing.
#[inline]
pub(crate) fn of_padded(bytes: &[u8; 24], len: usize) -> u64 {
    let mut state = FIRST ^ (len as u64);
    let (eights, _) = bytes.as_chunks::<8>();
    for eight in eights.iter().take(len.div_ceil(8)) {
        state = with(state, u64::from_le_bytes(*eight));
    }
    last(state)
}

/// One more number into a hash.
#[inline]
pub(crate) fn with(state: u64, more: u64) -> u64 {
    let mixed = (state.rotate_left(23) ^ more).wrapping_mul(SECOND);
    mixed ^ (mixed >> 32)
}

#[inline]
fn last(state: u64) -> u64 {
    let mixed = (state ^ (state >> 29)).wrapping_mul(FIRST);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::{of, of_padded};

    #[test]
    fn padding_changes_nothing() {
        let letters = *b"abcdefghijklmnopqrstuvwx";
        for len in 0..=letters.len() {
            let mut padded = [0; 24];
            padded[..len].copy_from_slice(&letters[..len]);
            assert_eq!(of_padded(&padded, len), of(&letters[..len]), "{len}");
        }
    }
}
