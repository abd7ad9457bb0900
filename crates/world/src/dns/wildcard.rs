//! Answers made from a wildcard: the signature says that it was made from one, and an NSEC record that
//! nothing nearer exists. RFC 4035 §5.3.4
//!
//! The DNSSEC library calls such an answer bogus where the wildcard itself is the name before the one that
//! was asked for, which is the usual case. So the parts are asked for again, each by its own name, where the
//! library can check their signatures; what they prove together is decided here.

use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RData};

/// What has to be asked for again.
pub(super) struct Parts {
    /// The nearest existing name above the one that was asked for.
    pub(super) parent: Name,
    /// Who owns the NSEC record that shows it.
    pub(super) denier: Name,
}

/// Reads an answer that nobody has checked.
pub(super) fn parts(response: &Message, name: &Name) -> Option<Parts> {
    let parent = response.answers.iter().find_map(|record| {
        let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else {
            return None;
        };
        let labels = signature.input().num_labels;
        let expanded = record.name == *name && labels < name.num_labels();
        expanded.then(|| name.trim_to(usize::from(labels)))
    })?;
    let denier = response.authorities.iter().find_map(|record| {
        let RData::DNSSEC(DNSSECRData::NSEC(nsec)) = &record.data else {
            return None;
        };
        nothing_nearer(&record.name, nsec, name, &parent).then(|| record.name.clone())
    })?;
    Some(Parts { parent, denier })
}

/// The name does not exist, and the nearest one above it that does is the wildcard's parent.
pub(super) fn nothing_nearer(owner: &Name, nsec: &NSEC, name: &Name, parent: &Name) -> bool {
    covers(owner, nsec, name) && nearest(owner, nsec, name) == *parent
}

fn covers(owner: &Name, nsec: &NSEC, name: &Name) -> bool {
    // RFC 6840 §4.1: the parent's side of a zone cut says nothing of what is below.
    if nsec.is_ancestor_delegation() && owner.zone_of(name) {
        return false;
    }
    let next = nsec.next_domain_name();
    // The last name of a zone points back to its apex.
    let last = next <= owner && next.zone_of(name);
    // What leads to an existing name exists itself.
    owner < name && (name < next || last) && !name.zone_of(next)
}

/// Both ends of the gap exist, and so does everything above them.
fn nearest(owner: &Name, nsec: &NSEC, name: &Name) -> Name {
    let next = nsec.next_domain_name();
    let mut above = name.base_name();
    while !above.is_root() && !above.zone_of(owner) && !above.zone_of(next) {
        above = above.base_name();
    }
    above
}
