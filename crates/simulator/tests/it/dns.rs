//! The name server over real sockets, asked by the real resolver; and the same answers in-process.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use simulator::{DnsFault, Internet};
use world::{
    AnswerStatus, DnsError, DnsSettings, Kind, Record, Resolver, Validation, World, reverse_name,
};

fn zones(internet: &Internet) {
    internet
        .domain("there.test")
        .mx_at(20, "mx2.there.test")
        .mx("mx.there.test");
    internet
        .zones()
        .host("mx.there.test", [192, 0, 2, 7].into());
    internet
        .zones()
        .host("mx.there.test", "2001:db8::7".parse::<IpAddr>().unwrap());
    internet.domain("www.there.test").cname("mx.there.test");
    internet.domain("null.test").null_mx();
    let many = (0..60).fold(internet.domain("many.test"), |name, number| {
        name.txt(&format!("{number} {}", "x".repeat(300)))
    });
    drop(many);
    internet.zones().fault("broken.test", DnsFault::ServFail);
    internet.zones().fault("refused.test", DnsFault::Refused);
    internet.domain("short.test").txt("all of it");
    internet.zones().fault("short.test", DnsFault::Truncated);
}

async fn check(world: &World, name: &str, kind: Kind, want: AnswerStatus) -> Vec<Record> {
    let answer = world.dns.ask(name, kind).await.unwrap();
    assert_eq!(answer.status, want, "{name} {kind:?}");
    assert!(!answer.secure);
    answer.records
}

async fn answers(internet: Internet) {
    zones(&internet);
    let world = internet.world("asker", vec![internet.fresh_address()]);
    let mx = check(&world, "there.test", Kind::Mx, AnswerStatus::Found).await;
    let want =
        [(20, "mx2.there.test"), (10, "mx.there.test")].map(|(preference, name)| Record::Mx {
            preference,
            exchange: name.to_owned(),
        });
    assert_eq!(mx, want);
    let a = check(&world, "MX.there.test.", Kind::A, AnswerStatus::Found).await;
    assert_eq!(a, [Record::A(Ipv4Addr::new(192, 0, 2, 7))]);
    assert_eq!(
        check(&world, "www.there.test", Kind::A, AnswerStatus::Found).await,
        a
    );
    check(&world, "www.there.test", Kind::Aaaa, AnswerStatus::Found).await;
    check(&world, "www.there.test", Kind::Mx, AnswerStatus::NoData).await;
    check(&world, "there.test", Kind::A, AnswerStatus::NoData).await;
    check(&world, "test", Kind::A, AnswerStatus::NoData).await;
    check(&world, "nobody.test", Kind::Mx, AnswerStatus::NoSuchName).await;
    let null = check(&world, "null.test", Kind::Mx, AnswerStatus::Found).await;
    assert_eq!(
        null,
        [Record::Mx {
            preference: 0,
            exchange: ".".to_owned()
        }]
    );
    let many = check(&world, "many.test", Kind::Txt, AnswerStatus::Found).await;
    assert_eq!(many.len(), 60);
    assert!(matches!(&many[0], Record::Txt(strings) if strings.len() == 2));
    check(&world, "short.test", Kind::Txt, AnswerStatus::Found).await;
    for address in [
        [192, 0, 2, 7].into(),
        "2001:db8::7".parse::<IpAddr>().unwrap(),
    ] {
        let ptr = check(
            &world,
            &reverse_name(address),
            Kind::Ptr,
            AnswerStatus::Found,
        )
        .await;
        assert_eq!(ptr, [Record::Ptr("mx.there.test".to_owned())]);
    }
    let broken = world.dns.ask("mx.broken.test", Kind::A).await;
    assert_eq!(broken, Err(DnsError::ServerFailure));
    let refused = world.dns.ask("refused.test", Kind::A).await;
    assert!(matches!(refused, Err(DnsError::Refused(_))), "{refused:?}");
    internet.zones().mend("broken.test");
    check(&world, "mx.broken.test", Kind::A, AnswerStatus::NoSuchName).await;
}

#[test]
fn answers_over_sockets() {
    Internet::real(answers);
}

#[test]
fn answers_in_process() {
    Internet::simulated(1, answers);
}

#[test]
fn a_silent_server_is_a_temporary_error() {
    Internet::simulated(1, async |internet| {
        internet.zones().fault("silent.test", DnsFault::Silent);
        let world = internet.world("asker", vec![]);
        assert_eq!(
            world.dns.ask("silent.test", Kind::A).await,
            Err(DnsError::TimedOut)
        );
    });
}

#[test]
fn silence_is_asked_again() {
    Internet::real(async |internet| {
        internet.domain("there.test").mx("mx.there.test");
        internet
            .zones()
            .fault_times("there.test", DnsFault::Silent, 1);
        let world = internet.world("asker", vec![]);
        check(&world, "there.test", Kind::Mx, AnswerStatus::Found).await;
    });
}

#[test]
fn odd_names_are_answered_without_asking() {
    Internet::real(async |internet| {
        let world = internet.world("asker", vec![]);
        let localhost = check(&world, "localhost", Kind::A, AnswerStatus::Found).await;
        assert_eq!(localhost, [Record::A(Ipv4Addr::LOCALHOST)]);
        let label = "x".repeat(64);
        for name in ["a..b", label.as_str(), ""] {
            check(&world, name, Kind::Mx, AnswerStatus::NoSuchName).await;
        }
    });
}

#[test]
fn servers_that_drop_signatures_are_used_unchecked() {
    Internet::real(async |internet| {
        zones(&internet);
        internet.zones().drop_signatures();
        let servers = vec![internet.dns_address().unwrap()];
        let settings = DnsSettings {
            validation: Validation::Here,
            ..DnsSettings::servers(servers)
        };
        let mut world = internet.world("asker", vec![]);
        world.dns = Arc::new(Resolver::new(settings));
        check(&world, "there.test", Kind::Mx, AnswerStatus::Found).await;
        check(&world, "www.there.test", Kind::A, AnswerStatus::Found).await;
        check(&world, "there.test", Kind::A, AnswerStatus::NoData).await;
        check(&world, "nobody.test", Kind::Mx, AnswerStatus::NoSuchName).await;
        let broken = world.dns.ask("mx.broken.test", Kind::A).await;
        assert!(broken.is_err(), "{broken:?}");
    });
}
