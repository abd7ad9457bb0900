//! The kind of an address, the unit, the settings that are written.

use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use super::kind::{AddressKind, of};
use super::unit;
use crate::config::{Config, ForSetup, Service, for_setup};

#[test]
fn the_kind_of_an_address_is_seen() {
    let cases = [
        ("203.0.113.7", None, AddressKind::Fixed),
        ("203.0.113.7", Some("mail.example.org"), AddressKind::Fixed),
        (
            "203.0.113.7",
            Some("static.7.113.0.203.clients.hoster.example"),
            AddressKind::Fixed,
        ),
        (
            "203.0.113.7",
            Some("dslb-203-0-113-7.pools.provider.example"),
            AddressKind::Fixed,
        ),
        (
            "203.0.113.7",
            Some("p5dabc.dip0.t-ipconnect.example"),
            AddressKind::Home,
        ),
        (
            "203.0.113.7",
            Some("203-0-113-7.dynamic.provider.example"),
            AddressKind::Home,
        ),
        (
            "203.0.113.7",
            Some("host-7.cable.provider.example."),
            AddressKind::Home,
        ),
        ("203.0.113.7", Some("mail.dyn.example"), AddressKind::Fixed),
        ("127.0.0.1", None, AddressKind::Loopback),
        ("::1", None, AddressKind::Loopback),
        ("192.168.1.10", None, AddressKind::Private),
        ("fd00::1", None, AddressKind::Private),
        ("100.72.0.1", None, AddressKind::Shared),
        ("100.128.0.1", None, AddressKind::Fixed),
        ("2001:db8::25", Some("mail.example.org"), AddressKind::Fixed),
    ];
    for (address, name, kind) in cases {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(of(address, name), kind, "{address} {name:?}");
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    // A program that is there: systemd looks.
    let data = Path::new("/var/lib/postroad");
    let text = unit::text(Path::new("/bin/true"), data, Some(data));
    for line in [
        "User=postroad",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("postroad.service");
    std::fs::write(&file, &text).unwrap();
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&file)
        .output();
    match verified {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let about_us: Vec<_> = said
                .lines()
                .filter(|line| line.contains("postroad.service"))
                .collect();
            assert_eq!(about_us, Vec::<&str>::new());
        }
        Err(error) => eprintln!("skipped: systemd-analyze: {error}"),
    }
}

#[test]
fn the_settings_that_are_written_say_what_was_asked_for() {
    let resolvers = ["127.0.0.1:5300".parse().unwrap()];
    let all = for_setup(&ForSetup {
        hostname: "mail.example.org",
        public: &["203.0.113.7".parse().unwrap()],
        listen: Some("127.0.0.1".parse().unwrap()),
        port_offset: 2000,
        resolvers: &resolvers,
        acme: Some("https://ca.test/dir"),
        contact: "you@example.org",
        roots: Some("/tmp/roots.pem".into()),
        outbound_port: 2525,
        relay: Some("smtps://relay.example:465"),
        relay_password_file: None,
    });
    let config = Config::parse(&all, Path::new("/var/lib/postroad/postroad.toml")).unwrap();
    assert_eq!(config.hostname, "mail.example.org");
    assert_eq!(config.listen.port(Service::Smtp), Some(2025));
    assert_eq!(config.resolvers, resolvers);
    assert_eq!(config.tls.acme.as_deref(), Some("https://ca.test/dir"));
    assert_eq!(config.outbound.port, 2525);
    assert!(config.outbound.relay.is_some());
    assert_eq!(
        crate::addresses::public(&config),
        ["203.0.113.7".parse::<IpAddr>().unwrap()]
    );

    let least = for_setup(&ForSetup {
        hostname: "mail.example.org",
        public: &[],
        listen: None,
        port_offset: 0,
        resolvers: &[],
        acme: Some("letsencrypt"),
        contact: "you@example.org",
        roots: None,
        outbound_port: 25,
        relay: None,
        relay_password_file: None,
    });
    let config = Config::parse(&least, Path::new("/var/lib/postroad/postroad.toml")).unwrap();
    assert_eq!(config.listen, crate::config::Listen::standard());
    let settings = least
        .lines()
        .filter(|line| line.contains('=') && !line.starts_with('#'));
    assert!(settings.count() <= 5, "{least}");
}
