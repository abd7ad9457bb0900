//! Which records let receivers check our signatures.

use std::time::Duration;

use mail::UnixMillis;
use store::{DkimAlgorithm, DkimKey, DkimLook, DkimRecord, DkimState, NewDkimKey};
use world::{Answer, Record};

use super::judge;
use crate::dkim::{new_pair, record};

fn stored(new: NewDkimKey) -> DkimKey {
    DkimKey {
        domain: mail::Domain::parse("here.test").unwrap(),
        selector: new.selector,
        algorithm: new.algorithm,
        private: new.private,
        public: new.public,
        state: new.state,
        created: UnixMillis(0),
        seen: None,
        active: None,
        used: None,
        stopped: None,
        look: DkimLook::default(),
    }
}

fn pair() -> (DkimKey, DkimKey) {
    let mut keys = new_pair(DkimState::Coming, &[], UnixMillis::from_secs(1_795_000_000))
        .unwrap()
        .into_iter()
        .map(stored);
    (keys.next().unwrap(), keys.next().unwrap())
}

fn answer(texts: &[&str]) -> Answer {
    // As servers give long texts: in strings of 255 bytes.
    let records = texts
        .iter()
        .map(|text| Record::Txt(text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect()));
    Answer::found(records.collect(), Duration::from_secs(60))
}

#[test]
fn a_record_is_compared_byte_for_byte() {
    let (rsa, ed) = pair();
    assert_eq!(rsa.algorithm, DkimAlgorithm::RsaSha256);
    let (right, short) = (record(&rsa.private).unwrap(), record(&ed.private).unwrap());
    let public = right.rsplit_once("p=").unwrap().1;
    let cut = &right[..right.len() - 1];
    let swapped = right.replace(&public[60..62], "!!");
    let spaced = format!("v=DKIM1;k=rsa;\tp={} {};", &public[..200], &public[200..]);
    let cases: &[(&str, &DkimKey, &[&str], DkimRecord, &str)] = &[
        ("as we say", &rsa, &[&right], DkimRecord::Right, ""),
        ("the short one", &ed, &[&short], DkimRecord::Right, ""),
        ("other spacing", &rsa, &[&spaced], DkimRecord::Right, ""),
        (
            "rsa is the default kind",
            &rsa,
            &[&format!("p={public}")],
            DkimRecord::Right,
            "",
        ),
        ("nothing", &rsa, &[], DkimRecord::Missing, "no TXT"),
        (
            "one character less",
            &rsa,
            &[cut],
            DkimRecord::Wrong,
            "another one (391 instead of 392",
        ),
        (
            "two characters",
            &rsa,
            &[&swapped],
            DkimRecord::Wrong,
            "another one",
        ),
        (
            "the other key",
            &rsa,
            &[&short],
            DkimRecord::Wrong,
            "k=ed25519",
        ),
        (
            "no kind said",
            &ed,
            &[&short.replace("k=ed25519; ", "")],
            DkimRecord::Wrong,
            "k=rsa",
        ),
        (
            "two records",
            &rsa,
            &[&right, "v=spf1 -all"],
            DkimRecord::Wrong,
            "2 TXT",
        ),
        (
            "revoked",
            &rsa,
            &["v=DKIM1; k=rsa; p="],
            DkimRecord::Wrong,
            "revokes",
        ),
        (
            "no key",
            &rsa,
            &["v=DKIM1; k=rsa"],
            DkimRecord::Wrong,
            "no p=",
        ),
        (
            "another version",
            &rsa,
            &[&right.replace("DKIM1", "DKIM2")],
            DkimRecord::Wrong,
            "v=DKIM1",
        ),
        (
            "testing",
            &rsa,
            &[&format!("{right}; t=s:y")],
            DkimRecord::Wrong,
            "t=y",
        ),
        (
            "strict only",
            &rsa,
            &[&format!("{right}; t=s")],
            DkimRecord::Right,
            "",
        ),
        (
            "sha1 only",
            &rsa,
            &[&format!("{right}; h=sha1")],
            DkimRecord::Wrong,
            "h=",
        ),
        (
            "not for mail",
            &rsa,
            &[&format!("{right}; s=tlsrpt")],
            DkimRecord::Wrong,
            "s=",
        ),
    ];
    for (name, key, texts, want, words) in cases {
        let look = judge(&answer(texts), key);
        assert_eq!(look.found, *want, "{name}: {}", look.words);
        assert!(look.words.contains(words), "{name}: {}", look.words);
    }
}

#[test]
fn selectors_carry_the_month_and_do_not_come_back() {
    let at = UnixMillis::from_secs(1_795_000_000);
    let names = |taken: &[&str]| {
        let taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        let keys = new_pair(DkimState::Coming, &taken, at).unwrap();
        keys.into_iter().map(|key| key.selector).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["pr2611r", "pr2611e"]);
    assert_eq!(
        names(&["pr2611r", "pr2611e", "pr2611e2"]),
        ["pr2611r2", "pr2611e3"]
    );
}
