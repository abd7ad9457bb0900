//! Passing mail on to other servers, for aliases that lead there, and back to senders of what was passed
//! on. The bytes stay as they came, so that signatures of others survive; ours is only what is put in
//! front. Nothing here can sign a message as if one of ours had written it.

mod secrets;
mod srs;

pub(crate) use secrets::Secrets;
pub(crate) use srs::{Origin, is_srs, origin};
pub use srs::SrsProblem;
