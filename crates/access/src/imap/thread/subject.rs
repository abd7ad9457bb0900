//! ORDEREDSUBJECT (RFC 5256 §3): one flat thread for each base subject, oldest first.

use std::collections::BTreeMap;

use super::Member;
use super::forest::{Forest, Node};

pub(super) fn thread(mut members: Vec<Member>) -> Forest {
    members.sort_by_key(|member| (member.sent, member.uid));
    let mut by_subject: BTreeMap<String, usize> = BTreeMap::new();
    let mut forest = Forest::default();
    for member in members {
        let at = forest.nodes.len();
        forest.nodes.push(Node {
            uid: Some(member.uid),
            children: Vec::new(),
        });
        // Since the oldest comes first, roots are in the order of their dates.
        match by_subject
            .get(&member.base_subject)
            .and_then(|root| forest.nodes.get_mut(*root))
        {
            Some(root) => root.children.push(at),
            None => {
                by_subject.insert(member.base_subject, at);
                forest.roots.push(at);
            }
        }
    }
    forest
}
