//! Which right password is taken where.

use super::*;

const NOW: UnixMillis = UnixMillis(1_000);

struct Case {
    is_active: bool,
    server: LoginRules,
    account: LoginRules,
    bounds: Option<AppPasswordBounds>,
    protocol: Protocol,
    peer: &'static str,
}

fn plain() -> Case {
    Case {
        is_active: true,
        server: LoginRules::default(),
        account: LoginRules::default(),
        bounds: None,
        protocol: Protocol::Submission,
        peer: "192.0.2.7",
    }
}

fn app() -> Case {
    Case {
        bounds: Some(AppPasswordBounds {
            protocols: Protocols::all(),
            networks: Vec::new(),
            expires: None,
        }),
        ..plain()
    }
}

fn decide(case: &Case) -> Result<(), Barred> {
    admit(&Facts {
        is_active: case.is_active,
        server: &case.server,
        account: &case.account,
        bounds: case.bounds.as_ref(),
        protocol: case.protocol,
        peer: case.peer.parse().expect("an address"),
        now: NOW,
    })
}

fn off(protocol: Protocol) -> LoginRules {
    LoginRules {
        protocols_off: Protocols::none().with(protocol),
        ..LoginRules::default()
    }
}

fn from(network: &str) -> LoginRules {
    LoginRules {
        submission_networks: vec![network.parse().expect("a network")],
        ..LoginRules::default()
    }
}

fn app_only() -> LoginRules {
    LoginRules {
        app_passwords_only: true,
        ..LoginRules::default()
    }
}

fn bounded(change: impl FnOnce(&mut AppPasswordBounds)) -> Case {
    let mut case = app();
    change(case.bounds.as_mut().expect("bounds"));
    case
}

#[test]
fn what_a_right_password_opens() {
    use Protocol::{Imap, Pop3, Submission};
    let near = || vec!["192.0.2.0/24".parse().expect("a network")];
    let far = || vec!["198.51.100.0/24".parse().expect("a network")];
    let table: Vec<(&str, Case, Result<(), Barred>)> = vec![
        ("nothing said", plain(), Ok(())),
        ("an app password", app(), Ok(())),
        (
            "disabled",
            Case {
                is_active: false,
                ..app()
            },
            Err(Barred::AccountDisabled),
        ),
        (
            "off here",
            Case {
                server: off(Submission),
                ..plain()
            },
            Err(Barred::ProtocolOffServer),
        ),
        (
            "off for one",
            Case {
                account: off(Submission),
                ..app()
            },
            Err(Barred::ProtocolOffAccount),
        ),
        (
            "another is off",
            Case {
                server: off(Imap),
                account: off(Pop3),
                ..plain()
            },
            Ok(()),
        ),
        (
            "main barred",
            Case {
                account: app_only(),
                ..plain()
            },
            Err(Barred::MainPassword),
        ),
        (
            "main barred for all",
            Case {
                server: app_only(),
                ..plain()
            },
            Err(Barred::MainPassword),
        ),
        (
            "main barred, app",
            Case {
                account: app_only(),
                ..app()
            },
            Ok(()),
        ),
        (
            "sent from elsewhere",
            Case {
                account: from("198.51.100.0/24"),
                ..plain()
            },
            Err(Barred::SubmissionNetworkAccount),
        ),
        (
            "all from elsewhere",
            Case {
                server: from("198.51.100.0/24"),
                ..app()
            },
            Err(Barred::SubmissionNetworkServer),
        ),
        (
            "sent from home",
            Case {
                server: from("192.0.2.0/24"),
                account: from("192.0.2.7"),
                ..plain()
            },
            Ok(()),
        ),
        (
            "read from elsewhere",
            Case {
                account: from("198.51.100.0/24"),
                protocol: Imap,
                ..plain()
            },
            Ok(()),
        ),
        (
            "IPv6 is no IPv4",
            Case {
                account: from("0.0.0.0/0"),
                peer: "2001:db8::1",
                ..plain()
            },
            Err(Barred::SubmissionNetworkAccount),
        ),
        (
            "app for another",
            bounded(|b| b.protocols = Protocols::none().with(Imap)),
            Err(Barred::AppPasswordProtocol),
        ),
        (
            "app from elsewhere",
            bounded(|b| b.networks = far()),
            Err(Barred::AppPasswordNetwork),
        ),
        ("app from home", bounded(|b| b.networks = near()), Ok(())),
        (
            "app expired",
            bounded(|b| b.expires = Some(NOW)),
            Err(Barred::AppPasswordExpired),
        ),
        (
            "app lasts",
            bounded(|b| b.expires = Some(UnixMillis(NOW.0 + 1))),
            Ok(()),
        ),
    ];
    for (name, case, want) in table {
        assert_eq!(decide(&case), want, "{name}");
    }
}

#[test]
fn codes_are_told_apart() {
    let codes: std::collections::HashSet<i64> = Barred::ALL.iter().map(|one| one.code()).collect();
    assert_eq!(codes.len(), Barred::ALL.len());
}
