//! The DKIM keys of a new domain, in the words of the command line. How keys are made and changed is in `jobs`.

use mail::UnixMillis;
use store::{DkimState, NewDkimKey};

use crate::output::Failure;

/// A pair of keys, which sign at once: there is nobody yet whose mail could fail.
pub fn generate(now: UnixMillis) -> Result<Vec<NewDkimKey>, Failure> {
    jobs::dkim::new_pair(DkimState::Active, &[], now).map_err(broken)
}

/// The text of the DNS record of a stored key.
pub fn record(private: &[u8]) -> Result<String, Failure> {
    jobs::dkim::record(private).map_err(broken)
}

pub fn broken(error: jobs::dkim::PairError) -> Failure {
    Failure::failed(error.to_string())
}
