//! Names of all kinds.

use super::*;

#[test]
fn names_of_mail_servers_and_of_lines_are_told_apart() {
    let cases = [
        ("mail.example.org", "192.0.2.1", Reverse::MailServer),
        ("mx1.example.org", "192.0.2.1", Reverse::MailServer),
        (
            "mail-wr1-f54.google.com",
            "209.85.221.54",
            Reverse::MailServer,
        ),
        (
            "a8-31.smtp-out.amazonses.com",
            "54.240.8.31",
            Reverse::MailServer,
        ),
        (
            "mout-xforward.gmx.net",
            "82.165.159.14",
            Reverse::MailServer,
        ),
        (
            "mail-eopbgr50080.outbound.protection.outlook.com",
            "40.107.5.80",
            Reverse::MailServer,
        ),
        ("www.example.org", "192.0.2.1", Reverse::Named),
        ("example.org", "192.0.2.1", Reverse::Named),
        (
            "cluster5.us.messagelabs.example",
            "192.0.2.1",
            Reverse::Named,
        ),
        ("mail-192-0-2-1.example.org", "192.0.2.1", Reverse::Named),
        ("1.2.0.192.dsl.example.net", "192.0.2.1", Reverse::Generic),
        ("host-192-0-2-1.example.net", "192.0.2.1", Reverse::Generic),
        (
            "static.1.2.0.192.clients.your-server.example",
            "192.0.2.1",
            Reverse::Generic,
        ),
        (
            "ec2-192-0-2-1.compute-1.amazonaws.com",
            "192.0.2.1",
            Reverse::Generic,
        ),
        ("c0000201.example.net", "192.0.2.1", Reverse::Generic),
        ("p192000002001.example.net", "192.0.2.1", Reverse::Generic),
        ("adsl-77.example.net", "192.0.2.1", Reverse::Generic),
        ("customer.pool-7.example.net", "192.0.2.1", Reverse::Generic),
        ("2-0-192.example.net", "192.0.2.1", Reverse::Generic),
        ("v192.0.3.example.net", "192.0.2.1", Reverse::Named),
        (
            "2001-db8-0-0-a1b2-c3d4-e5f6-0789.example.net",
            "2001:db8::a1b2:c3d4:e5f6:789",
            Reverse::Generic,
        ),
        ("mail.example.net", "2001:db8::1", Reverse::MailServer),
        ("", "192.0.2.1", Reverse::Named),
    ];
    for (name, ip, expected) in cases {
        assert_eq!(
            Reverse::of_name(name, ip.parse().unwrap()),
            expected,
            "{name}"
        );
    }
}
