//! DomainKeys Identified Mail (RFC 6376, with RFC 8301 and RFC 8463): keys, canonical forms,
//! signing, verification. We sign with `rsa-sha256` and `ed25519-sha256`, `relaxed/relaxed`.

pub(crate) mod body;
pub(crate) mod canonicalize;
mod headers;
mod keys;
mod limits;
pub(crate) mod lookup;
pub(crate) mod message;
pub(crate) mod public_key;
mod sign;
pub(crate) mod signature;
pub(crate) mod tags;
mod verdict;
pub(crate) mod verify;

pub use canonicalize::{BodyHash, relaxed_field};
pub use headers::{OVERSIGNED, SIGNED_WHEN_PRESENT, SelectedFields, select};
pub use keys::{Algorithm, KeyError, SigningKey, generate, public_key, public_record};
pub use sign::{SignError, sign};
pub use verdict::{DkimResult, FieldNames, KeyProblem, Reason, Verdict};
pub use verify::verify;
