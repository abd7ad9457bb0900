//! Keeping DNS records as they should be: what the name servers say, what is to be changed, and the change itself where the
//! operator gave a key (RFC 2136). What should be there is decided in `doctor::records`, how it differs in `doctor::compare`.

mod edit;
mod keep;
mod look;
mod server;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use doctor::RecordWish;
use mail::Domain;
use store::{StoreError, View};

pub use edit::{PublishError, publish};
pub use keep::{Changed, Publishing};
pub use look::{NameServers, look};
pub use server::{server_for, server_of};

/// What the records of a domain should be now. Comes from the program, which knows its settings and certificates. `None`
/// where they cannot be told now.
pub type Wishes =
    Arc<dyn Fn(&View<'_>, &Domain) -> Result<Option<Vec<RecordWish>>, StoreError> + Send + Sync>;
