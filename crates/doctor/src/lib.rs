//! What it means: the DNS records a domain should have, and later checks and remedies.
//! Pure: facts come in, findings go out. Asks no DNS server and reads no store.

pub mod records;
pub mod zone;

pub use records::{DkimFact, DomainFacts, Kind, RecordWish, Sending, Services, for_domain};
