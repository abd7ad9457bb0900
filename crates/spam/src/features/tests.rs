//! Features: stable, bounded, and alike for messages that are alike.

use proptest::prelude::*;

use super::*;

fn of(message: &[u8]) -> Features {
    Features::of(&Sight::of(message))
}

#[test]
fn sorted_and_each_once() {
    let features = of(b"Subject: a a a\n\nb b b b c");
    assert!(features.as_slice().is_sorted());
    assert!(
        features
            .as_slice()
            .windows(2)
            .all(|pair| pair[0] != pair[1])
    );
}

/// What accounts were taught is stored as these hashes, and the shipped model is made of them. If this fails, features
/// have changed: make the model anew (docs/spam-model.md), and say in the changelog that lessons begin anew.
#[test]
fn features_stay_what_they_are() {
    let message = b"From: \"Bargain Boats\" <sales@boats.example>\nTo: you@example.org\nSubject: Boats $1,000 OFF!!\nMessage-ID: <1.Ab@boats.example>\nDate: Mon, 2 Sep 2002 12:29:58 -0500\nContent-Type: text/html; charset=utf-8\n\n<html><body bgcolor=white><p>Cheap boats, v i a g r a and \xd0\xa0\xd0\xb0yPal</p><div style='display:none'>lorem</div><a href='http://1.2.3.4/x?y=1'>click here</a><img src=http://p.example/1.gif width=1 height=1></body></html>\n";
    let features = of(message);
    let digest = |hashes: &[u64]| hashes.iter().fold(0, |sum, hash| hash::with(sum, *hash));
    assert_eq!(
        (
            features.as_slice().len(),
            digest(features.as_slice()),
            digest(&features.for_learning())
        ),
        (254, 14_055_127_430_816_042_563, 4_749_472_483_797_685_087)
    );
}

#[test]
fn buckets_sort_like_sorting() {
    let mut hash = 1;
    for (count, kept) in [(0, !0), (199, !0), (200, !0), (5_000, !0), (8_192, 3)] {
        let mut numbers = Vec::new();
        for _ in 0..count {
            hash = hash::with(hash, 7);
            // Some fall into few buckets, as somebody might have it.
            let crowded = if kept == 3 {
                hash >> 12 | (hash & kept) << 60
            } else {
                hash
            };
            numbers.push(crowded & (u64::MAX >> 1));
        }
        let mut want = numbers.clone();
        want.sort_unstable();
        assert_eq!(super::sorted(numbers), want, "{count}");
    }
}

#[test]
fn disguises_are_seen_through() {
    let words = |text: &str| {
        let mut told = Told(Vec::new());
        describe(
            &Sight::of(format!("Subject: x\n\n{text}\n").as_bytes()),
            &mut told,
        );
        let is_word = |(feature, _): &(u64, String)| group_of(*feature) == Group::Word as usize;
        told.0
            .into_iter()
            .filter(is_word)
            .map(|(_, word)| word)
            .collect::<Vec<_>>()
    };
    for (text, word) in [
        ("VIAGRA", "viagra"),
        ("v i a g r a", "viagra"),
        ("vi\u{200b}ag\u{ad}ra", "viagra"),
        ("v\u{456}agra", "viagra"),
        ("ｖｉａｇｒａ", "viagra"),
        (
            "\u{1d42f}\u{1d422}\u{1d41a}\u{1d420}\u{1d42b}\u{1d41a}",
            "viagra",
        ),
        ("víágrà", "viagra"),
        ("$1,000,000", "$0000000"),
        ("don't", "dont"),
        ("税金未納", "税金"),
    ] {
        assert!(
            words(text).iter().any(|found| found == word),
            "{text}: {:?}",
            words(text)
        );
    }
}

#[test]
fn fields_of_the_way_and_of_filters_say_nothing() {
    let plain = of(b"Subject: a\n\nb");
    let marked = of(b"Return-Path: <x@y>\nDelivered-To: me\nX-Spam-Flag: YES\nX-Postroad-Spam: junk\nAuthentication-Results: mx; dkim=pass\nReceived: from a by b\nX-Original-To: z@y\nSubject: a\nStatus: RO\nX-Keywords: x\n\nb");
    let measures = |features: &Features| {
        let of = features.as_slice().iter().copied();
        of.filter(|feature| group_of(*feature) != Group::Measure as usize)
            .collect::<Vec<_>>()
    };
    assert_eq!(measures(&plain), measures(&marked));
}

/// A word of its own for each number: digits are all the same to features.
fn word(number: u32) -> String {
    let letter =
        |place: u32| char::from(b'a' + u8::try_from(number / 26_u32.pow(place) % 26).unwrap());
    (0..5).map(letter).collect()
}

#[test]
fn long_messages_are_bounded() {
    let mut message = b"Subject: long\n\n".to_vec();
    for at in 0..60_000_u32 {
        message.extend_from_slice(format!("{} {} ", word(at * 7919 % 50_000), word(at)).as_bytes());
    }
    let features = of(&message);
    assert!(features.as_slice().len() <= limits::FEATURES_MAX);
    assert_eq!(features.for_learning().len(), limits::LEARNING_FEATURES_MAX);
}

#[test]
fn like_messages_are_learnt_alike() {
    let text = |number: u32| {
        let words: Vec<String> = (0..3_000)
            .map(|at: u32| format!("w{}", (at * 31) % 2_000))
            .collect();
        format!(
            "Subject: campaign {number}\n\n{} {number}\n",
            words.join("q ")
        )
    };
    let (one, other) = (
        of(text(1).as_bytes()).for_learning(),
        of(text(2).as_bytes()).for_learning(),
    );
    let shared = one.iter().filter(|feature| other.contains(feature)).count();
    assert!(shared * 10 >= one.len() * 9, "{shared} of {}", one.len());
}

/// Pieces of messages as senders of spam write them, and broken.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let fixed = [
        &b"\n\n"[..],
        b"<a href='",
        b"</a>",
        b"<img src=",
        b"<div style=display:none>",
        b"</div>",
        b"<!--",
        b"-->",
        b"Content-Type: text/html; charset=gb2312\n",
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"\n--b\n",
        b"Content-Transfer-Encoding: base64\n",
        b"http://",
        b"www.",
        b"&#x41;",
        b"&nbsp;",
        b"=?utf-8?b?",
        b"?=",
        b"From: ",
        b"Subject: ",
        b"DKIM-Signature: d=;h=",
        b"List-Unsubscribe: <",
        b"Message-ID: <@",
        b"Date: +",
        b"\xe2\x80\x8b",
        b"\xd0\xb0",
        b"\xe7\xa8\x8e",
        b"<script",
        b"</script",
        b"<title>",
        b"'>",
        b"@a.b",
        b"<base href=//",
    ];
    prop_oneof![
        proptest::sample::select(fixed.to_vec()).prop_map(<[u8]>::to_vec),
        proptest::collection::vec(any::<u8>(), 0..20),
        "[a-zA-Z0-9 .,:;<>&=\"'/?%$!-]{0,30}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read(pieces in proptest::collection::vec(piece(), 0..60)) {
        let message = pieces.concat();
        let sight = Sight::of(&message);
        prop_assert!(sight.text.len() <= limits::TEXT_BYTES_MAX + 1);
        prop_assert!(sight.links.len() <= limits::LINKS_MAX);
        let features = Features::of(&sight);
        prop_assert!(features.as_slice().len() <= limits::FEATURES_MAX);
        prop_assert!(features.for_learning().len() <= limits::LEARNING_FEATURES_MAX);
        let model = crate::Model::built_in();
        prop_assert!(model.log_odds(&features).is_finite());
        prop_assert!(model.strongest(&sight, &features).iter().all(|(_, weight)| weight.is_finite()));
    }
}
