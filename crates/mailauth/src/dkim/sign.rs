//! Signing a message with any number of keys in one pass over its body (RFC 6376 §5, RFC 8463).
//! The message has strict CRLF line ends and is in the form in which it will be sent.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::canonicalize::{BodyHash, relaxed_field};
use super::headers::{SelectedFields, select};
use super::keys::SigningKey;
use super::limits::FOLD_COLUMNS;

#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignError {
    #[error("the message has no From field, so there is nothing to vouch for")]
    NoFrom,
    #[error("the message has too many header fields")]
    TooManyFields,
    #[error("the key {0} refused to sign")]
    Key(String),
}

/// The DKIM-Signature fields to put in front of the message, one for each key, each with its line
/// end. `at` is in seconds since 1970.
pub fn sign(message: &[u8], keys: &[&SigningKey], at: u64) -> Result<Vec<u8>, SignError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let selected = select(message);
    if !selected.has_from {
        return Err(SignError::NoFrom);
    }
    if selected.too_many {
        return Err(SignError::TooManyFields);
    }
    let body_hash = STANDARD.encode(BodyHash::of(selected.body));
    let header_hash = hash_fields(&selected);
    let names = selected.names.join(":");
    let mut out = Vec::with_capacity(keys.len() * 1_024);
    for key in keys {
        let unsigned = unsigned_value(key, &names, &body_hash, at);
        let mut hash = header_hash.clone();
        let mut canonical = Vec::with_capacity(unsigned.len() + 16);
        // RFC 6376 §3.7: the signature's own field comes last, with an empty b=, without CRLF.
        relaxed_field(b"dkim-signature", unsigned.as_bytes(), &mut canonical);
        hash.update(&canonical);
        let Some(signature) = key.sign_digest(&hash.finish()) else {
            return Err(SignError::Key(format!("{key:?}")));
        };
        out.extend_from_slice(b"DKIM-Signature:");
        out.extend_from_slice(unsigned.as_bytes());
        fold_into(&signature, &mut out);
        out.extend_from_slice(b"\r\n");
    }
    Ok(out)
}

fn hash_fields(selected: &SelectedFields<'_>) -> digest::Context {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut canonical = Vec::with_capacity(1_024);
    for (name, value) in &selected.fields {
        canonical.clear();
        relaxed_field(name, value, &mut canonical);
        canonical.extend_from_slice(b"\r\n");
        hash.update(&canonical);
    }
    hash
}

/// The value of the field up to and with `b=`.
fn unsigned_value(key: &SigningKey, names: &str, body_hash: &str, at: u64) -> String {
    let mut value = format!(
        " v=1; a={}; c=relaxed/relaxed;\r\n\td={}; s={};\r\n\tt={at}; bh={body_hash};\r\n\th=",
        key.algorithm().signature_name(),
        key.domain(),
        key.selector(),
    );
    let mut column = 10;
    for (index, name) in names.split(':').enumerate() {
        if index > 0 {
            value.push(':');
            column += 1;
        }
        if column + name.len() > FOLD_COLUMNS {
            value.push_str("\r\n\t ");
            column = 9;
        }
        value.push_str(name);
        column += name.len();
    }
    value.push_str(";\r\n\tb=");
    value
}

/// RFC 6376 §3.5: white space within `b=` is ignored, so the signature may be folded anywhere.
fn fold_into(signature: &str, out: &mut Vec<u8>) {
    let mut rest = signature.as_bytes();
    let mut room = FOLD_COLUMNS - 10;
    while let Some((line, after)) = rest.split_at_checked(room) {
        out.extend_from_slice(line);
        rest = after;
        if rest.is_empty() {
            return;
        }
        out.extend_from_slice(b"\r\n\t");
        room = FOLD_COLUMNS - 8;
    }
    out.extend_from_slice(rest);
}
