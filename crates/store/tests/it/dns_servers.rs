//! The name servers that take changes from us, and their keys.

use mail::Domain;
use store::*;

use crate::fixture::*;

on_both!(
    the_server_of_the_longest_zone_is_found,
    keys_are_kept_sealed_and_come_back
);

fn server(zone: &str, key: Option<DnsServerKey>) -> DnsServer {
    DnsServer {
        zone: Domain::parse(zone).unwrap(),
        at: "127.0.0.1:53".to_owned(),
        key,
    }
}

fn the_server_of_the_longest_zone_is_found(home: &Home) {
    for zone in ["here.example", "mail.here.example"] {
        let one = server(zone, None);
        home.write(move |change| change.set_dns_server(&one, NOW))
            .expect("kept");
    }
    let cases = [
        ("here.example", Some("here.example")),
        ("_dmarc.here.example.", Some("here.example")),
        ("_25._tcp.MAIL.here.example", Some("mail.here.example")),
        ("where.example", None),
        ("example", None),
    ];
    for (name, zone) in cases {
        let found = home.read(move |view| view.dns_server_for(name));
        let found = found.map(|server| server.zone.to_string());
        assert_eq!(found.as_deref(), zone, "{name}");
    }
}

fn keys_are_kept_sealed_and_come_back(home: &Home) {
    let key = DnsServerKey {
        name: "postroad".to_owned(),
        algorithm: "hmac-sha256".to_owned(),
        secret: b"not for everybody".to_vec(),
    };
    for one in [
        server("here.example", None),
        server("here.example", Some(key)),
    ] {
        let given = one.clone();
        home.write(move |change| change.set_dns_server(&given, NOW))
            .expect("kept");
        assert_eq!(home.read(|view| view.dns_servers()), [one]);
    }
    let zone = Domain::parse("here.example").unwrap();
    for known in [true, false] {
        let gone = zone.clone();
        let removed = home.write(move |change| change.remove_dns_server(&gone));
        assert_eq!(removed.expect("done"), known);
    }
    assert_eq!(home.read(|view| view.dns_servers()), []);
}
