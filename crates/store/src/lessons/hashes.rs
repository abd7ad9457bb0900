//! A set of hashes as bytes: sorted, each as the difference to the one before, seven bits a byte.

/// Sorted and without doubles.
pub(super) fn set_of(features: &[u64]) -> Vec<u64> {
    let mut set = features.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}

/// Of a set as [`set_of`] makes it.
pub(super) fn write(set: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(set.len() * 5);
    let mut before = 0;
    for feature in set {
        let mut rest = feature.wrapping_sub(before);
        before = *feature;
        while 0x7f < rest {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes
}

pub(super) fn read(bytes: &[u8]) -> Vec<u64> {
    let mut set = Vec::with_capacity(bytes.len() / 4);
    let (mut before, mut rest, mut shift) = (0_u64, 0_u64, 0_u32);
    for byte in bytes {
        rest |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            before = before.wrapping_add(rest);
            set.push(before);
            (rest, shift) = (0, 0);
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{read, set_of, write};

    proptest! {
        #[test]
        fn what_is_written_is_read(features: Vec<u64>) {
            let set = set_of(&features);
            prop_assert_eq!(read(&write(&set)), set);
        }

        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).len() <= bytes.len());
        }
    }

    #[test]
    fn small_hashes_take_little_room() {
        let set: Vec<u64> = (0..300).map(|at| at * 14_000_000).collect();
        assert!(write(&set).len() <= 300 * 4);
    }
}
