//! Reading a signature field: `DKIM-Signature`, and the `ARC-Message-Signature` that is nearly the same.
//! What is found before the first error stands in the verdict, so that the error can be told.

use std::ops::Range;

use aws_lc_rs::digest::{self, Digest};
use mail::Domain;

use super::body::Wish;
use super::canonicalize::{Form, field, unsigned_field};
use super::keys::Algorithm;
use super::limits::{
    FIELDS_WALKED_MAX, FUTURE_SECS_MAX, SIGNATURE_BYTES_MAX, SIGNATURE_START_CHARS,
    SIGNED_NAMES_MAX,
};
use super::message::Message;
use super::tags::{self, TagList, TagListError};
use super::verdict::{DkimResult, FieldNames, Reason, Verdict};

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    Dkim,
    /// Without `v=`; `i=` is the instance, which is not read here. rfc8617#4.1.2
    ArcMessage,
}

/// A signature without errors.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub algorithm: Algorithm,
    pub domain: String,
    pub selector: String,
    /// The domain of `i=`.
    pub identity_domain: String,
    pub header_form: Form,
    pub body_form: Form,
    pub length: Option<u64>,
    pub body_hash: Vec<u8>,
    pub bytes: Vec<u8>,
    /// Where the value of `b=` lies in the field's value.
    pub place: Range<usize>,
    pub signed: FieldNames,
}

impl Signature {
    /// Reads the field with this index. The verdict gets what can be told of the signature, also where
    /// it has an error.
    pub fn read(
        message: &Message<'_>,
        index: usize,
        flavor: Flavor,
        now: u64,
        verdict: &mut Verdict,
    ) -> Result<Self, Reason> {
        let value = message.fields.get(index).map_or(&[][..], |it| it.value);
        if SIGNATURE_BYTES_MAX < value.len() {
            return Err(Reason::NotATagList);
        }
        let list = TagList::parse(value).map_err(|error| match error {
            TagListError::Malformed => Reason::NotATagList,
            TagListError::Twice(name) => Reason::TagTwice(name),
        })?;
        tell(&list, verdict);
        // Signatures from before RFC 4871 have no v= and are made like those with v=1. They are taken, as
        // other verifiers do, though rfc6376#6.1.1 calls the tag required: all it does is to tell
        // formats apart, and there never was another one.
        if flavor == Flavor::Dkim && list.get("v").is_some_and(|version| version != b"1") {
            return Err(Reason::Version);
        }
        let domain = dns_name(need(&list, "d")?).ok_or(Reason::TagBad("d"))?;
        let selector = dns_name(need(&list, "s")?).ok_or(Reason::TagBad("s"))?;
        let identity_domain = match flavor {
            Flavor::Dkim => identity_domain(&list, &domain)?,
            Flavor::ArcMessage => domain.clone(),
        };
        let signed = signed_names(need(&list, "h")?)?;
        verdict.signed_fields = signed.clone();
        if FIELDS_WALKED_MAX < signed.iter().count() * message.fields.len() {
            return Err(Reason::TooManyFields);
        }
        if flavor == Flavor::Dkim && !signed.contains("from") {
            return Err(Reason::FromNotSigned);
        }
        let bytes = tags::base64(need(&list, "b")?).filter(|bytes| !bytes.is_empty());
        let body_hash = need(&list, "bh")?;
        let (header_form, body_form) = forms(&list)?;
        let length = number(&list, "l")?;
        query(&list)?;
        let (signed_at, expires_at) = times(&list)?;
        let algorithm = algorithm(need(&list, "a")?)?;
        let body_hash = tags::base64(body_hash).filter(|hash| hash.len() == 32);
        let signature = Self {
            algorithm,
            domain,
            selector,
            identity_domain,
            header_form,
            body_form,
            length,
            body_hash: body_hash.ok_or(Reason::TagBad("bh"))?,
            bytes: bytes.ok_or(Reason::TagBad("b"))?,
            place: list.place("b").unwrap_or_default(),
            signed,
        };
        if flavor == Flavor::Dkim {
            signature.check_from(message)?;
        }
        check_times(signed_at, expires_at, now)?;
        Ok(signature)
    }

    pub fn wish(&self) -> Wish {
        (self.body_form, self.length)
    }

    /// What was signed of the header: the fields of `h=`, and the signature's own field at the end.
    pub fn signed_text(&self, message: &Message<'_>, index: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(4_096);
        let mut used = vec![false; message.fields.len()];
        for name in self.signed.iter() {
            // Instances of one name from the bottom up; one that is not there counts as empty.
            // rfc6376#5.4.2
            let fields = message.fields.iter().zip(used.iter_mut()).rev();
            let mut free = fields.filter(|(field, used)| !**used && field.is(name));
            if let Some((found, used)) = free.next() {
                *used = true;
                field(self.header_form, found, &mut text);
            }
        }
        if let Some(own) = message.fields.get(index) {
            unsigned_field(self.header_form, own, &self.place, &mut text);
        }
        text
    }

    pub fn header_digest(&self, message: &Message<'_>, index: usize) -> Digest {
        digest::digest(&digest::SHA256, &self.signed_text(message, index))
    }

    /// A From that was put on top of the signed one is what people would see. rfc6376#8.15
    fn check_from(&self, message: &Message<'_>) -> Result<(), Reason> {
        let there = message.fields.iter().filter(|field| field.is("from"));
        let signed = self.signed.iter().filter(|name| *name == "from");
        match signed.count() < there.count() {
            true => Err(Reason::FromAdded),
            false => Ok(()),
        }
    }
}

impl Verdict {
    /// Of a signature that is not read yet.
    pub(crate) fn blank() -> Self {
        Self {
            result: DkimResult::PermError,
            reason: Reason::NotATagList,
            domain: String::new(),
            selector: String::new(),
            identity: String::new(),
            algorithm: None,
            algorithm_name: String::new(),
            bits: None,
            signature_start: String::new(),
            testing: false,
            covers_whole_body: false,
            signed_fields: FieldNames::default(),
            signed_at: None,
            expires_at: None,
            record: None,
        }
    }
}

/// What can be told without being sure of the rest.
fn tell(list: &TagList<'_>, verdict: &mut Verdict) {
    let name = |tag| list.get(tag).and_then(dns_name).unwrap_or_default();
    let text = |tag| list.get(tag).map(tags::without_white_space);
    let text = |tag| crate::explain::printable(&text(tag).unwrap_or_default());
    verdict.domain = name("d");
    verdict.selector = name("s");
    verdict.identity = match list.get("i") {
        Some(identity) => String::from_utf8_lossy(identity).into_owned(),
        None => format!("@{}", verdict.domain),
    };
    verdict.algorithm_name = text("a");
    verdict.algorithm = list.get("a").and_then(|name| algorithm(name).ok());
    verdict.signature_start = text("b");
    let cut = verdict
        .signature_start
        .floor_char_boundary(SIGNATURE_START_CHARS);
    verdict.signature_start.truncate(cut);
    verdict.signed_at = list.get("t").and_then(tags::number);
    verdict.expires_at = list.get("x").and_then(tags::number);
}

fn need<'a>(list: &TagList<'a>, name: &'static str) -> Result<&'a [u8], Reason> {
    list.get(name).ok_or(Reason::TagMissing(name))
}

fn number(list: &TagList<'_>, name: &'static str) -> Result<Option<u64>, Reason> {
    let read = |value| tags::number(value).ok_or(Reason::TagBad(name));
    list.get(name).map(read).transpose()
}

fn algorithm(name: &[u8]) -> Result<Algorithm, Reason> {
    for algorithm in [Algorithm::RsaSha256, Algorithm::Ed25519Sha256] {
        if name.eq_ignore_ascii_case(algorithm.signature_name().as_bytes()) {
            return Ok(algorithm);
        }
    }
    match name.eq_ignore_ascii_case(b"rsa-sha1") {
        true => Err(Reason::Sha1),
        false => Err(Reason::UnknownAlgorithm(crate::explain::printable(name))),
    }
}

/// `c=` gives the form of the header, and after a slash that of the body. Simple is the default of both.
fn forms(list: &TagList<'_>) -> Result<(Form, Form), Reason> {
    let text = tags::without_white_space(list.get("c").unwrap_or(b"simple/simple"));
    let form = |name: &[u8]| {
        if name.eq_ignore_ascii_case(b"simple") {
            Ok(Form::Simple)
        } else if name.eq_ignore_ascii_case(b"relaxed") {
            Ok(Form::Relaxed)
        } else {
            let name = crate::explain::printable(name);
            Err(Reason::UnknownCanonicalForm(name))
        }
    };
    let mut parts = text.splitn(2, |byte| *byte == b'/');
    let header = form(parts.next().unwrap_or_default())?;
    let body = parts.next().map(form).transpose()?;
    Ok((header, body.unwrap_or(Form::Simple)))
}

/// `q=` lists ways to the key; there is but one. rfc6376#3.5
fn query(list: &TagList<'_>) -> Result<(), Reason> {
    let known = |ways: &[u8]| {
        ways.split(|byte| *byte == b':').any(|way| {
            let way = way.trim_ascii();
            way.eq_ignore_ascii_case(b"dns/txt") || way.eq_ignore_ascii_case(b"dns")
        })
    };
    match list.get("q").is_none_or(known) {
        true => Ok(()),
        false => Err(Reason::UnknownQuery),
    }
}

fn times(list: &TagList<'_>) -> Result<(Option<u64>, Option<u64>), Reason> {
    let signed_at = number(list, "t")?;
    let expires_at = number(list, "x")?;
    match (signed_at, expires_at) {
        (Some(signed_at), Some(expires_at)) if expires_at <= signed_at => {
            Err(Reason::ExpiresBeforeSigned)
        }
        times => Ok(times),
    }
}

fn check_times(signed_at: Option<u64>, expires_at: Option<u64>, now: u64) -> Result<(), Reason> {
    if expires_at.is_some_and(|at| at < now) {
        return Err(Reason::Expired);
    }
    if signed_at.is_some_and(|at| now.saturating_add(FUTURE_SECS_MAX) < at) {
        return Err(Reason::InFuture);
    }
    Ok(())
}

/// White space may stand around the colons of `h=`; a needless colon names nothing.
fn signed_names(list: &[u8]) -> Result<FieldNames, Reason> {
    let mut names = String::with_capacity(list.len());
    for (index, name) in list.split(|byte| *byte == b':').enumerate() {
        let name = name.trim_ascii();
        let legal = name.iter().all(u8::is_ascii_graphic) && index < SIGNED_NAMES_MAX;
        let name = std::str::from_utf8(name).ok().filter(|_| legal);
        if 0 < index {
            names.push(':');
        }
        names.push_str(name.ok_or(Reason::TagBad("h"))?);
    }
    Ok(FieldNames::new(&names))
}

/// The domain of `i=`, which is `d=` or below it.
fn identity_domain(list: &TagList<'_>, domain: &str) -> Result<String, Reason> {
    let Some(identity) = list.get("i") else {
        return Ok(domain.to_owned());
    };
    let at = memchr::memrchr(b'@', identity).ok_or(Reason::TagBad("i"))?;
    let name = identity.get(at + 1..).and_then(dns_name);
    let name = name.ok_or(Reason::TagBad("i"))?;
    let below = name
        .strip_suffix(domain)
        .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
    match below {
        true => Ok(name),
        false => Err(Reason::IdentityForeign),
    }
}

/// A name to ask the DNS for, in lower-case A-labels (RFC 8616 §5 allows U-labels in signatures).
/// Selectors may have characters that domains cannot.
fn dns_name(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(domain) = Domain::parse(text) {
        return Some(domain.as_str().to_owned());
    }
    let label = |label: &str| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(legal)
    };
    let legal = text.len() <= 253 && text.split('.').all(label);
    legal.then(|| text.to_ascii_lowercase())
}
