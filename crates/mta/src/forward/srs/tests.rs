//! Return addresses lead back to their sender, through letters of any case, for a time, and cannot be
//! made by others.

use super::*;

const DAY: i64 = 86_400_000;
const NOW: UnixMillis = UnixMillis(1_772_442_000_000);

fn secret(byte: u8) -> SrsSecret {
    SrsSecret {
        created: NOW,
        secret: vec![byte; 32],
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn here() -> Domain {
    Domain::parse("fwd.example").unwrap()
}

fn rewritten(sender: &str) -> Address {
    match rewrite(&address(sender), &here(), &secret(1), NOW) {
        Rewritten::Whole(address) | Rewritten::Token { address, .. } => address,
    }
}

#[track_caller]
fn check_back(local: &str, want: Result<&str, SrsProblem>) {
    let got = origin(local, &[secret(2), secret(1)], NOW);
    let want = want.map(|text| Origin::Sender(address(text)));
    assert_eq!(got, want, "{local}");
}

#[test]
fn addresses_lead_back() {
    for sender in [
        "ann@there.example",
        "Ann.O'Neil+tag=x@there.example",
        "a@b.c",
        "bounce-1234=bob=here.example@lists.example",
        "srs0@there.example",
    ] {
        let address = rewritten(sender);
        assert!(address.local().len() <= 64, "{address}");
        assert!(address.local().starts_with("SRS0="), "{address}");
        assert_eq!(address.domain(), &here());
        assert!(is_srs(address.local()));
        check_back(address.local(), Ok(sender));
        let low = address.local().to_ascii_lowercase();
        check_back(&low, Ok(&sender.replace("Ann.O'Neil", "ann.o'neil")));
    }
}

#[test]
fn what_was_rewritten_before_goes_straight_to_the_first_forwarder() {
    for separator in ["=", "+", "-"] {
        let before = format!("SRS0{separator}AbCd=TT=origin.example=ann@first.example");
        let address = rewritten(&before);
        assert!(
            address.local().starts_with("SRS1=")
                && address.local().ends_with(&format!(
                    "=first.example={separator}AbCd=TT=origin.example=ann"
                )),
            "{address}"
        );
        check_back(address.local(), Ok(&before));
        // The third forwarder leaves out the second.
        let third = rewritten(&format!("{}@second.example", address.local()));
        assert!(!third.local().contains("second.example"), "{third}");
        check_back(third.local(), Ok(&before));
    }
}

#[test]
fn long_and_odd_senders_get_a_token() {
    let long = format!("{}@{}.example", "l".repeat(40), "d".repeat(30));
    let before = format!(
        "SRS0=AbCd=TT=origin.example={}@first.example",
        "l".repeat(30)
    );
    for sender in [
        long.as_str(),
        &before,
        "\"with space\"@there.example",
        "j\u{f6}rg@there.example",
        "ann@[192.0.2.1]",
    ] {
        let Rewritten::Token { address, token } =
            rewrite(&self::address(sender), &here(), &secret(1), NOW)
        else {
            panic!("{sender} has no token")
        };
        assert!(address.local().len() <= 64 && !address.needs_smtputf8());
        let low = address.local().to_ascii_lowercase();
        assert_eq!(
            origin(&low, &[secret(1)], NOW),
            Ok(Origin::Token(token)),
            "{address}"
        );
    }
}

#[test]
fn nobody_else_makes_them() {
    let good = rewritten("ann@there.example");
    let good = good.local();
    check_back(&good.replace("=ann", "=eve"), Err(SrsProblem::Forged));
    check_back(&good.replace("there", "where"), Err(SrsProblem::Forged));
    check_back(
        "SRS0=AAAAAAAA=AA=there.example=ann",
        Err(SrsProblem::Forged),
    );
    check_back("SRS0==AA=there.example=ann", Err(SrsProblem::Forged));
    check_back(
        "SRS1=AAAAAAAAAA=first.example==x=y=z=a",
        Err(SrsProblem::Forged),
    );
    check_back("SRS1=AA=first.example==x=y=z=a", Err(SrsProblem::Malformed));
    for broken in [
        "SRS0=",
        "SRS0=a",
        "SRS0=a=b",
        "SRS0=a=b=c",
        "SRS1=",
        "SRS1=a=b",
        "SRS0",
    ] {
        assert!(
            matches!(
                origin(broken, &[secret(1)], NOW),
                Err(SrsProblem::Malformed | SrsProblem::Forged)
            ),
            "{broken}"
        );
    }
    assert_eq!(origin(good, &[], NOW), Err(SrsProblem::Forged));
    assert_eq!(origin(good, &[secret(3)], NOW), Err(SrsProblem::Forged));
    assert!(!is_srs("srs0") && !is_srs("SRS0x") && !is_srs("ann") && !is_srs("SR\u{dc}0="));
}

#[test]
fn they_hold_for_three_weeks() {
    let address = rewritten("ann@there.example");
    let at = |days: i64| {
        origin(
            address.local(),
            &[secret(1)],
            UnixMillis(NOW.0 + days * DAY),
        )
    };
    for days in [0, 1, 20, 21] {
        assert!(at(days).is_ok(), "{days}");
    }
    for days in [22, 400, 1_000, -1] {
        assert_eq!(at(days), Err(SrsProblem::Expired), "{days}");
    }
}

#[test]
fn odd_local_parts_break_nothing() {
    use world::{Random, SeededRandom};
    let random = SeededRandom::new(7);
    let pieces = [
        "SRS0",
        "SRS1",
        "srs0",
        "=",
        "==",
        "+",
        "-",
        "a",
        "AA",
        "example.org",
        "\u{fc}",
        "",
        "@",
        "=",
    ];
    for _ in 0..20_000 {
        let count = random.below(9);
        let local: String = (0..count)
            .map(|_| pieces[random.below(pieces.len() as u64) as usize])
            .collect();
        let found = origin(&local, &[secret(1)], NOW);
        assert!(found.is_err(), "nobody made {local}");
        let Ok(sender) = Address::new(&local, here()) else {
            continue;
        };
        let there = Domain::parse("there.example").unwrap();
        let (Rewritten::Whole(address) | Rewritten::Token { address, .. }) =
            rewrite(&sender, &there, &secret(1), NOW);
        assert!(address.local().len() <= 64 && address.local().is_ascii());
        assert!(
            origin(address.local(), &[secret(1)], NOW).is_ok(),
            "{address}"
        );
    }
}
