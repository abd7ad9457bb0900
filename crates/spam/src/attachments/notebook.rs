//! Files inside OneNote's notebooks: each in an object of its own, whose mark is sought. [MS-ONESTORE] §2.6.13

use memchr::memmem;

use super::archive::{Entry, Listing, Place};

/// FileDataStoreObject.
const MARK: &[u8] = &[
    0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac,
];

/// Behind the mark: the length, twelve bytes of nothing, the content.
const CONTENT: usize = 36;

pub(super) fn list(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    for at in memmem::find_iter(bytes, MARK) {
        let Some(length) = bytes.get(at + 16..at + 24) else {
            break;
        };
        let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        let entry = Entry {
            name: format!("file {}", listing.entries.len() + 1),
            size,
            packed: size,
            place: Place::Stored(at + CONTENT),
            ..Entry::default()
        };
        if listing.push(entry).is_none() {
            break;
        }
    }
    listing
}
