//! What the doctor found, remembered; and the ways by which the operator is told. What is wrong is decided in `doctor`,
//! telling is the business of `jobs`.

mod channel;
mod finding;

pub use channel::{Channel, ChannelError, ChannelId, ChannelKind, NewChannel, Post};
pub use finding::{Examined, KnownFinding, Observed};
