//! Logging in: the vectors of the RFCs, both sides against each other, and lies.

use wire::TlsFacts;
use wire::sasl::client::{self, ClearText, Credentials};
use wire::sasl::server::{Exchange, Failure, Question, Turn};
use wire::sasl::{KeyPair, Mechanism, ScramKeys, Secret, decode};

use crate::smtp_server::tls_facts;

fn b64(text: &str) -> Vec<u8> {
    decode(text.as_bytes()).expect("base64")
}

fn credentials(password: &str) -> Credentials {
    Credentials {
        login: "user".to_owned(),
        password: Secret::new(password),
    }
}

/// RFC 7677 §3.
#[test]
fn the_vector_of_rfc7677() {
    let keys = ScramKeys::derive("pencil", &b64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
    let mut server = Exchange::new(
        Mechanism::ScramSha256,
        None,
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".to_owned(),
    );
    let asked = server.start(Some(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    assert_eq!(
        asked,
        Turn::Ask(Question::Scram {
            login: "user".to_owned()
        })
    );
    let first = server.scram_keys(keys);
    let want =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    assert_eq!(first, Turn::Challenge(want.as_bytes().to_vec()));
    let last = server.respond(
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    );
    assert_eq!(
        last,
        Turn::Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".to_vec())
    );
    assert_eq!(
        server.respond(b""),
        Turn::Verified {
            login: "user".to_owned(),
            key: 0,
        }
    );

    let offered = [Mechanism::ScramSha256];
    let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
    let mut client = client::Exchange::choose(
        &offered,
        credentials("pencil"),
        None,
        ClearText::Never,
        nonce,
    )
    .expect("usable");
    assert_eq!(
        client.initial().expect("a first message"),
        b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    );
    let proof = client.respond(want.as_bytes()).expect("a proof");
    assert!(
        String::from_utf8_lossy(&proof).ends_with("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    );
    // A yes before the server has shown its own proof is no yes.
    assert_eq!(
        client.succeeded(None),
        Err(client::Failure::ServerNotProven)
    );
    let verifier = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    assert_eq!(client.respond(verifier), Ok(Vec::new()));
    assert_eq!(client.succeeded(None), Ok(()));
}

/// Both sides, to the end.
fn meet(
    offered: &[Mechanism],
    client_tls: Option<&TlsFacts>,
    server_tls: Option<&TlsFacts>,
    passwords: (&str, &str),
) -> Result<(Mechanism, String), Failure> {
    let clear = ClearText::Allowed;
    let mut client = client::Exchange::choose(
        offered,
        credentials(passwords.0),
        client_tls,
        clear,
        "c0ffee".into(),
    )
    .expect("usable");
    let mechanism = client.mechanism();
    let mut server = Exchange::new(mechanism, server_tls, "5e7ve7".to_owned());
    let mut turn = server.start(client.initial().as_deref());
    loop {
        turn = match turn {
            Turn::Challenge(challenge) => {
                server.respond(&client.respond(&challenge).expect("an answer"))
            }
            Turn::Ask(Question::Password { password, .. }) => {
                server.password_was(password.expose() == passwords.1)
            }
            Turn::Ask(Question::Scram { .. }) => {
                server.scram_keys(ScramKeys::derive(passwords.1, b"salt", 4096))
            }
            Turn::Verified { login, .. } => {
                assert_eq!(client.succeeded(None), Ok(()));
                return Ok((mechanism, login));
            }
            Turn::Failed(failure) => return Err(failure),
        }
    }
}

#[test]
fn every_mechanism_logs_in_and_refuses() {
    let tls = tls_facts();
    for mechanism in Mechanism::ALL {
        let one = [mechanism];
        let facts = (mechanism != Mechanism::ScramSha256).then_some(&tls);
        let right = meet(&one, facts, facts, ("pencil", "pencil"));
        assert_eq!(right, Ok((mechanism, "user".to_owned())));
        assert_eq!(
            meet(&one, facts, facts, ("pen", "pencil")),
            Err(Failure::WrongCredentials)
        );
    }
}

#[test]
fn the_strongest_is_taken() {
    let tls = tls_facts();
    let all = Mechanism::ALL;
    let (best, _) = meet(&all, Some(&tls), Some(&tls), ("p", "p")).expect("logged in");
    assert_eq!(best, Mechanism::ScramSha256Plus);
    assert_eq!(Mechanism::offered(None).count(), 3);
    assert_eq!(Mechanism::offered(Some(&tls)).count(), 4);
    assert_eq!(
        Mechanism::from_name("scram-sha-256-plus"),
        Some(Mechanism::ScramSha256Plus)
    );
}

#[test]
fn a_hidden_offer_and_another_channel_are_noticed() {
    let tls = tls_facts();
    // Somebody took -PLUS out of the list: the client says "y", and the server knows better.
    let stripped = [Mechanism::ScramSha256];
    assert_eq!(
        meet(&stripped, Some(&tls), Some(&tls), ("p", "p")),
        Err(Failure::ChannelBinding)
    );
    // A server that really cannot bind takes the same client.
    assert!(
        meet(
            &stripped,
            Some(&tls),
            Some(&TlsFacts::default()),
            ("p", "p")
        )
        .is_ok()
    );
    // Over TLS 1.2 we do not offer it, and say nothing against "y".
    let old = TlsFacts {
        exporter: None,
        ..tls_facts()
    };
    assert_eq!(Mechanism::offered(Some(&old)).count(), 3);
    assert!(meet(&stripped, Some(&old), Some(&old), ("p", "p")).is_ok());
    // Somebody in the middle, with a TLS connection to each.
    let other = TlsFacts {
        exporter: Some(vec![9; 32]),
        ..tls_facts()
    };
    let plus = [Mechanism::ScramSha256Plus];
    assert_eq!(
        meet(&plus, Some(&tls), Some(&other), ("p", "p")),
        Err(Failure::ChannelBinding)
    );
    // Without TLS 1.3 the certificate is bound.
    let old = TlsFacts {
        exporter: None,
        ..tls_facts()
    };
    assert!(meet(&plus, Some(&old), Some(&old), ("p", "p")).is_ok());
}

#[test]
fn malformed_messages_fail_and_nothing_else() {
    let bad: [&[u8]; 9] = [
        b"",
        b"user",
        b"\0user",
        b"\0\0pw",
        b"\0user\0",
        b"\0user\0pw\0more",
        b"\0\xff\0pw",
        b"n,,n=user",
        b"n,,m=ext,n=user,r=abc",
    ];
    for message in bad {
        for mechanism in [Mechanism::Plain, Mechanism::ScramSha256] {
            let turn = Exchange::new(mechanism, None, "n".to_owned()).start(Some(message));
            assert_eq!(
                turn,
                Turn::Failed(Failure::Malformed),
                "{mechanism} {}",
                message.escape_ascii()
            );
        }
    }
    let turn = Exchange::new(Mechanism::Plain, None, "n".to_owned()).start(Some(b"bob\0user\0pw"));
    assert_eq!(turn, Turn::Failed(Failure::OnBehalf));
    let turn = Exchange::new(Mechanism::Plain, None, "n".to_owned()).start(Some(b"user\0user\0pw"));
    assert!(matches!(turn, Turn::Ask(_)));
}

#[test]
fn commas_in_names_and_odd_passwords() {
    let mut server = Exchange::new(Mechanism::ScramSha256, None, "n".to_owned());
    let asked = server.start(Some(b"n,,n=a=2Cb=3Dc,r=abc"));
    assert_eq!(
        asked,
        Turn::Ask(Question::Scram {
            login: "a,b=c".to_owned()
        })
    );
    // RFC 4013: a soft hyphen is nothing, a wide digit is a digit.
    let keys = ScramKeys::derive("p\u{ad}w\u{ff11}", b"salt", 4096);
    assert!(keys.check("pw1") && !keys.check("pw2"));
    // An emoji it knows nothing of stays what it is.
    assert!(ScramKeys::derive("🦀", b"salt", 4096).check("🦀"));
}

#[test]
fn a_cheap_server_gets_no_proof() {
    let offered = [Mechanism::ScramSha256];
    let mut client = client::Exchange::choose(
        &offered,
        credentials("p"),
        None,
        ClearText::Never,
        "abc".into(),
    )
    .expect("usable");
    client.initial();
    assert_eq!(
        client.respond(b"r=abcdef,s=c2FsdA==,i=1"),
        Err(client::Failure::Malformed)
    );
}

/// Several passwords of one user are told apart by the proof, since they share salt and iterations.
#[test]
fn one_exchange_takes_any_of_several_passwords() {
    let pair = |password: &str| {
        let keys = ScramKeys::derive(password, b"salt", 4096);
        KeyPair {
            stored_key: keys.stored_key,
            server_key: keys.server_key,
        }
    };
    let mut keys = ScramKeys::derive("pencil", b"salt", 4096);
    keys.others = vec![pair("of the phone"), pair("of the laptop")];
    for (password, want) in [
        ("pencil", Some(0)),
        ("of the phone", Some(1)),
        ("of the laptop", Some(2)),
        ("of nobody", None),
    ] {
        let mut client = client::Exchange::choose(
            &[Mechanism::ScramSha256],
            credentials(password),
            None,
            ClearText::Never,
            "c0ffee".into(),
        )
        .expect("usable");
        let mut server = Exchange::new(Mechanism::ScramSha256, None, "5e7ve7".to_owned());
        server.start(client.initial().as_deref());
        let Turn::Challenge(challenge) = server.scram_keys(keys.clone()) else {
            panic!("no challenge");
        };
        let proof = client.respond(&challenge).expect("a proof");
        match (server.respond(&proof), want) {
            (Turn::Challenge(verifier), Some(want)) => {
                let done = client
                    .respond(&verifier)
                    .expect("the server has proved itself");
                let login = "user".to_owned();
                assert_eq!(server.respond(&done), Turn::Verified { login, key: want });
            }
            (Turn::Failed(Failure::WrongCredentials), None) => {}
            other => panic!("{password}: {other:?}"),
        }
    }
}
