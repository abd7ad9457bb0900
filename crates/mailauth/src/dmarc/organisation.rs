//! The organisation that a domain belongs to, asked for by itself: whose reports may go where.

use world::Dns;

use super::discovery::fetch;
use super::tree::{Records, targets, walk};
use crate::explain::Notes;

/// The organisational domain by the DNS tree walk (RFC 9989 §4.10.2); nothing if the DNS does not answer.
pub async fn organizational_domain(dns: &dyn Dns, domain: &str) -> Option<String> {
    let mut records = Records::new();
    fetch(dns, targets(domain), &mut records, &mut Notes::off()).await;
    walk(&records, domain).map(|walk| walk.org_domain.to_owned())
}
