//! Adding a link to the chain (RFC 8617 §5.1): what we saw, the message as we send it, and a seal
//! over all of it.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::chain::{MESSAGE_SIGNATURE, RESULTS, SEAL};
use super::limits::{FOLD_COLUMNS, INSTANCES_MAX};
use super::{Arc, ChainState, Reason};
use crate::dkim::canonicalize::{Form, field};
use crate::dkim::message::{Field, Message};
use crate::dkim::{Algorithm, BodyHash, SigningKey, relaxed_field, select};

/// A key to seal with, wherever it is kept.
pub trait SealKey: Sync {
    /// A-labels.
    fn domain(&self) -> &str;
    fn selector(&self) -> &str;
    fn algorithm(&self) -> Algorithm;
    /// The signature of the text's SHA-256 in base64.
    fn sign(&self, text: &[u8]) -> Option<String>;
}

impl SealKey for SigningKey {
    fn domain(&self) -> &str {
        SigningKey::domain(self)
    }

    fn selector(&self) -> &str {
        SigningKey::selector(self)
    }

    fn algorithm(&self) -> Algorithm {
        SigningKey::algorithm(self)
    }

    fn sign(&self, text: &[u8]) -> Option<String> {
        self.sign_digest(&digest::digest(&digest::SHA256, text))
    }
}

/// Who seals, and when.
#[derive(Clone, Copy)]
pub struct Sealer<'a> {
    pub key: &'a dyn SealKey,
    pub authserv_id: &'a str,
    /// Seconds since 1970.
    pub now: u64,
}

/// Adds a link to the chain of a message: the three fields to put in front of it, with their line
/// ends. The message has strict CRLF line ends and is in the form in which it will be sent;
/// `previous` is what [`super::validate`] said of it as it came in; `results` is what was found then,
/// as [`crate::results::summary`] writes it. `None` if nothing may be added (the chain is full, or
/// was already sealed as broken, or is not known to be whole) or the key cannot sign.
pub fn seal(message: &[u8], sealer: &Sealer<'_>, results: &str, previous: &Arc) -> Option<Vec<u8>> {
    // What our DKIM signatures cover, and the signatures of others (RFC 8617 §4.1.2).
    let mut names = select(message).names;
    names.push("DKIM-Signature");
    seal_fields(message, sealer, results, previous, &names)
}

/// As [`seal`], with the header fields that the message signature shall cover.
pub fn seal_fields(
    message: &[u8],
    sealer: &Sealer<'_>,
    results: &str,
    previous: &Arc,
    names: &[&str],
) -> Option<Vec<u8>> {
    // RFC 8617 §5.1: nobody adds to a chain that a sealer ended. Nor do we end one ourselves because the
    // DNS did not answer for a moment: unsealed it may still be found whole by the next.
    if previous.highest >= INSTANCES_MAX
        || previous.is_temporary()
        || previous.why
            == (Reason::SealedAsFailed {
                instance: previous.highest,
            })
    {
        return None;
    }
    let instance = previous.highest + 1;
    let split = Message::split(message);
    if split.too_many || split.torn_lines {
        return None;
    }
    let mut said = format!(" i={instance}; {};", sealer.authserv_id);
    fold_words(results, &mut said);
    let signature = message_signature(&split, sealer, instance, names)?;
    let cv = match (previous.cv, instance) {
        (ChainState::None, 2..) => ChainState::Fail,
        (cv, _) => cv,
    };
    let mut covered = Vec::with_capacity(4_096);
    if cv != ChainState::Fail {
        earlier_sets(&split, instance, &mut covered)?;
    }
    // RFC 8617 §5.1.2: the seal of a broken chain covers its own set alone.
    put(RESULTS, &said, &mut covered);
    put(MESSAGE_SIGNATURE, &signature, &mut covered);
    let seal = chain_seal(sealer, instance, cv, covered)?;
    let mut out = Vec::with_capacity(seal.len() + signature.len() + said.len() + 80);
    for (name, value) in [
        (SEAL, &seal),
        (MESSAGE_SIGNATURE, &signature),
        (RESULTS, &said),
    ] {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    Some(out)
}

/// The value of the ARC-Message-Signature.
fn message_signature(
    message: &Message<'_>,
    sealer: &Sealer<'_>,
    instance: u8,
    names: &[&str],
) -> Option<String> {
    let key = sealer.key;
    let before = format!(" a={};\r\n  b=", key.algorithm().signature_name());
    let mut after = format!(
        ";\r\n  bh={}; c=relaxed/relaxed;\r\n  d={}; h=",
        STANDARD.encode(BodyHash::of(message.body)),
        key.domain()
    );
    fold_names(names, &mut after);
    // dkimpy finds the field by a space (not a tab) before its i=.
    after.push_str(&format!(
        ";\r\n  i={instance}; s={}; t={}",
        key.selector(),
        sealer.now
    ));
    let mut text = Vec::with_capacity(4_096);
    let mut used = vec![false; message.fields.len()];
    for name in names {
        let fields = message.fields.iter().zip(used.iter_mut()).rev();
        let mut free = fields.filter(|(field, used)| !**used && field.is(name));
        if let Some((found, used)) = free.next() {
            *used = true;
            field(Form::Relaxed, found, &mut text);
        }
    }
    signed(MESSAGE_SIGNATURE, &before, &after, text, key)
}

/// The value of the ARC-Seal over what is covered.
fn chain_seal(
    sealer: &Sealer<'_>,
    instance: u8,
    cv: ChainState,
    covered: Vec<u8>,
) -> Option<String> {
    let key = sealer.key;
    let before = format!(" a={};\r\n  b=", key.algorithm().signature_name());
    let after = format!(
        ";\r\n  cv={}; d={}; i={instance}; s={};\r\n  t={}",
        cv.as_str(),
        key.domain(),
        key.selector(),
        sealer.now
    );
    signed(SEAL, &before, &after, covered, key)
}

/// The value with its signature, which covers the text and the field itself without the signature.
fn signed(
    name: &str,
    before: &str,
    after: &str,
    mut text: Vec<u8>,
    key: &dyn SealKey,
) -> Option<String> {
    relaxed_field(
        name.as_bytes(),
        format!("{before}{after}").as_bytes(),
        &mut text,
    );
    let signature = key.sign(&text)?;
    // In one piece: the next seal covers its white space too, and other sealers do not fold it.
    Some(format!("{before}{signature}{after}"))
}

/// The sets of a chain that is whole, in the order in which a seal covers them. `None` if they are
/// not there after all: the message is not the one that was validated.
fn earlier_sets(message: &Message<'_>, next: u8, out: &mut Vec<u8>) -> Option<()> {
    if next == 1 {
        return Some(());
    }
    let chain = super::chain::collect(message).ok()?;
    if chain.last()?.set.instance + 1 != next {
        return None;
    }
    for link in &chain {
        for index in [link.results, link.message_signature, link.seal] {
            field(Form::Relaxed, message.fields.get(index)?, out);
        }
    }
    Some(())
}

fn put(name: &str, value: &str, out: &mut Vec<u8>) {
    let field_of_ours = Field {
        name: name.as_bytes(),
        value: value.as_bytes(),
        raw: value.as_bytes(),
    };
    field(Form::Relaxed, &field_of_ours, out);
}

fn fold_names(names: &[&str], out: &mut String) {
    let mut column = out.len() - out.rfind('\n').unwrap_or(0);
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.push(':');
            column += 1;
        }
        if FOLD_COLUMNS < column + name.len() {
            out.push_str("\r\n   ");
            column = 2;
        }
        out.push_str(name);
        column += name.len();
    }
}

/// Words with one space or one fold between them; line ends of the text are white space like any.
fn fold_words(text: &str, out: &mut String) {
    let mut column = out.len();
    for word in text.split_ascii_whitespace() {
        if FOLD_COLUMNS < column + word.len() {
            out.push_str("\r\n  ");
            column = 1;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
}
