//! DNSSEC: what is signed is secure, what is forged is never used, what is not signed says so; also where
//! there is nothing. The same zones in three ways: in-process, by a resolver on the same host that
//! validates (AD), and validated here from real signatures.

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::Command;

use simulator::Internet;
use world::{AnswerStatus, DnsError, Kind, Record, World};

const FOUND: AnswerStatus = AnswerStatus::Found;
const NO_DATA: AnswerStatus = AnswerStatus::NoData;
const NO_NAME: AnswerStatus = AnswerStatus::NoSuchName;

fn zones(internet: &Internet) {
    let zones = internet.zones();
    zones.signed("there.test");
    internet
        .domain("there.test")
        .mx("mx.there.test")
        .txt("v=spf1 mx -all");
    zones.host("mx.there.test", [192, 0, 2, 7].into());
    internet
        .domain("_25._tcp.mx.there.test")
        .tlsa(3, 1, 1, vec![7; 32]);
    internet.domain("www.there.test").cname("mx.there.test");
    internet.domain("out.there.test").cname("plain.test");
    internet
        .domain("gone.there.test")
        .cname("nobody.there.test");
    zones.host("plain.test", [192, 0, 2, 8].into());
    zones.unsigned("sub.there.test");
    internet.domain("x.sub.there.test").txt("not signed");
    zones.bogus("bad.test");
    zones.host("bad.test", [192, 0, 2, 9].into());
}

async fn ask(world: &World, name: &str, kind: Kind) -> Result<(AnswerStatus, bool), DnsError> {
    let answer = world.dns.ask(name, kind).await?;
    Ok((answer.status, answer.secure))
}

async fn answers(internet: Internet) {
    zones(&internet);
    let world = internet.world("asker", vec![internet.fresh_address()]);
    let cases = [
        ("there.test", Kind::Mx, FOUND, true),
        ("There.TEST.", Kind::Txt, FOUND, true),
        ("mx.there.test", Kind::A, FOUND, true),
        ("_25._tcp.mx.there.test", Kind::Tlsa, FOUND, true),
        ("www.there.test", Kind::A, FOUND, true),
        // A chain is worth what its weakest link is.
        ("out.there.test", Kind::A, FOUND, false),
        // That there is nothing is proved as well.
        ("there.test", Kind::A, NO_DATA, true),
        ("mx.there.test", Kind::Tlsa, NO_DATA, true),
        ("_tcp.mx.there.test", Kind::A, NO_DATA, true),
        ("nobody.there.test", Kind::A, NO_NAME, true),
        ("a.b.c.there.test", Kind::A, NO_NAME, true),
        ("zz.there.test", Kind::Mx, NO_NAME, true),
        ("_25._tcp.nobody.there.test", Kind::Tlsa, NO_NAME, true),
        // Delegations that are proved to be unsigned.
        ("plain.test", Kind::A, FOUND, false),
        ("plain.test", Kind::Mx, NO_DATA, false),
        ("nobody.plain.test", Kind::Mx, NO_NAME, false),
        ("elsewhere.example", Kind::Mx, NO_NAME, false),
        ("x.sub.there.test", Kind::Txt, FOUND, false),
        ("y.sub.there.test", Kind::Txt, NO_NAME, false),
    ];
    for (name, kind, status, secure) in cases {
        let got = ask(&world, name, kind).await;
        assert_eq!(got, Ok((status, secure)), "{name} {kind:?}");
        // Once more, from a cache if there is one.
        let got = ask(&world, name, kind).await;
        assert_eq!(got, Ok((status, secure)), "{name} {kind:?} again");
    }
    for (name, kind) in [
        ("bad.test", Kind::A),
        ("bad.test", Kind::Mx),
        ("nobody.bad.test", Kind::A),
    ] {
        let got = ask(&world, name, kind).await;
        assert_eq!(got, Err(DnsError::Bogus), "{name} {kind:?}");
    }
}

/// A man in the middle invents records and makes others vanish.
async fn forgeries(internet: Internet) {
    zones(&internet);
    let evil = || Record::A(Ipv4Addr::new(203, 0, 113, 66));
    let zones = internet.zones();
    zones.spoof("mx.there.test", vec![evil()]);
    zones.spoof("_25._tcp.mx.there.test", Vec::new());
    zones.spoof("invented.there.test", vec![evil()]);
    zones.spoof("plain.test", vec![evil()]);
    let world = internet.world("asker", vec![internet.fresh_address()]);
    for (name, kind) in [
        ("mx.there.test", Kind::A),
        ("www.there.test", Kind::A),
        ("_25._tcp.mx.there.test", Kind::Tlsa),
        ("invented.there.test", Kind::A),
    ] {
        let got = ask(&world, name, kind).await;
        assert_eq!(got, Err(DnsError::Bogus), "{name} {kind:?}");
    }
    // What is not signed cannot be told from forgery.
    let plain = world.dns.ask("plain.test", Kind::A).await.unwrap();
    assert_eq!((plain.records, plain.secure), (vec![evil()], false));
    zones.unspoof("_25._tcp.mx.there.test");
    let world = internet.world("another", vec![internet.fresh_address()]);
    let got = ask(&world, "_25._tcp.mx.there.test", Kind::Tlsa).await;
    assert_eq!(got, Ok((FOUND, true)));
}

#[test]
fn answers_in_process() {
    Internet::simulated(1, answers);
}

#[test]
fn answers_of_a_validating_resolver_on_this_host() {
    Internet::real(answers);
}

#[test]
fn answers_validated_here() {
    Internet::validating(answers);
}

#[test]
fn forgeries_in_process() {
    Internet::simulated(1, forgeries);
}

#[test]
fn forgeries_before_a_validating_resolver_on_this_host() {
    Internet::real(forgeries);
}

#[test]
fn forgeries_validated_here() {
    Internet::validating(forgeries);
}

/// Everything below one signed root: no delegation at all.
#[test]
fn one_zone_for_all() {
    Internet::validating(async |internet| {
        internet.zones().signed(".");
        internet
            .zones()
            .host("mx.there.test", [192, 0, 2, 7].into());
        let world = internet.world("asker", vec![]);
        for (name, status) in [
            ("mx.there.test", FOUND),
            ("there.test", NO_DATA),
            ("nobody.there.test", NO_NAME),
            ("nowhere", NO_NAME),
        ] {
            assert_eq!(
                ask(&world, name, Kind::A).await,
                Ok((status, true)),
                "{name}"
            );
        }
    });
}

/// BIND's validator on our signatures: the signer of the pocket internet is no accomplice of the
/// resolver.
#[test]
fn delv_agrees() {
    if Command::new("delv").arg("-v").output().is_err() {
        eprintln!("skipped: delv is not installed");
        return;
    }
    Internet::validating(async |internet| {
        zones(&internet);
        let at = internet.dns_address().unwrap();
        let key = internet.dns_root_key().unwrap();
        let mut anchor = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            "trust-anchors {{ \".\" static-key 257 3 {} \"{}\"; }};",
            key.algorithm,
            base64(&key.public_key)
        );
        anchor.write_all(text.as_bytes()).unwrap();
        let cases = [
            ("there.test", "MX", "; fully validated"),
            ("_25._tcp.mx.there.test", "TLSA", "; fully validated"),
            ("there.test", "A", "; negative response, fully validated"),
            (
                "nobody.there.test",
                "A",
                "; negative response, fully validated",
            ),
            (
                "a.b.c.there.test",
                "A",
                "; negative response, fully validated",
            ),
            (
                "_tcp.mx.there.test",
                "A",
                "; negative response, fully validated",
            ),
            ("plain.test", "A", "; unsigned answer"),
            ("x.sub.there.test", "TXT", "; unsigned answer"),
            ("bad.test", "A", "resolution failed: RRSIG failed to verify"),
        ];
        for (name, kind, want) in cases {
            let mut command = Command::new("delv");
            command
                .arg(format!("@{}", at.ip()))
                .args(["-p", &at.port().to_string()])
                .arg("-a")
                .arg(anchor.path())
                .args(["+root=.", name, kind]);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap());
            let output = output.await.unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(said.contains(want), "{name} {kind}: {said}");
        }
    });
}

fn base64(bytes: &[u8]) -> String {
    let mut encoder = Command::new("base64");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let output = encoder.arg("-w0").arg(file.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A server on this host that hands on signatures and checks none: they are checked here.
#[test]
fn a_local_server_that_does_not_validate_is_not_believed() {
    Internet::real(async |internet| {
        zones(&internet);
        internet.zones().check_nothing();
        let world = internet.world("asker", vec![]);
        for (name, kind, want) in [
            ("there.test", Kind::Mx, Ok((FOUND, true))),
            ("nobody.there.test", Kind::Mx, Ok((NO_NAME, true))),
            ("plain.test", Kind::A, Ok((FOUND, false))),
            ("bad.test", Kind::A, Err(DnsError::Bogus)),
        ] {
            assert_eq!(ask(&world, name, kind).await, want, "{name} {kind:?}");
        }
    });
}

/// A server that cannot be asked at the first question may be asked at a later one.
#[test]
fn servers_that_fail_at_first_are_used_later() {
    Internet::real(async |internet| {
        zones(&internet);
        internet.zones().fault(".", simulator::DnsFault::ServFail);
        let world = internet.world("asker", vec![]);
        let got = ask(&world, "there.test", Kind::Mx).await;
        assert_eq!(got, Err(DnsError::ServerFailure));
        internet.zones().mend(".");
        let got = ask(&world, "there.test", Kind::Mx).await;
        assert_eq!(got, Ok((FOUND, true)));
    });
}

/// Who once got signatures does not go on without them: that is what a forger would do.
#[test]
fn signatures_that_vanish_later_are_missed() {
    Internet::validating(async |internet| {
        zones(&internet);
        let world = internet.world("asker", vec![]);
        assert_eq!(ask(&world, "there.test", Kind::Mx).await, Ok((FOUND, true)));
        // Looked at when the first answer cannot be believed.
        assert_eq!(ask(&world, "bad.test", Kind::A).await, Err(DnsError::Bogus));
        internet.zones().drop_signatures();
        internet.zones().check_nothing();
        internet.zones().spoof("_25._tcp.mx.there.test", Vec::new());
        let got = ask(&world, "_25._tcp.mx.there.test", Kind::Tlsa).await;
        assert_eq!(got, Err(DnsError::Bogus));
    });
}
