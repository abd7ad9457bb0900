//! Carries out on a message what a filter wants changed: header fields and body. The envelope is the caller's.

use mail::header;

use super::reply::Change;

/// The message with these changes, in their order; nothing where none concerns it. Each change sees what the former did.
pub fn apply(message: &[u8], changes: &[Change]) -> Option<Vec<u8>> {
    let concerns = |change: &Change| {
        matches!(
            change,
            Change::AddHeader { .. }
                | Change::InsertHeader { .. }
                | Change::ChangeHeader { .. }
                | Change::ReplaceBody(_)
        )
    };
    if !changes.iter().any(concerns) {
        return None;
    }
    let mut edited = Edited::of(message);
    for change in changes {
        edited.change(change);
    }
    Some(edited.write())
}

/// A message in pieces.
struct Edited<'m> {
    /// Whole fields with their line ends, and lines that are none.
    fields: Vec<Piece<'m>>,
    /// The empty line.
    gap: &'m [u8],
    body: Piece<'m>,
}

enum Piece<'m> {
    Old(&'m [u8]),
    New(Vec<u8>),
}

impl Piece<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Old(bytes) => bytes,
            Self::New(bytes) => bytes,
        }
    }

    fn is(&self, name: &str) -> bool {
        header::fields(self.bytes())
            .next()
            .is_some_and(|field| field.is(name))
    }
}

impl<'m> Edited<'m> {
    fn of(message: &'m [u8]) -> Self {
        let cut = |from: usize, to: usize| message.get(from..to).unwrap_or_default();
        let mut fields = Vec::new();
        let mut end = 0;
        for field in header::fields(message) {
            fields.push(Piece::Old(cut(field.start, field.end)));
            end = field.end;
        }
        let body = header::extent(message).end;
        Self {
            fields,
            gap: cut(end, body),
            body: Piece::Old(cut(body, message.len())),
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::AddHeader { name, value } => self.fields.push(field(name, value)),
            Change::InsertHeader { at, name, value } => {
                // A first line that is none would become part of what stands before it.
                let folded = |piece: &Piece<'_>| {
                    piece.bytes().starts_with(b" ") || piece.bytes().starts_with(b"\t")
                };
                let first = usize::from(self.fields.first().is_some_and(folded));
                let at = (*at as usize).max(first).min(self.fields.len());
                self.fields.insert(at, field(name, value));
            }
            Change::ChangeHeader {
                number,
                name,
                value,
            } => self.change_header(*number, name, value),
            Change::ReplaceBody(body) => self.body = Piece::New(strict(body)),
            Change::AddRecipient { .. }
            | Change::DeleteRecipient(_)
            | Change::ChangeSender { .. }
            | Change::Quarantine(_) => {}
        }
    }

    fn change_header(&mut self, number: u32, name: &str, value: &[u8]) {
        let named = self
            .fields
            .iter()
            .enumerate()
            .filter(|(_, piece)| piece.is(name))
            .nth((number as usize).saturating_sub(1))
            .map(|(at, _)| at);
        match named {
            Some(at) if value.is_empty() => {
                self.fields.remove(at);
            }
            Some(at) => {
                if let Some(old) = self.fields.get_mut(at) {
                    *old = field(name, value);
                }
            }
            // As sendmail has it: what is not there is added.
            None if value.is_empty() => {}
            None => self.fields.push(field(name, value)),
        }
    }

    fn write(self) -> Vec<u8> {
        let fields = self.fields.iter().map(Piece::bytes);
        let size: usize = fields.clone().map(<[u8]>::len).sum();
        let mut out = Vec::with_capacity(size + self.body.bytes().len() + 8);
        for field in fields {
            out.extend_from_slice(field);
            // The last line of a message without an end of the line, before something that is now after it.
            if !field.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
        match self.gap {
            [] => out.extend_from_slice(b"\r\n"),
            gap => out.extend_from_slice(gap),
        }
        out.extend_from_slice(self.body.bytes());
        out
    }
}

fn field(name: &str, value: &[u8]) -> Piece<'static> {
    Piece::New([name.as_bytes(), b":", value, b"\r\n"].concat())
}

/// CR LF at each line's end and nowhere else; NUL, which no message may hold, is left out.
fn strict(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 64);
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            0 => {}
            other => out.push(other),
        }
    }
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests;
