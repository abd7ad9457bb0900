//! BODY and BODYSTRUCTURE as IMAP sends them. RFC 9051 §7.5.2 and the `body` rule of §9.
//! Whatever the message was, what comes out here fits the grammar.

use super::{Extension, Kind, Part, Structure};
use crate::imap_string::{push_nstring, push_number, push_string};
use crate::parameters::Parameters;

impl Structure {
    /// The parenthesised text of BODY or BODYSTRUCTURE, ready to send.
    pub fn body_structure(&self, extension: Extension) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.parts.len() * 96);
        self.push_part(&mut out, self.root(), extension);
        out
    }

    /// Recursion is bounded: no tree is deeper than `MIME_DEPTH_MAX`.
    fn push_part(&self, out: &mut Vec<u8>, part: &Part, extension: Extension) {
        out.push(b'(');
        match &part.kind {
            Kind::Multipart { children } => {
                for child in children.iter().filter_map(|&child| self.parts.get(child)) {
                    self.push_part(out, child, extension);
                }
                out.push(b' ');
                push_string(out, part.media_subtype.as_bytes());
                if extension == Extension::With {
                    out.push(b' ');
                    push_parameters(out, &part.parameters);
                    push_extension(out, part);
                }
            }
            Kind::Leaf => {
                push_fields(out, part);
                if part.media_type == "text" {
                    out.push(b' ');
                    push_number(out, part.lines);
                }
                push_leaf_extension(out, part, extension);
            }
            Kind::Message { envelope, child } => {
                push_fields(out, part);
                out.push(b' ');
                out.extend_from_slice(envelope);
                out.push(b' ');
                match child.and_then(|child| self.parts.get(child)) {
                    Some(child) => self.push_part(out, child, extension),
                    // The grammar wants a body here even if none could be read.
                    None => out.extend_from_slice(b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)"),
                }
                out.push(b' ');
                push_number(out, part.lines);
                push_leaf_extension(out, part, extension);
            }
        }
        out.push(b')');
    }
}

/// `media-type SP media-subtype SP body-fields`
fn push_fields(out: &mut Vec<u8>, part: &Part) {
    push_string(out, part.media_type.as_bytes());
    out.push(b' ');
    push_string(out, part.media_subtype.as_bytes());
    out.push(b' ');
    push_parameters(out, &part.parameters);
    out.push(b' ');
    push_nstring(out, part.id.as_deref());
    out.push(b' ');
    push_nstring(out, part.description.as_deref());
    out.push(b' ');
    push_string(
        out,
        part.encoding_name
            .as_deref()
            .unwrap_or(part.encoding.as_str())
            .as_bytes(),
    );
    out.push(b' ');
    push_number(out, part.body.len());
}

fn push_leaf_extension(out: &mut Vec<u8>, part: &Part, extension: Extension) {
    if extension == Extension::With {
        out.push(b' ');
        push_nstring(out, part.md5.as_deref());
        push_extension(out, part);
    }
}

/// Disposition, language, location.
fn push_extension(out: &mut Vec<u8>, part: &Part) {
    match &part.disposition {
        Some(disposition) => {
            out.extend_from_slice(b" (");
            push_string(out, disposition.as_bytes());
            out.push(b' ');
            push_parameters(out, &part.disposition_parameters);
            out.push(b')');
        }
        None => out.extend_from_slice(b" NIL"),
    }
    if part.languages.is_empty() {
        out.extend_from_slice(b" NIL");
    } else {
        out.extend_from_slice(b" (");
        for (at, language) in part.languages.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            push_string(out, language);
        }
        out.push(b')');
    }
    out.push(b' ');
    push_nstring(out, part.location.as_deref());
}

fn push_parameters(out: &mut Vec<u8>, parameters: &Parameters) {
    if parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (at, (name, value)) in parameters.iter().enumerate() {
        out.push(if at == 0 { b'(' } else { b' ' });
        push_string(out, name.as_bytes());
        out.push(b' ');
        push_string(out, value);
    }
    out.push(b')');
}
