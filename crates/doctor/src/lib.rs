//! What it means: the DNS records a domain should have, what a refusal means, checks and their remedies.
//! Pure: facts come in, findings go out. Asks no DNS server and reads no store.

pub mod checks;
pub mod compare;
pub mod records;
pub mod replies;
pub mod zone;

pub use records::{
    Action, DkimFact, DkimStage, DomainFacts, Kind, MtaStsFact, RecordWish, ReportAddresses,
    Sending, Services, for_domain,
};
