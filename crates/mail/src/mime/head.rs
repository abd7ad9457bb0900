//! The header of one part, read once: the fields that matter, raw.

use crate::defect::{Defect, Defects};
use crate::envelope::EnvelopeFields;
use crate::header::Fields;

/// The fields of a header that envelope, structure and threading are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head<'a> {
    pub envelope: EnvelopeFields<'a>,
    pub references: Option<&'a [u8]>,
    pub content_type: Option<&'a [u8]>,
    pub encoding: Option<&'a [u8]>,
    pub id: Option<&'a [u8]>,
    pub description: Option<&'a [u8]>,
    pub md5: Option<&'a [u8]>,
    pub disposition: Option<&'a [u8]>,
    pub languages: Option<&'a [u8]>,
    pub location: Option<&'a [u8]>,
    /// After the empty line.
    pub body_start: usize,
}

impl<'a> Head<'a> {
    /// Reads up to the empty line, or to a delimiter of the multipart around it.
    pub(crate) fn read(
        bytes: &'a [u8],
        start: usize,
        defects: &mut Defects,
        is_delimiter: impl Fn(usize) -> bool,
    ) -> Self {
        let mut head = Self::default();
        let mut fields = Fields::from(bytes, start);
        loop {
            let at = fields.position();
            if bytes.get(at) == Some(&b'-') && is_delimiter(at) {
                head.body_start = at;
                return head;
            }
            let Some(field) = fields.next() else { break };
            if field.name.is_empty() {
                defects.add(Defect::HeaderLineMalformed);
            } else {
                head.take(field.name, field.value, defects);
            }
        }
        if !fields.is_terminated() {
            defects.add(Defect::HeaderUnterminated);
        }
        head.body_start = fields.end();
        head
    }

    /// Of fields that may stand once the first counts, but addresses of all recipients are kept.
    fn take(&mut self, name: &[u8], value: &'a [u8], defects: &mut Defects) {
        let envelope = &mut self.envelope;
        let (slot, is_single) = match lower(name).as_slice() {
            b"to" => return push(&mut envelope.to, value, defects),
            b"cc" => return push(&mut envelope.cc, value, defects),
            b"bcc" => return push(&mut envelope.bcc, value, defects),
            b"from" => (&mut envelope.from, true),
            b"date" => (&mut envelope.date, true),
            b"sender" => (&mut envelope.sender, true),
            b"subject" => (&mut envelope.subject, true),
            b"reply-to" => (&mut envelope.reply_to, true),
            b"message-id" => (&mut envelope.message_id, true),
            b"in-reply-to" => (&mut envelope.in_reply_to, true),
            b"references" => (&mut self.references, true),
            b"content-type" => (&mut self.content_type, true),
            b"content-transfer-encoding" => (&mut self.encoding, true),
            b"content-disposition" => (&mut self.disposition, true),
            b"content-id" => (&mut self.id, true),
            b"content-description" => (&mut self.description, true),
            b"content-md5" => (&mut self.md5, false),
            b"content-language" => (&mut self.languages, false),
            b"content-location" => (&mut self.location, false),
            _ => return,
        };
        if slot.is_none() {
            *slot = Some(value);
        } else if is_single {
            defects.add(Defect::FieldRepeated);
        }
    }
}

fn push<'a>(values: &mut Vec<&'a [u8]>, value: &'a [u8], defects: &mut Defects) {
    if !values.is_empty() {
        defects.add(Defect::FieldRepeated);
    }
    values.push(value);
}

/// The longest name above.
const NAME_BYTES_MAX: usize = 25;

/// A name in lower case on the stack; longer ones are none of ours and come out empty.
struct Lower {
    bytes: [u8; NAME_BYTES_MAX],
    len: usize,
}

impl Lower {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

fn lower(name: &[u8]) -> Lower {
    let mut lower = Lower {
        bytes: [0; NAME_BYTES_MAX],
        len: 0,
    };
    if let Some(slot) = lower.bytes.get_mut(..name.len()) {
        slot.copy_from_slice(name);
        slot.make_ascii_lowercase();
        lower.len = name.len();
    }
    lower
}
