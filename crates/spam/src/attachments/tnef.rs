//! Names inside `winmail.dat`, the bundle that Outlook makes of its attachments.

use super::archive::{Entry, Listing};
use crate::limits;

/// The attribute with a file's name.
const TITLE: u32 = 0x0001_8010;
/// The attribute with a file's content.
const DATA: u32 = 0x0006_800f;

/// After signature and key: level, attribute, length, content, checksum; again and again.
pub(super) fn list(bytes: &[u8]) -> Listing {
    let mut listing = Listing::default();
    let mut rest = bytes.get(6..).unwrap_or_default();
    while let Some(head) = rest.get(..9) {
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
                    ..Entry::default()
                });
            }
            // The content stands before its name in some, after it in others: it is looked at on its own.
            DATA if listing.entries.len() < limits::TAR_CONTENTS_MAX => {
                listing.entries.push(Entry {
                    is_cut: content.len() > limits::UNPACKED_FILE_BYTES_MAX,
                    content: Some(
                        content
                            .get(..limits::UNPACKED_FILE_BYTES_MAX)
                            .unwrap_or(content)
                            .to_vec(),
                    ),
                    ..Entry::default()
                })
            }
            TITLE | DATA => listing.is_cut = true,
            _ => {}
        }
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    listing
}
