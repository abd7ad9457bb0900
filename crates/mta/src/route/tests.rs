//! Where mail goes, by what the DNS says.

use super::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn mx(hosts: &[(u16, &str)]) -> MxFacts {
    MxFacts::Mx(
        hosts
            .iter()
            .map(|(p, host)| (*p, (*host).to_owned()))
            .collect(),
    )
}

#[track_caller]
fn check(facts: MxFacts, want: Result<&[&str], Unroutable>) {
    let got =
        plan(&domain("there.example"), facts, &domain("us.example")).map(|route| match route {
            Route::Hosts(hosts) => hosts
                .iter()
                .map(|host| host.host.to_string())
                .collect::<Vec<_>>(),
            Route::Relay(_) => panic!("a relay"),
        });
    assert_eq!(
        got,
        want.map(|names| names.iter().map(ToString::to_string).collect())
    );
}

#[test]
fn what_the_dns_says() {
    let there = || domain("there.example");
    check(
        mx(&[(20, "b.example"), (10, "A.example.")]),
        Ok(&["a.example", "b.example"]),
    );
    check(MxFacts::AddressOnly, Ok(&["there.example"]));
    check(MxFacts::Nothing, Err(Unroutable::NoMailHost(there())));
    check(
        MxFacts::NoSuchDomain,
        Err(Unroutable::NoSuchDomain(there())),
    );
    check(mx(&[(0, ".")]), Err(Unroutable::NullMx(there())));
    check(mx(&[(0, "")]), Err(Unroutable::NullMx(there())));
    // A null MX beside others is wrong; the others stand. RFC 7505 §3.
    check(mx(&[(0, "."), (10, "a.example")]), Ok(&["a.example"]));
    check(
        mx(&[(10, "us.example")]),
        Err(Unroutable::LoopsBack(there())),
    );
    check(
        mx(&[(10, "a.example"), (20, "US.example."), (30, "c.example")]),
        Ok(&["a.example"]),
    );
    check(
        mx(&[(10, "a.example"), (10, "us.example")]),
        Err(Unroutable::LoopsBack(there())),
    );
    check(mx(&[(10, "192.0.2.1")]), Ok(&["[192.0.2.1]"]));
}

#[test]
fn hosts_of_many_domains_are_one_destination() {
    let plan = |domain: &str, facts| {
        plan(
            &Domain::parse(domain).unwrap(),
            facts,
            &Domain::parse("us.example").unwrap(),
        )
    };
    let one = plan(
        "one.example",
        mx(&[(10, "b.mx"), (10, "a.mx"), (20, "c.mx")]),
    )
    .unwrap();
    let two = plan("two.example", mx(&[(5, "a.mx"), (5, "b.mx")])).unwrap();
    assert_eq!(one.destination(), two.destination());
    assert_eq!(one.destination().to_string(), "a.mx,b.mx");
}

#[test]
fn equal_preferences_are_shuffled_and_unequal_ones_are_not() {
    let hosts: Vec<MxHost> = [(10, "a"), (10, "b"), (20, "c")]
        .map(|(preference, name)| MxHost {
            preference,
            host: HostName::of(name),
        })
        .to_vec();
    let random = world::SeededRandom::new(1);
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let order = in_turn(&hosts, &random);
        assert_eq!(order[2], HostName::of("c"));
        firsts.insert(order[0].clone());
    }
    assert_eq!(firsts.len(), 2);
}
