//! Flags and keywords between their forms on the wire and in the store.

use store::{Flags, Keywords, Marks, Placement};
use wire::imap::Flag;

/// What a client gave, for the store.
pub(super) fn marks(given: Vec<Flag>) -> Marks {
    let mut marks = Marks::none();
    for flag in given {
        match system(&flag) {
            Some(bit) => marks.flags = marks.flags.with(bit),
            None => {
                if let Flag::Keyword(keyword) = flag {
                    marks.keywords.push(keyword);
                }
            }
        }
    }
    marks
}

/// The bit of a system flag.
pub(super) fn system(flag: &Flag) -> Option<Flags> {
    Some(match flag {
        Flag::Answered => Flags::ANSWERED,
        Flag::Flagged => Flags::FLAGGED,
        Flag::Deleted => Flags::DELETED,
        Flag::Seen => Flags::SEEN,
        Flag::Draft => Flags::DRAFT,
        Flag::Keyword(_) => return None,
    })
}

const NAMES: [(Flags, &[u8]); 5] = [
    (Flags::ANSWERED, b"\\Answered"),
    (Flags::DELETED, b"\\Deleted"),
    (Flags::DRAFT, b"\\Draft"),
    (Flags::FLAGGED, b"\\Flagged"),
    (Flags::SEEN, b"\\Seen"),
];

/// Whether the dictionary has a name for each keyword of the row.
pub(super) fn knows_all(keywords: &Keywords, row: &Placement) -> bool {
    row.keywords.is_empty()
        || row
            .keywords
            .iter()
            .all(|keyword| keywords.name(keyword).is_some())
}

/// Appends `FLAGS (\Seen Work)`.
pub(super) fn write(out: &mut Vec<u8>, row: &Placement, keywords: &Keywords) {
    out.extend_from_slice(b"FLAGS (");
    let start = out.len();
    for (flag, name) in NAMES {
        if row.flags.has(flag) {
            separate(out, start);
            out.extend_from_slice(name);
        }
    }
    for keyword in row.keywords.iter() {
        if let Some(name) = keywords.name(keyword) {
            separate(out, start);
            out.extend_from_slice(name.as_bytes());
        }
    }
    out.push(b')');
}

/// Appends all system flags and all keywords, for FLAGS and PERMANENTFLAGS.
pub(super) fn write_all(out: &mut Vec<u8>, keywords: &Keywords) {
    out.extend_from_slice(b"\\Answered \\Deleted \\Draft \\Flagged \\Seen");
    for (_, name) in keywords.iter() {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
    }
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b' ');
    }
}
