//! Finding the reports in a message: whatever the parts call themselves, however they are packed, in
//! messages within messages too. A file that is no message but the report itself is taken as well.

use mail::structure::Kind;
use mail::{Message, Part};

use super::limits::{NESTING_MAX, PARTS_MAX, REPORTS_MAX};
use super::unpack::{Packing, Room, UnpackError, packing, unpack};

/// What was found in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unwrapped {
    pub attachments: Vec<Attachment>,
    /// What looked like a report but could not be unpacked.
    pub refused: Vec<Refused>,
}

/// A report, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What the file is called, if it is.
    pub name: Option<String>,
    pub form: Form,
    pub bytes: Vec<u8>,
    /// Its packing was damaged; this is what came out.
    pub damaged: bool,
}

/// Which parser it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// XML, for [`super::aggregate::parse`].
    Aggregate,
    /// JSON, for [`super::tls::parse`].
    Tls,
    /// A whole multipart/report message, for [`super::failure::parse`].
    Failure,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub name: Option<String>,
    pub why: UnpackError,
}

/// Finds the reports in a message, or in a bare file.
#[must_use]
pub fn unwrap(bytes: &[u8]) -> Unwrapped {
    let mut search = Search {
        room: Room::new(),
        found: Unwrapped::default(),
    };
    let bare = bytes.trim_ascii_start();
    match (packing(bytes), form(bare)) {
        (None, None) => search.message(bytes, 0),
        (None, Some(form)) => search.add(None, form, bytes.to_vec(), false),
        (Some(packing), _) => search.packed(None, packing, bytes, 0),
    }
    search.found
}

struct Search {
    room: Room,
    found: Unwrapped,
}

impl Search {
    fn message(&mut self, bytes: &[u8], depth: usize) {
        let message = Message::parse(bytes);
        let parts = message.structure().parts();
        if parts
            .iter()
            .any(|part| part.media_subtype.ends_with("feedback-report"))
        {
            self.add(None, Form::Failure, bytes.to_vec(), false);
            return;
        }
        for part in parts.iter().take(PARTS_MAX) {
            let is_closed_message = matches!(part.kind, Kind::Message { child: None, .. });
            if matches!(part.kind, Kind::Leaf) || is_closed_message {
                self.part(&message, part, depth);
            }
        }
    }

    fn part(&mut self, message: &Message<'_>, part: &Part, depth: usize) {
        let content = message.content(part);
        let content = content.trim_ascii_start();
        self.file(
            part.file_name(),
            content,
            false,
            depth,
            part.is_shown_text(),
        );
    }

    /// Something that may be a report, a packed one, or a message that has one. Text for people is
    /// a report only if it says so itself.
    fn file(
        &mut self,
        name: Option<String>,
        bytes: &[u8],
        damaged: bool,
        depth: usize,
        is_text: bool,
    ) {
        match (packing(bytes), form(bytes)) {
            (Some(Packing::Base64), _) if is_text => {}
            (Some(packing), _) => self.packed(name, packing, bytes, depth),
            (None, Some(form)) => self.add(name, form, bytes.to_vec(), damaged),
            (None, None) if is_message(name.as_deref()) && depth < NESTING_MAX => {
                self.message(bytes, depth + 1);
            }
            // An empty file that is named like a report should not vanish.
            (None, None) if bytes.is_empty() && is_report(name.as_deref()) => {
                self.refuse(name, UnpackError::Empty);
            }
            // Whatever is named like a report is handed to its parser, which says what is wrong.
            (None, None) if is_report(name.as_deref()) => {
                let form = if has_ending(name.as_deref(), ".json") {
                    Form::Tls
                } else {
                    Form::Aggregate
                };
                self.add(name, form, bytes.to_vec(), damaged);
            }
            (None, None) => {}
        }
    }

    fn packed(&mut self, name: Option<String>, how: Packing, bytes: &[u8], depth: usize) {
        if NESTING_MAX <= depth {
            self.refuse(name, UnpackError::Bomb);
            return;
        }
        match unpack(how, bytes, &mut self.room) {
            Err(why) => self.refuse(name, why),
            Ok(inside) => {
                for unpacked in inside {
                    let name = unpacked.name.or_else(|| name.clone());
                    let bytes = unpacked.bytes.trim_ascii_start();
                    self.file(name, bytes, unpacked.damaged, depth + 1, false);
                }
            }
        }
    }

    fn add(&mut self, name: Option<String>, form: Form, bytes: Vec<u8>, damaged: bool) {
        if self.found.attachments.len() < REPORTS_MAX {
            let name = name.map(|name| super::tidy(&name, 200));
            self.found.attachments.push(Attachment {
                name,
                form,
                bytes,
                damaged,
            });
        } else {
            self.refuse(name, UnpackError::TooLarge);
        }
    }

    fn refuse(&mut self, name: Option<String>, why: UnpackError) {
        if self.found.refused.len() < REPORTS_MAX {
            let name = name.map(|name| super::tidy(&name, 200));
            self.found.refused.push(Refused { name, why });
        }
    }
}

/// What bytes are, by their beginning.
fn form(bytes: &[u8]) -> Option<Form> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.get(..bytes.len().min(4_000)).unwrap_or_default();
    match bytes {
        [0xff, 0xfe, b'<', 0, ..] | [0xfe, 0xff, 0, b'<', ..] => Some(Form::Aggregate),
        [b'<', ..] if has(head, b"<feedback") || has(head, b":feedback") => Some(Form::Aggregate),
        [b'{', ..] if has(head, b"\"policies\"") || has(head, b"\"organization-name\"") => {
            Some(Form::Tls)
        }
        _ => None,
    }
}

fn has(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

fn has_ending(name: Option<&str>, ending: &str) -> bool {
    name.is_some_and(|name| name.to_ascii_lowercase().ends_with(ending))
}

fn is_message(name: Option<&str>) -> bool {
    has_ending(name, ".eml")
}

fn is_report(name: Option<&str>) -> bool {
    [
        ".xml", ".json", ".xml.gz", ".json.gz", ".xml.zip", ".gz", ".zip",
    ]
    .iter()
    .any(|ending| has_ending(name, ending))
}
