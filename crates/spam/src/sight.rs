//! What a filter sees of a message: header, text that shows and text that does not, links, parts.
//! Taken apart once, bounded in everything; malformed messages are read as mail programs would. No judgement here.

use mail::structure::Kind;
use mail::{Structure, decode_transfer, mailboxes};

use crate::{attachments, limits};

pub(crate) mod files;
mod html;
mod links;

pub use html::Page;
pub use links::{Link, LinkKind, host_of};

/// A message taken apart.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// In the order of the message.
    pub fields: Vec<Field>,
    pub from: Vec<Mailbox>,
    pub reply_to: Vec<Mailbox>,
    /// To and Cc.
    pub to: Vec<Mailbox>,
    /// Decoded.
    pub subject: String,
    /// What a reader sees of all text parts; a line end between blocks.
    pub text: String,
    /// How much of `text` came from HTML.
    pub text_of_pages_bytes: usize,
    /// What HTML hides from its reader.
    pub hidden: String,
    pub links: Vec<Link>,
    /// The HTML parts together.
    pub page: Page,
    pub parts: Vec<Part>,
    /// Of the whole message.
    pub size: usize,
    pub(crate) files: files::Files,
    /// What is dangerous about its files, once that was looked for.
    pub(crate) dangers: Option<Vec<attachments::Dangerous>>,
}

/// A header field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// As written.
    pub name: String,
    /// Unfolded, not decoded.
    pub raw: Vec<u8>,
}

/// Somebody in From, Reply-To, To or Cc.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded; empty if there is none.
    pub name: String,
    /// As written.
    pub local: String,
    /// Lower case; empty if there is none.
    pub domain: String,
}

/// A part that is not a multipart.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Such as `application/pdf`, lower case.
    pub media_type: String,
    /// Lower case; empty if there is none.
    pub charset: String,
    pub encoding: mail::Encoding,
    pub name: Option<String>,
    /// Content-Disposition says so.
    pub is_attachment: bool,
    /// It is a picture or the like that a page shows: it has a Content-ID.
    pub has_id: bool,
    /// Text that mail programs show.
    pub is_shown_text: bool,
    /// How deep in the tree, 0 for the root.
    pub depth: usize,
    /// As it lies in the message.
    pub size: usize,
    /// The beginning of the content, decoded, or the whole of an archive; empty for shown text.
    pub content: Vec<u8>,
    /// There is more than `content`.
    pub is_cut: bool,
}

impl Sight {
    /// Looks at a message as it came. Never fails.
    pub fn of(message: &[u8]) -> Self {
        let mut sight = Self {
            size: message.len(),
            ..Self::default()
        };
        sight.look_at_header(message);
        let structure = Structure::of(message);
        sight.look_at_parts(message, &structure);
        sight.look_at_second_types(message, &structure);
        sight.files = files::Files::of(message, &structure);
        sight
    }

    /// Looks for what is dangerous about its files, and gives back the memory that they take.
    #[must_use]
    pub fn looked_into(mut self) -> Self {
        self.dangers = Some(attachments::look(&self));
        for part in &mut self.parts {
            part.content = Vec::new();
        }
        self.files = files::Files::default();
        self
    }

    /// As if it had been looked at with what the message got on top since.
    #[must_use]
    pub fn stamped(&self, message: &[u8]) -> Self {
        let mut stamped = self.clone();
        let field = mail::header::fields(message).next();
        if let Some((field, name)) = field.and_then(|field| Some((field, text(field.name)?))) {
            let raw = mail::header::unfold(field.value).into_owned();
            stamped.fields.insert(0, Field { name, raw });
            stamped.fields.truncate(limits::FIELDS_MAX);
        }
        stamped.size = message.len();
        stamped
    }

    /// The first field of this name (any case).
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// The decoded text of the first field of this name.
    pub fn field_text(&self, name: &str) -> Option<String> {
        self.field(name).map(Field::text)
    }

    pub fn has_field(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    fn look_at_header(&mut self, message: &[u8]) {
        let block = &message[..message.len().min(limits::HEADER_BYTES_MAX)];
        for field in mail::header::fields(block).take(limits::FIELDS_MAX) {
            let Ok(name) = std::str::from_utf8(field.name) else {
                continue;
            };
            // Lines that are no field: an mbox separator, or what a broken relay wrote.
            if name.is_empty() {
                continue;
            }
            let mut raw = mail::header::unfold(field.value).into_owned();
            raw.truncate(limits::FIELD_BYTES_MAX);
            self.fields.push(Field {
                name: name.to_owned(),
                raw,
            });
        }
        self.subject = self.field_text("subject").unwrap_or_default();
        self.from = self.mailboxes("from");
        self.reply_to = self.mailboxes("reply-to");
        self.to = self.mailboxes("to");
        let cc = self.mailboxes("cc");
        self.to.extend(cc);
    }

    /// The mailboxes of the first field of this name.
    pub fn mailboxes(&self, name: &str) -> Vec<Mailbox> {
        let Some(field) = self.field(name) else {
            return Vec::new();
        };
        mailboxes::flatten(mailboxes::parse(&field.raw))
            .take(limits::MAILBOXES_MAX)
            .map(|mailbox| Mailbox {
                name: mailbox.display_name().unwrap_or_default(),
                local: String::from_utf8_lossy(&mailbox.local).into_owned(),
                domain: String::from_utf8_lossy(&mailbox.domain).to_lowercase(),
            })
            .collect()
    }

    fn look_at_parts(&mut self, message: &[u8], structure: &Structure) {
        let mut room = Room::default();
        let mut ends: Vec<usize> = Vec::new();
        for part in structure.parts().iter().take(limits::PARTS_MAX) {
            ends.retain(|&end| part.header.start < end);
            let depth = ends.len();
            if !matches!(part.kind, Kind::Leaf) {
                ends.push(part.body.end);
                if matches!(part.kind, Kind::Multipart { .. }) {
                    self.parts.push(Part {
                        media_type: format!("{}/{}", part.media_type, part.media_subtype),
                        depth,
                        size: part.body.len(),
                        ..Part::default()
                    });
                    continue;
                }
            }
            let body = message.get(part.body.clone()).unwrap_or_default();
            let mut seen = Part {
                media_type: format!("{}/{}", part.media_type, part.media_subtype),
                charset: part.charset().unwrap_or_default().to_ascii_lowercase(),
                encoding: part.encoding,
                name: part.file_name(),
                is_attachment: part.disposition.as_deref() == Some("attachment"),
                has_id: part.id.is_some(),
                is_shown_text: part.is_shown_text(),
                depth,
                size: body.len(),
                ..Part::default()
            };
            if seen.is_shown_text {
                let source = &body[..body.len().min(limits::TEXT_SOURCE_BYTES_MAX)];
                let content = decode_transfer(source, part.encoding);
                let text = mail::charset::decode(&content, Some(&seen.charset));
                self.look_at_text(&text, part.media_subtype == "html");
            } else if matches!(part.kind, Kind::Leaf) {
                let name = seen.name.as_deref().unwrap_or_default();
                (seen.content, seen.is_cut) = room.content(body, part.encoding, name);
            }
            self.parts.push(seen);
        }
    }

    /// Of two types some mail programs believe the first, others the last: what is seen with the last is added.
    fn look_at_second_types(&mut self, message: &[u8], structure: &Structure) {
        let mut first = first_types_of_two(message, structure);
        if first.is_empty() {
            return;
        }
        let mut changed = message.to_vec();
        for _ in 0..limits::TYPES_TWICE_MAX {
            for at in first {
                if let Some(letter) = changed.get_mut(at) {
                    *letter = b'X';
                }
            }
            let structure = Structure::of(&changed);
            self.look_at_parts(&changed, &structure);
            first = first_types_of_two(&changed, &structure);
            if first.is_empty() {
                return;
            }
        }
    }

    fn look_at_text(&mut self, text: &str, is_html: bool) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let before = self.text.len();
        // Some senders label pages as plain text; mail programs show the markup, but the words are inside.
        if is_html || looks_like_page(text) {
            html::read(text, self);
            self.text_of_pages_bytes += self.text.len().saturating_sub(before);
        } else {
            links::find_plain(text, &mut self.links);
            push_bounded(&mut self.text, text, limits::TEXT_BYTES_MAX);
        }
    }
}

impl Field {
    /// In any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Decoded.
    pub fn text(&self) -> String {
        mail::words::decode(&self.raw)
    }
}

impl Mailbox {
    /// As it would be written, without the name.
    pub fn address(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }
}

/// How much of attached files may still be decoded.
struct Room {
    heads: usize,
    archives: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            heads: limits::ATTACHMENTS_BYTES_MAX,
            archives: limits::ARCHIVES_BYTES_MAX,
        }
    }
}

impl Room {
    /// The beginning of an attached file or the whole of an archive, and whether there is more.
    fn content(&mut self, body: &[u8], encoding: mail::Encoding, name: &str) -> (Vec<u8>, bool) {
        let head = limits::ATTACHMENT_BYTES_MAX
            .min(self.heads)
            .max(limits::ATTACHMENT_BYTES_MIN)
            .min(body.len());
        self.heads = self.heads.saturating_sub(head);
        let content = decode_transfer(&body[..head], encoding);
        if head == body.len() {
            return (content.into_owned(), false);
        }
        let whole = self.archives.min(body.len());
        if whole <= head || !attachments::is_read_whole(&content, name) {
            return (content.into_owned(), true);
        }
        self.archives -= whole;
        let content = decode_transfer(&body[..whole], encoding);
        (content.into_owned(), whole < body.len())
    }
}

fn text(name: &[u8]) -> Option<String> {
    std::str::from_utf8(name).ok().map(str::to_owned)
}

/// Where the fields stand that name a part's type before another one does.
fn first_types_of_two(message: &[u8], structure: &Structure) -> Vec<usize> {
    let mut all = Vec::new();
    for part in structure.parts().iter().take(limits::PARTS_MAX) {
        let header = message.get(part.header.clone()).unwrap_or_default();
        let fields = mail::header::fields(header).filter(|field| field.is("content-type"));
        // Each name is a piece of the header: how far from its beginning is where it stands.
        let places = fields.map(|field| field.name.as_ptr().addr() - header.as_ptr().addr());
        let mut types: Vec<usize> = places.map(|place| part.header.start + place).collect();
        types.pop();
        all.extend(types);
    }
    all
}

fn looks_like_page(text: &str) -> bool {
    let start = text.trim_start();
    let starts = |with: &str| {
        start
            .get(..with.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    starts("<html") || starts("<!doctype html") || starts("<body") || starts("<head")
}

/// Appends what fits, cut between characters.
fn push_bounded(text: &mut String, more: &str, bytes_max: usize) {
    let room = bytes_max.saturating_sub(text.len());
    let end = if more.len() <= room {
        more.len()
    } else {
        more.floor_char_boundary(room)
    };
    text.push_str(more.get(..end).unwrap_or_default());
}

#[cfg(test)]
mod tests;
