//! Sets of UIDs against plain sets of numbers.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::UidSet;
use crate::Uid;

proptest! {
    #[test]
    fn as_plain_sets(ranges in prop::collection::vec((1..60u32, 0..6u32), 0..30), cut in 0..70u32) {
        let (mut set, mut plain) = (UidSet::new(), BTreeSet::new());
        for (from, length) in ranges {
            set.insert_range(Uid(from)..=Uid(from + length));
            plain.extend(from..=from + length);
        }
        prop_assert_eq!(set.iter().map(|uid| uid.0).collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(set.len() as usize, plain.len());
        prop_assert!((0..70).all(|uid| set.contains(Uid(uid)) == plain.contains(&uid)));
        prop_assert_eq!(UidSet::parse(&set.to_string()), Some(set.clone()));
        let touching = set.ranges().zip(set.ranges().skip(1)).any(|(a, b)| b.start().0 <= a.end().0 + 1);
        prop_assert!(!touching, "{}", set);
        set.remove_to(Uid(cut));
        plain.retain(|uid| cut < *uid);
        prop_assert_eq!(set.iter().map(|uid| uid.0).collect::<Vec<_>>(), plain.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn the_ends_hold() {
    let mut set = UidSet::all();
    assert!(set.contains(Uid::MAX) && set.contains(Uid::MIN) && !set.contains(Uid(0)));
    set.insert(Uid::MAX);
    assert_eq!(set.to_string(), "1:4294967295");
    set.remove_to(Uid::MAX);
    assert!(set.is_empty());
    assert_eq!(UidSet::parse("1,2,x"), None);
}
