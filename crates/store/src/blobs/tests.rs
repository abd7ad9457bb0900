//! What is kept can be read, through restarts, torn tails, full disks and both ways to work.

use std::fs::OpenOptions;
use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn small(labour: Labour) -> BlobSettings {
    BlobSettings {
        labour,
        segment_bytes_max: 4_000,
        large_bytes_min: 1_000,
        ..BlobSettings::standard()
    }
}

fn keep(blobs: &Blobs, body: &[u8]) -> Kept {
    blobs
        .keep_blocking(
            Bytes::copy_from_slice(body),
            Bytes::from_static(b"to=ann@here.test"),
        )
        .unwrap()
}

#[test]
fn bodies_survive_a_restart() {
    for labour in [Labour::Threads, Labour::Inline] {
        let dir = tempfile::tempdir().unwrap();
        let bodies: Vec<Vec<u8>> = (0..40).map(|n| vec![n as u8; n * 60]).collect();
        let blobs = Blobs::open(dir.path(), small(labour)).unwrap();
        let first: Vec<Kept> = bodies.iter().map(|b| keep(&blobs, b)).collect();
        drop(blobs);
        let blobs = Blobs::open(dir.path(), small(labour)).unwrap();
        let second: Vec<Kept> = bodies.iter().map(|b| keep(&blobs, b)).collect();
        for kept in [first, second] {
            for (kept, body) in kept.iter().zip(&bodies) {
                assert_eq!(
                    &blobs.read_verified(&kept.location, &kept.hash).unwrap(),
                    body
                );
                assert_eq!(kept.size, body.len() as u64);
                assert_eq!(kept.location.is_own_file(), 1_000 <= body.len());
            }
        }
        assert!(
            1 < blobs.segments().unwrap().len(),
            "segments are closed at their bound"
        );
    }
}

#[test]
fn ranges_are_cut_to_the_body() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    let _ = keep(&blobs, b"neighbour before");
    let kept = keep(&blobs, b"0123456789");
    let _ = keep(&blobs, b"neighbour after");
    for (range, want) in [
        (0..4, "0123"),
        (8..99, "89"),
        (10..12, ""),
        (5..5, ""),
        (0..u64::MAX, "0123456789"),
    ] {
        assert_eq!(blobs.read(&kept.location, range).unwrap(), want.as_bytes());
    }
}

#[test]
fn a_torn_tail_hides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    let before = keep(&blobs, b"before the crash");
    drop(blobs);
    let path = segment::path(dir.path(), before.location.segment);
    let torn = record::header(0, 500, &Hash::of(b"never written whole"));
    OpenOptions::new()
        .append(true)
        .open(path)
        .unwrap()
        .write_all(&[&torn[..], b"half a bo"].concat())
        .unwrap();

    let blobs = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    let after = keep(&blobs, b"after the crash");
    assert_eq!(
        blobs.read(&before.location, 0..99).unwrap(),
        b"before the crash"
    );
    assert_eq!(
        blobs.read(&after.location, 0..99).unwrap(),
        b"after the crash"
    );
    let found = blobs.recover(before.location.segment).unwrap();
    let places: Vec<_> = found.iter().map(|r| r.location).collect();
    assert_eq!(places, [before.location, after.location]);
    assert!(found.iter().all(|r| r.note == b"to=ann@here.test"));
}

#[test]
fn many_callers_are_all_answered() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), small(Labour::Threads)).unwrap();
    let callers: Vec<_> = (0..16u8)
        .map(|n| {
            let blobs = blobs.clone();
            std::thread::spawn(move || {
                (0..20u8)
                    .map(|k| (keep(&blobs, &[n, k, 7]), [n, k, 7]))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for caller in callers {
        for (kept, body) in caller.join().unwrap() {
            assert_eq!(blobs.read(&kept.location, 0..9).unwrap(), body);
        }
    }
}

#[test]
fn forgotten_and_left_over_bodies_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    let gone = keep(&blobs, &[1; 2_000]);
    let left = keep(&blobs, &[2; 2_000]);
    blobs.forget(&[gone.location]).unwrap();
    assert!(matches!(
        blobs.read(&gone.location, 0..1),
        Err(BlobError::Missing { .. })
    ));
    assert_eq!(blobs.large_of_earlier_runs().unwrap(), []);
    let other_node = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    assert_eq!(
        other_node.large_of_earlier_runs().unwrap(),
        [],
        "that run goes on"
    );
    drop((blobs, other_node));
    let blobs = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    let _now = keep(&blobs, &[3; 2_000]);
    assert_eq!(blobs.large_of_earlier_runs().unwrap(), [left.location]);
}

#[test]
fn a_removed_segment_is_gone_and_the_open_one_stays() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    let old = keep(&blobs, &[1; 900]);
    let kept: Vec<_> = (0..9).map(|_| keep(&blobs, &[2; 900])).collect();
    let open = kept.last().unwrap().location;
    assert_ne!(old.location.segment, open.segment);
    for segment in [old.location.segment, open.segment] {
        blobs.remove_segment(segment).unwrap();
    }
    assert!(matches!(
        blobs.read(&old.location, 0..1),
        Err(BlobError::Missing { .. })
    ));
    assert_eq!(blobs.read(&open, 0..1).unwrap(), [2]);
}

#[test]
fn nodes_that_share_a_directory_do_not_meet_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let nodes: Vec<_> = (0..3)
        .map(|_| Blobs::open(dir.path(), small(Labour::Inline)).unwrap())
        .collect();
    let mut kept = Vec::new();
    for round in 0..40u8 {
        for (node, blobs) in nodes.iter().enumerate() {
            let body = vec![round ^ node as u8; if round % 8 == 0 { 1_500 } else { 300 }];
            kept.push((keep(blobs, &body), body));
        }
    }
    for blobs in &nodes {
        // Nobody removes what another still writes.
        for segment in blobs.segments().unwrap().iter().filter(|s| {
            nodes
                .iter()
                .any(|n| n.inner.writer.open_segment() == Some(s.number))
        }) {
            blobs.remove_segment(segment.number).unwrap();
        }
        for (kept, body) in &kept {
            assert_eq!(
                &blobs.read_verified(&kept.location, &kept.hash).unwrap(),
                body
            );
        }
    }
}

#[test]
fn damage_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), small(Labour::Inline)).unwrap();
    let kept = keep(&blobs, b"as it was");
    let wrong = Hash::of(b"as it never was");
    assert!(matches!(
        blobs.read_verified(&kept.location, &wrong),
        Err(BlobError::Damaged { .. })
    ));
}

proptest! {
    #[test]
    fn recovery_reads_what_was_kept_between_garbage(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..12), junk in prop::collection::vec(any::<u8>(), 0..200)) {
        let dir = tempfile::tempdir().unwrap();
        let settings = BlobSettings { segment_bytes_max: 1 << 20, ..BlobSettings::simulated() };
        let mut kept = Vec::new();
        for body in &bodies {
            let blobs = Blobs::open(dir.path(), settings).unwrap();
            kept.push(keep(&blobs, body).location);
            OpenOptions::new().append(true).open(segment::path(dir.path(), 1)).unwrap().write_all(&junk).unwrap();
        }
        let blobs = Blobs::open(dir.path(), settings).unwrap();
        let found: Vec<_> = blobs.recover(1).unwrap().iter().map(|r| r.location).collect();
        prop_assert_eq!(found, kept);
    }
}
