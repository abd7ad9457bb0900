//! Names inside `winmail.dat`, the bundle that Outlook makes of its attachments.

use super::archive::{Entry, Listing, Place};
use crate::limits;

/// The attribute with a file's name.
const TITLE: u32 = 0x0001_8010;
/// The attribute with a file's content.
const DATA: u32 = 0x0006_800f;

/// After signature and key: level, attribute, length, content, checksum; again and again.
pub(super) fn list(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut at = 6_usize;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(head) = rest.get(..9) else {
            break;
        };
        let attribute = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let length = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
        let Ok(length) = usize::try_from(length) else {
            break;
        };
        let Some(end) = length.checked_add(9) else {
            break;
        };
        let Some(content) = rest.get(9..end) else {
            break;
        };
        match attribute {
            TITLE if listing.entries.len() < limits::ARCHIVE_NAMES_MAX => {
                let name = content.split(|byte| *byte == 0).next().unwrap_or_default();
                let name = name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name);
                listing.entries.push(Entry {
                    name: String::from_utf8_lossy(name).into_owned(),
                    place: Place::Stored(bytes.len()),
                    ..Entry::default()
                });
            }
            // The content stands before its name in some, after it in others: it is looked at on its own.
            DATA if listing.entries.len() < limits::ARCHIVE_NAMES_MAX => {
                listing.entries.push(Entry {
                    size: length,
                    packed: length,
                    place: Place::Stored(at + 9),
                    ..Entry::default()
                });
            }
            TITLE | DATA => listing.is_cut = true,
            _ => {}
        }
        at = at.saturating_add(end + 2);
    }
    listing
}
