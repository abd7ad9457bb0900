//! What became of a signature, and why.

use std::fmt;

use super::keys::Algorithm;
use super::limits::{RSA_BITS_MAX, RSA_BITS_MIN};

/// RFC 8601 §2.7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DkimResult {
    /// There is no signature.
    None,
    Pass,
    Fail,
    /// The signature may be sound, but not one to rely on.
    Policy,
    Neutral,
    TempError,
    PermError,
}

impl DkimResult {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for DkimResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One signature of a message, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub result: DkimResult,
    pub reason: Reason,
    /// `d=`, A-labels in lower case; empty if the signature could not be read so far.
    pub domain: String,
    /// `s=`, A-labels in lower case; empty likewise.
    pub selector: String,
    /// `i=`, or `@` and the domain.
    pub identity: String,
    /// `None` for one that is not known here, and for `rsa-sha1`.
    pub algorithm: Option<Algorithm>,
    /// `a=` as it was written.
    pub algorithm_name: String,
    /// Of the public key, if one was read.
    pub bits: Option<usize>,
    /// The first characters of `b=`, which tell the signatures of a message apart (RFC 6008).
    pub signature_start: String,
    /// The key's owner is only trying DKIM out (`t=y`): a failure means no more than no signature.
    pub testing: bool,
    /// `l=` is absent, or nothing follows what it covers. Otherwise anybody may have added text.
    pub covers_whole_body: bool,
    /// The header fields that are signed, in the order of `h=`.
    pub signed_fields: FieldNames,
    /// `t=` and `x=`, seconds since 1970.
    pub signed_at: Option<u64>,
    pub expires_at: Option<u64>,
    /// The key record that was used last.
    pub record: Option<String>,
}

impl Verdict {
    pub fn passed(&self) -> bool {
        self.result == DkimResult::Pass
    }

    pub(super) fn decide(&mut self, reason: Reason) {
        self.result = reason.result();
        self.reason = reason;
    }
}

/// Names of header fields in lower case, as `h=` lists them, some of them several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldNames(Box<str>);

impl FieldNames {
    /// From a list with colons between.
    pub fn new(list: &str) -> Self {
        Self(list.to_ascii_lowercase().into())
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(':').filter(|name| !name.is_empty())
    }

    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|found| found.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for FieldNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a signature was judged as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("the signature is good")]
    Good,
    #[error("the body was changed after signing")]
    BodyChanged,
    #[error("the body is shorter than what was signed")]
    BodyCut,
    #[error("the signature does not fit the header")]
    SignatureWrong,
    #[error("the signature is not a list of tags")]
    NotATagList,
    #[error("the tag {0}= is there twice")]
    TagTwice(String),
    #[error("the tag {0}= is missing")]
    TagMissing(&'static str),
    #[error("the value of the tag {0}= cannot be read")]
    TagBad(&'static str),
    #[error("it is not version 1")]
    Version,
    #[error("the algorithm {0} is not known")]
    UnknownAlgorithm(String),
    #[error("rsa-sha1 does not count any more (RFC 8301)")]
    Sha1,
    #[error("the canonical form {0} is not known")]
    UnknownCanonicalForm(String),
    #[error("the key cannot be fetched in the way that q= asks for")]
    UnknownQuery,
    #[error("h= does not name From")]
    FromNotSigned,
    #[error("the message has a From field that is not signed")]
    FromAdded,
    #[error("i= does not belong to d=")]
    IdentityForeign,
    #[error("x= is not later than t=")]
    ExpiresBeforeSigned,
    #[error("the signature has expired")]
    Expired,
    #[error("the signature was made in the future")]
    InFuture,
    #[error("the key could not be looked up: {0}")]
    Dns(String),
    #[error("there is no key record")]
    NoKey,
    #[error("the key record cannot be read: {0}")]
    KeyUnreadable(KeyProblem),
    #[error("the key was revoked")]
    KeyRevoked,
    #[error("the key is for another algorithm")]
    KeyOfOtherKind,
    #[error("the key is not for SHA-256")]
    KeyHash,
    #[error("the key is not for mail")]
    KeyService,
    #[error("the key forbids i= to name a subdomain of d=")]
    KeyStrict,
    #[error("the RSA key has {0} bits, fewer than {RSA_BITS_MIN}")]
    KeyTooShort(usize),
    #[error("the RSA key has {0} bits, more than {RSA_BITS_MAX}")]
    KeyTooLong(usize),
    #[error("the header has too many fields")]
    TooManyFields,
    #[error("a line of the header does not end with CR LF")]
    TornLines,
}

impl Reason {
    /// The result that stands in `Authentication-Results`. Syntax and missing keys are permanent
    /// errors (RFC 6376 §6.1), what we do not rely on is `policy` (RFC 8601 §2.7.1).
    pub fn result(&self) -> DkimResult {
        match self {
            Self::Good => DkimResult::Pass,
            Self::BodyChanged | Self::BodyCut | Self::SignatureWrong => DkimResult::Fail,
            Self::Sha1
            | Self::Expired
            | Self::InFuture
            | Self::FromAdded
            | Self::KeyTooShort(_)
            | Self::KeyTooLong(_)
            | Self::TooManyFields
            | Self::TornLines => DkimResult::Policy,
            Self::Dns(_) => DkimResult::TempError,
            _ => DkimResult::PermError,
        }
    }
}

/// What is wrong with a key record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("it is not a list of tags")]
    NotATagList,
    #[error("a tag is there twice")]
    TagTwice,
    #[error("v= is not DKIM1 or not the first tag")]
    Version,
    #[error("k= names a kind of key that is not known")]
    UnknownKind,
    #[error("p= is missing")]
    NoKey,
    #[error("p= is not base64")]
    NotBase64,
    #[error("p= holds no public key")]
    NotAKey,
    #[error("it is longer than what is read")]
    TooLong,
}
