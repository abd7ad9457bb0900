//! What is known of senders. Each account has its correspondents: whom it wrote to, and who wrote to it. The server as a whole
//! remembers what came from addresses, networks and authenticated domains, and what its people taught of them.
//! What follows from it is decided in `mta`.

mod blocklist;
mod correspondents;
mod origin;
mod reputation;
mod seed;
mod tidy;

pub use blocklist::BlocklistChoice;
pub use correspondents::{History, NewReceived};
pub use origin::{Origin, SenderKey, SenderKind};
pub use reputation::{Seen, SenderLesson, Standing, Voice};

use mail::Address;

/// An address as correspondents are kept: in lower case and without its +detail, since answers come without it.
pub(crate) fn key_of(address: &Address) -> String {
    let local = address.local().to_lowercase();
    let local = match local.split_once('+') {
        Some((user, _)) if !user.is_empty() => user,
        _ => &local,
    };
    format!("{local}@{}", address.domain())
}
