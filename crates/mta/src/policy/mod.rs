//! How safe the way to a destination must be: its own policies (MTA-STS, DANE), the operator's list, what was
//! learnt, and what the sender wishes. Facts are gathered in `gather.rs`, `sts.rs` and `tlsa.rs`; what follows
//! from them is decided in `plan.rs`, without asking anybody; `evidence.rs` is what reports will tell.

pub(crate) mod check;
pub(crate) mod evidence;
mod gather;
pub(crate) mod learning;
mod plan;
mod sts;
mod tlsa;
mod upkeep;
mod words;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use mail::Domain;

pub(crate) use gather::{DomainPolicy, gather};
pub(crate) use plan::{Demand, HostPlan, Obstacle, Secured, plan};
pub(crate) use sts::{InForce, Trouble};
pub(crate) use tlsa::{Tlsa, of_host};
pub(crate) use upkeep::upkeep;
pub(crate) use words::bad_certificate;

/// What is remembered between deliveries, beside the store.
#[derive(Default)]
pub(crate) struct Memory {
    /// Policies that could not be fetched lately: asking again at once would only make it worse.
    failed: Mutex<BTreeMap<Domain, (Instant, Trouble)>>,
    /// On which day the valid TLS of a destination's site was last noted.
    noted: Mutex<BTreeMap<(Domain, String), i64>>,
}
