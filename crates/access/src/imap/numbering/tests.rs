//! The numbering against a plain list of UIDs.

use proptest::prelude::*;
use store::{Uid, UidSet};

use super::Numbering;

fn of(uids: &[u32]) -> Numbering {
    Numbering::of(uids.iter().copied().map(Uid))
}

fn set(uids: &[u32]) -> UidSet {
    uids.iter().copied().map(Uid).collect()
}

#[test]
fn an_untouched_mailbox_is_one_run() {
    let numbering = Numbering::of((1..=10_000).map(Uid));
    assert_eq!(numbering.runs.len(), 1);
    assert_eq!(numbering.count(), 10_000);
    assert_eq!(numbering.uid(10_000), Some(Uid(10_000)));
    assert_eq!(numbering.uid(10_001), None);
}

#[test]
fn removals_are_announced_one_after_the_other() {
    let mut numbering = of(&[1, 2, 3, 4, 5]);
    assert_eq!(numbering.remove(&set(&[2, 3, 5])), vec![2, 2, 3]);
    assert_eq!(numbering, of(&[1, 4]));
}

#[test]
fn the_last_uid_there_is_does_no_harm() {
    let mut numbering = of(&[1, u32::MAX - 1, u32::MAX]);
    assert_eq!(numbering.seq(Uid(u32::MAX)), Some(3));
    assert_eq!(numbering.by_uid(&[1..=u32::MAX]).len(), 3);
    assert_eq!(numbering.remove(&UidSet::all()), vec![1, 1, 1]);
    assert_eq!(numbering.count(), 0);
}

#[test]
fn pieces_join_what_lies_close() {
    let numbering = of(&(1..=100).collect::<Vec<_>>());
    let pieces = numbering.pieces(&set(&[1, 3, 90]), 50);
    assert_eq!(pieces, vec![vec![Uid(1)..=Uid(3), Uid(90)..=Uid(90)]]);
    let pieces = numbering.pieces(&numbering.all(), 40);
    assert_eq!(
        pieces,
        vec![
            vec![Uid(1)..=Uid(40)],
            vec![Uid(41)..=Uid(80)],
            vec![Uid(81)..=Uid(100)]
        ]
    );
}

proptest! {
    #[test]
    fn it_agrees_with_a_list(
        uids in proptest::collection::btree_set(1u32..60, 0..40),
        gone in proptest::collection::btree_set(1u32..60, 0..40),
        from in 1u32..60,
        length in 0u32..20,
    ) {
        let mut list: Vec<u32> = uids.into_iter().collect();
        let mut numbering = of(&list);
        for (index, uid) in list.iter().enumerate() {
            let seq = index as u32 + 1;
            prop_assert_eq!(numbering.uid(seq), Some(Uid(*uid)));
            prop_assert_eq!(numbering.seq(Uid(*uid)), Some(seq));
        }
        let range = from..=from + length;
        let by_uid: Vec<u32> = numbering.by_uid(std::slice::from_ref(&range)).iter().map(|uid| uid.0).collect();
        let want: Vec<u32> = list.iter().copied().filter(|uid| range.contains(uid)).collect();
        prop_assert_eq!(by_uid, want);
        let by_seq: Vec<u32> = numbering.by_seq(std::slice::from_ref(&range)).iter().map(|uid| uid.0).collect();
        let want: Vec<u32> = (1..).zip(&list).filter(|(seq, _)| range.contains(seq)).map(|(_, uid)| *uid).collect();
        prop_assert_eq!(by_seq, want);

        let mut want = Vec::new();
        for uid in &gone {
            if let Some(at) = list.iter().position(|known| known == uid) {
                list.remove(at);
                want.push(at as u32 + 1);
            }
        }
        let gone: UidSet = gone.into_iter().map(Uid).collect();
        prop_assert_eq!(numbering.remove(&gone), want);
        prop_assert_eq!(&numbering, &of(&list));

        let mut read = Vec::new();
        for piece in numbering.pieces(&numbering.all(), 7) {
            let rows: Vec<u32> = list.iter().copied().filter(|uid| piece.iter().any(|range| range.contains(&Uid(*uid)))).collect();
            prop_assert!(rows.len() <= 7);
            read.extend(rows);
        }
        prop_assert_eq!(read, list);
    }
}
