//! Reports about authentication and transport security, as programs read and write them: DMARC
//! aggregate reports (RFC 9990, and RFC 7489 before it), TLS reports (RFC 8460), failure reports and
//! complaints (RFC 5965, RFC 6591, RFC 9991). Whose they are and what follows from them is decided
//! elsewhere.
//!
//! Reading is forgiving: what the world sends is often broken. What was odd is kept as defects; what
//! cannot be used at all is refused with the reason, so that nothing vanishes without a word.

pub mod aggregate;
pub mod compose;
pub mod failure;
pub mod tls;

mod limits;
mod unpack;
mod unwrap;
mod xml;

pub use unpack::UnpackError;
pub use unwrap::{Attachment, Form, Refused, Unwrapped, unwrap};

/// Text of a peer, fit to be kept and shown: without control characters, not longer than so many bytes.
pub(crate) fn tidy(text: &str, bytes_max: usize) -> String {
    let mut tidy = String::with_capacity(text.len().min(bytes_max));
    for c in text.trim().chars() {
        if bytes_max < tidy.len() + c.len_utf8() {
            break;
        }
        tidy.push(if c.is_control() { ' ' } else { c });
    }
    // What was a control character at either end is a space now.
    tidy.trim().to_owned()
}
