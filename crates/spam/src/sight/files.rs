//! Files of a message that its tree of parts does not show as mail programs do: other names of a part, files in the text
//! of a letter (uuencode), parts beyond those that are looked at, a message inside that is encoded against the rules.
//! Only for the look at attachments: features and rules do not know of them.

use mail::structure::Kind;
use mail::{Structure, decode_transfer};
use memchr::memmem;

use super::Part;
use crate::{attachments, limits};

/// What was found beside the parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) all: Vec<Part>,
    /// There is something that nobody looks into: pieces of a message, nesting without end, thousands of parts.
    pub(crate) hides: bool,
}

impl Files {
    pub(super) fn of(message: &[u8], structure: &Structure) -> Self {
        let mut files = Self::default();
        files.look(message, structure, limits::PARTS_MAX, 0);
        files
    }

    /// `seen` parts have been looked at already.
    fn look(&mut self, message: &[u8], structure: &Structure, seen: usize, encoded: usize) {
        let parts = structure.parts();
        self.hides |= mail::limits::MIME_PARTS_MAX <= parts.len();
        let mut ends: Vec<usize> = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            ends.retain(|&end| part.header.start < end);
            self.hides |= limits::NESTING_MAX <= ends.len();
            if !matches!(part.kind, Kind::Leaf) {
                ends.push(part.body.end);
            }
            // Somebody puts the pieces together; nobody sends them any more.
            self.hides |= part.is("message", "partial");
            let body = message.get(part.body.clone()).unwrap_or_default();
            let header = message.get(part.header.clone()).unwrap_or_default();
            if seen <= at && matches!(part.kind, Kind::Leaf) && !part.is_shown_text() {
                self.add(
                    part.file_name(),
                    body,
                    part.encoding,
                    limits::LATE_BYTES_MAX,
                );
            }
            let known = part.file_name();
            // What is called an archive or a picture is opened as such, whatever its type.
            if part.is_shown_text() && known.as_deref().is_some_and(attachments::is_file_name) {
                self.add(
                    known.clone(),
                    body,
                    part.encoding,
                    limits::ATTACHMENT_BYTES_MAX,
                );
            }
            for name in names(header) {
                if Some(&name) != known.as_ref() {
                    self.add(Some(name), &[], part.encoding, 0);
                }
            }
            if part.media_type == "text" || part.encoding == mail::Encoding::Uuencode {
                self.uuencoded(body);
            }
            let is_closed = matches!(part.kind, Kind::Message { child: None, .. });
            if is_closed && !part.encoding.is_identity() && part.is("message", "rfc822") {
                self.encoded(body, part.encoding, encoded);
            }
        }
    }

    fn add(&mut self, name: Option<String>, body: &[u8], encoding: mail::Encoding, most: usize) {
        if limits::FILES_BESIDE_MAX <= self.all.len() {
            self.hides = true;
            return;
        }
        let head = body.get(..most).unwrap_or(body);
        self.all.push(Part {
            name,
            encoding,
            is_attachment: true,
            size: body.len(),
            content: decode_transfer(head, encoding).into_owned(),
            is_cut: head.len() < body.len(),
            ..Part::default()
        });
    }

    /// `begin 644 invoice.exe` at the beginning of a line. Mail programs show what follows as a file.
    fn uuencoded(&mut self, body: &[u8]) {
        let mark = b"begin ";
        for at in memmem::find_iter(body, mark).take(limits::FILES_BESIDE_MAX) {
            let rest = body.get(at + mark.len()..).unwrap_or_default();
            let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(0));
            let line = line.unwrap_or_default().trim_ascii_end();
            let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let name = line.get(digits..).and_then(|rest| rest.strip_prefix(b" "));
            let is_at_start = at == 0 || body.get(at - 1) == Some(&b'\n');
            let Some(name) = name.filter(|_| is_at_start && matches!(digits, 3 | 4)) else {
                continue;
            };
            let name = name.get(..limits::FILE_NAME_BYTES_MAX).unwrap_or(name);
            let name = String::from_utf8_lossy(name).trim().to_owned();
            let file = body.get(at..).unwrap_or_default();
            let most = limits::ATTACHMENT_BYTES_MAX;
            self.add(Some(name), file, mail::Encoding::Uuencode, most);
        }
    }

    /// Outlook and others open such a message all the same. RFC 2046 §5.2.1
    fn encoded(&mut self, body: &[u8], encoding: mail::Encoding, encoded: usize) {
        if limits::ENCODED_MESSAGES_MAX <= encoded || limits::ENCODED_MESSAGE_BYTES_MAX < body.len()
        {
            self.hides = true;
            return;
        }
        let message = decode_transfer(body, encoding);
        let structure = Structure::of(&message);
        self.look(&message, &structure, 0, encoded + 1);
    }
}

/// Everything that a program could take for the name of a part: `name` and `filename`, also given twice, also where the
/// field is broken.
fn names(header: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    let fields = mail::header::fields(header);
    let fields = fields.filter(|field| field.is("content-type") || field.is("content-disposition"));
    for field in fields {
        let value = mail::header::unfold(field.value);
        let value = value.get(..limits::FIELD_BYTES_MAX).unwrap_or(&value);
        let lower = value.to_ascii_lowercase();
        for at in memmem::find_iter(&lower, b"name").take(limits::NAMES_OF_PART_MAX) {
            let rest = value.get(at + 4..).unwrap_or_default().trim_ascii_start();
            let Some(rest) = rest.strip_prefix(b"=") else {
                continue;
            };
            let rest = rest.trim_ascii_start();
            let raw = match rest.strip_prefix(b"\"") {
                Some(quoted) => quoted.split(|byte| *byte == b'"').next(),
                None => rest.split(|byte| *byte == b';').next(),
            };
            let name = mail::words::decode(raw.unwrap_or_default().trim_ascii());
            if !name.is_empty() && !all.contains(&name) {
                all.push(name);
            }
        }
    }
    all
}
