//! Certificates from an authority: the account, what it asks for, keys that wait for their turn.

use store::*;

use crate::fixture::*;

on_both!(
    accounts_at_authorities_come_back,
    challenges_are_answered_until_they_are_over,
    a_next_key_waits_for_its_certificate,
    failures_are_counted
);

const DIRECTORY: &str = "https://ca.example/dir";

fn names() -> Vec<String> {
    vec![
        "mail.here.example".to_owned(),
        "mta-sts.here.example".to_owned(),
    ]
}

fn fetched(key: &[u8]) -> Fetched {
    Fetched {
        chain: "-----BEGIN CERTIFICATE-----\n".to_owned(),
        private_key: key.to_vec(),
        not_before: NOW,
        not_after: NOW.plus(std::time::Duration::from_secs(90 * 86_400)),
    }
}

fn accounts_at_authorities_come_back(home: &Home) {
    assert_eq!(home.read(|view| view.acme_account(DIRECTORY)), None);
    for credentials in [b"first".to_vec(), b"second".to_vec()] {
        let given = credentials.clone();
        home.write(move |change| change.set_acme_account(DIRECTORY, &given, NOW))
            .expect("kept");
        assert_eq!(
            home.read(|view| view.acme_account(DIRECTORY)),
            Some(credentials)
        );
    }
    assert_eq!(
        home.read(|view| view.acme_account("https://other.example/dir")),
        None
    );
}

fn challenges_are_answered_until_they_are_over(home: &Home) {
    let challenge = |kind, name: &str, token: &str| Challenge {
        kind,
        name: name.to_owned(),
        token: token.to_owned(),
        answer: format!("{token}.thumbprint"),
    };
    let asked = [
        challenge(ChallengeKind::Http01, "a.example", "t1"),
        challenge(ChallengeKind::TlsAlpn01, "b.example", "t2"),
    ];
    for one in asked.clone() {
        home.write(move |change| change.add_acme_challenge(&one, NOW))
            .expect("kept");
    }
    assert_eq!(
        home.read(|view| view.acme_answer("t1")),
        Some("t1.thumbprint".to_owned())
    );
    assert_eq!(
        home.read(|view| view.acme_answer("t2")),
        None,
        "not over HTTP"
    );
    assert_eq!(
        home.read(|view| view.acme_challenges(ChallengeKind::TlsAlpn01)),
        asked[1..]
    );
    home.write(|change| change.remove_acme_challenges("a.example", NOW))
        .expect("gone");
    assert_eq!(home.read(|view| view.acme_answer("t1")), None);
    assert_eq!(
        home.read(|view| view.acme_challenges(ChallengeKind::TlsAlpn01))
            .len(),
        1
    );
    let later = NOW.plus(std::time::Duration::from_secs(1));
    home.write(move |change| change.remove_acme_challenges("", later))
        .expect("gone");
    assert_eq!(
        home.read(|view| view.acme_challenges(ChallengeKind::TlsAlpn01)),
        []
    );
}

fn a_next_key_waits_for_its_certificate(home: &Home) {
    let all = || home.read(|view| view.certificates());
    assert!(
        !home
            .write(|change| change.set_next_certificate_key("mail.here.example", b"k2", NOW))
            .expect("asked")
    );
    home.write(|change| change.set_certificate(&names(), DIRECTORY, &fetched(b"k1"), NOW))
        .expect("kept");
    assert!(
        home.write(|change| change.set_next_certificate_key("mail.here.example", b"k2", NOW))
            .expect("kept")
    );
    let one = all().remove(0);
    assert_eq!((one.names, one.fetched), (names(), Some(fetched(b"k1"))));
    assert_eq!(one.next_key, Some((b"k2".to_vec(), NOW)));
    // A renewal with the old key leaves the next one waiting.
    home.write(|change| change.set_certificate(&names(), DIRECTORY, &fetched(b"k1"), NOW))
        .expect("kept");
    assert!(all()[0].next_key.is_some());
    home.write(|change| change.set_certificate(&names(), DIRECTORY, &fetched(b"k2"), NOW))
        .expect("kept");
    assert_eq!(all()[0].next_key, None);
    assert_eq!(all()[0].fetched, Some(fetched(b"k2")));
    home.write(|change| change.remove_certificate("mail.here.example"))
        .expect("gone");
    assert_eq!(all(), []);
}

fn failures_are_counted(home: &Home) {
    for _ in 0..2 {
        home.write(|change| change.certificate_failed(&names(), DIRECTORY, "no route", NOW))
            .expect("noted");
    }
    let one = home.read(|view| view.certificates()).remove(0);
    assert_eq!(
        (one.failures, one.problem.as_deref(), one.fetched),
        (2, Some("no route"), None)
    );
    home.write(|change| change.set_certificate(&names(), DIRECTORY, &fetched(b"k"), NOW))
        .expect("kept");
    let one = home.read(|view| view.certificates()).remove(0);
    assert_eq!((one.failures, one.problem), (0, None));
}
