//! What a file may say, and how its faults are told.

use std::net::IpAddr;
use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/srv/post/postroad.toml"))
}

/// Every fault as "line: message".
fn faults(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Faults(faults)) => faults
            .iter()
            .map(|fault| format!("{}: {}", fault.line, fault.message))
            .collect(),
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn check_fault(text: &str, line: usize, words: &str) {
    let text = format!("hostname = \"mail.example.org\"\n{text}");
    let found = faults(&text);
    assert!(
        found
            .iter()
            .any(|fault| fault.starts_with(&format!("{line}: ")) && fault.contains(words)),
        "{words:?} at line {line} not among {found:?}"
    );
}

#[test]
fn the_smallest_file() {
    let config = parse("hostname = \"Mail.Example.ORG\"\n").unwrap();
    assert_eq!(config.hostname, "mail.example.org");
    assert_eq!(config.data, Path::new("/srv/post"));
    assert_eq!(config.listen, Listen::standard());
    assert_eq!(config.outbound.port, 25);
    assert!(!config.tls.cleartext_login);
}

#[test]
fn the_file_of_quickstart_is_short_and_sound() {
    let text = for_quickstart("mail.example.test", "127.0.0.1".parse().unwrap(), 2000);
    assert!(text.lines().count() <= 20, "{}", text.lines().count());
    let config = parse(&text).unwrap();
    assert_eq!(config.hostname, "mail.example.test");
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    assert_eq!(config.listen, Listen::on(&[loopback], 2000).unwrap());
    // What is commented out must be right too once someone takes the hash away.
    let open: String = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = \"") || rest.starts_with('['))
        })
        .filter(|line| !line.starts_with("For") && !line.starts_with("relay"))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = parse(&format!("hostname = \"mail.example.test\"\n{open}")).unwrap();
    assert!(config.tls.files.is_some());
}

#[test]
fn services_one_by_one() {
    let config = parse(
        "hostname = \"m.example\"\n[listen]\naddress = [\"192.0.2.1\", \"::1\"]\nport_offset = 100\n\
         pop3 = false\nsmtp = 2525\nimap = \"127.0.0.1:0\"\nimaps = [\"127.0.0.1:1\", 2]\n",
    )
    .unwrap();
    let sockets = |service| {
        config
            .listen
            .services
            .get(&service)
            .map(|sockets| sockets.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(sockets(Service::Pop3), None);
    assert_eq!(
        sockets(Service::Smtp).unwrap(),
        ["192.0.2.1:2525", "[::1]:2525"]
    );
    assert_eq!(sockets(Service::Imap).unwrap(), ["127.0.0.1:0"]);
    assert_eq!(
        sockets(Service::Imaps).unwrap(),
        ["127.0.0.1:1", "192.0.2.1:2", "[::1]:2"]
    );
    assert_eq!(
        sockets(Service::Pop3s).unwrap(),
        ["192.0.2.1:1095", "[::1]:1095"]
    );
}

#[test]
fn unknown_keys_are_faults_with_the_nearest_guess() {
    check_fault("hostnam = \"x\"\n", 2, "did you mean `hostname`?");
    check_fault("\n[lsiten]\nport_offset = 1\n", 3, "did you mean `listen`?");
    check_fault(
        "[listen]\nport-offset = 1\n",
        3,
        "did you mean `listen.port_offset`?",
    );
    check_fault(
        "[outbound]\n\n\nzzzzzzzz = 1\n",
        5,
        "known here: port, addresses",
    );
    check_fault(
        "[outbound.relays]\n\"a.example\" = { uri = \"smtp://b\" }\n",
        3,
        "did you mean",
    );
}

#[test]
fn wrong_values_say_what_is_wanted() {
    check_fault("[listen]\nport_offset = 70000\n", 3, "a port, 0 to 65535");
    check_fault("[listen]\nport_offset = 65000\n", 3, "leave the range");
    check_fault("[listen]\naddress = \"here\"\n", 3, "an IP address");
    check_fault("[tls]\ncertificate = \"a.pem\"\n", 3, "set `key` too");
    check_fault("[store]\nurl = \"mysql://x\"\n", 3, "postgres://");
    check_fault("[tls]\ncleartext_login = \"yes\"\n", 3, "true or false");
    check_fault("[limits]\nrecipients = 0\n", 3, "above zero");
    check_fault("listen = 25\n", 2, "[listen]");
    check_fault(
        "[outbound]\nrelay = \"relay.example\"\n",
        3,
        "smtps://user@relay.example:465",
    );
    check_fault(
        "[outbound]\nrelay = \"smtps://ann:secret@relay.example\"\n",
        3,
        "smtps://user@",
    );
    check_fault(
        "[outbound]\nrelay = \"smtps://ann@relay.example\"\n",
        3,
        "password",
    );
    check_fault("hostname = \n", 2, "this is not TOML");
    assert!(faults("hostname = \"no spaces\"")[0].contains("is not a host name"));
}

#[test]
fn all_faults_are_told_at_once() {
    let found =
        faults("hostname = \"mail.example.org\"\nx = 1\n[dns]\nresolvers = [\"a\"]\ny = 2\n");
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn relays() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "p@ss word\nnotes\n").unwrap();
    let text = "hostname = \"m.example\"\n[outbound]\nport = 2525\naddresses = [\"192.0.2.7\"]\n\
        relay = \"smtps://ann%40example.org@relay.example\"\nrelay_password_file = \"secret\"\n\
        [outbound.relays.\"Slow.Example\"]\nurl = \"smtp://127.0.0.1:2626\"\n\
        [outbound.relays.\"six.example\"]\nurl = \"smtp://[::1]:2627\"\n";
    let config = Config::parse(text, &folder.path().join("postroad.toml")).unwrap();
    let relay = config.outbound.relay.unwrap();
    assert_eq!(
        (relay.security, relay.host.as_str(), relay.port),
        (RelaySecurity::Implicit, "relay.example", 465)
    );
    let login = relay.login.as_ref().unwrap();
    assert_eq!(
        (login.user.as_str(), login.password.as_str()),
        ("ann@example.org", "p@ss word")
    );
    assert_eq!(
        relay.to_string(),
        "smtps://ann%40example.org@relay.example:465"
    );
    assert!(!format!("{relay:?}").contains("p@ss"));
    let slow = &config.outbound.relays["slow.example"];
    assert_eq!(
        (slow.security, slow.port),
        (RelaySecurity::Opportunistic, 2626)
    );
    assert_eq!(
        config.outbound.relays["six.example"].to_string(),
        "smtp://[::1]:2627"
    );
}

#[test]
fn show_hides_secrets() {
    let config =
        parse("hostname = \"m.example\"\n[store]\nurl = \"postgres://ann:secret@db/post\"\n")
            .unwrap();
    let shown = describe(&config).to_string();
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("postgres://ann:***@db/post"), "{shown}");
}

#[test]
fn filters_are_texts_or_tables() {
    let config = parse(
        "hostname = \"m.example\"\n[filters]\nclamd = \"/run/clamd.ctl\"\nwhen_unavailable = \"pass\"\n\
         milters = [\"127.0.0.1:11332\", { name = \"sign\", at = \"inet:8891@localhost\", doors = \"submission\", \
         when_unavailable = \"defer\", patience_secs = 5 }]\n",
    )
    .unwrap();
    let filters = &config.filters;
    assert_eq!(
        filters.clamd.as_ref().unwrap().at.to_string(),
        "unix:/run/clamd.ctl"
    );
    let [first, second] = filters.milters.as_slice() else {
        panic!("{filters:?}")
    };
    assert_eq!(
        (first.name.as_str(), first.doors),
        ("127.0.0.1:11332", mta::FilterDoors::Both)
    );
    assert_eq!(first.when_unavailable, mta::WhenUnavailable::Pass);
    assert_eq!(
        (second.name.as_str(), second.doors),
        ("sign", mta::FilterDoors::Submission)
    );
    assert_eq!(second.when_unavailable, mta::WhenUnavailable::Defer);
    assert_eq!(second.patience.as_secs(), 5);
    assert_eq!(second.when_too_large, mta::WhenTooLarge::Pass);
    let own = parse(
        "hostname = \"m.example\"\n[filters]\nwhen_too_large = \"defer\"\nmilters = [\"/run/a\"]\n\
         clamd = { at = \"/run/clamd.ctl\", doors = \"inbound\", when_unavailable = \"pass\", when_too_large = \"refuse\", \
         patience_secs = 7 }\n",
    );
    let own = own.unwrap().filters;
    let clamd = own.clamd.as_ref().unwrap();
    assert_eq!(
        (clamd.name.as_str(), clamd.patience.as_secs()),
        ("clamd", 7)
    );
    assert_eq!(clamd.doors, mta::FilterDoors::Inbound);
    assert_eq!(clamd.when_unavailable, mta::WhenUnavailable::Pass);
    assert_eq!(clamd.when_too_large, mta::WhenTooLarge::Refuse);
    assert_eq!(own.milters[0].when_too_large, mta::WhenTooLarge::Defer);
    assert_eq!(own.milters[0].when_unavailable, mta::WhenUnavailable::Defer);
    let tables = parse(
        "hostname = \"m.example\"\n[[filters.milters]]\nat = \"/run/a\"\n[[filters.milters]]\nat = \"/run/b\"\n",
    );
    assert_eq!(
        tables.unwrap().filters.milters[1].at.to_string(),
        "unix:/run/b"
    );
}

#[test]
fn faults_of_filters_say_what_to_write() {
    check_fault(
        "[filters]\nclamd = \"somewhere\"\n",
        3,
        "unix:/run/clamav/clamd.ctl",
    );
    check_fault(
        "[filters]\nwhen_unavailable = \"maybe\"\n",
        3,
        "\"defer\" or \"pass\"",
    );
    check_fault(
        "[filters]\nmilters = [{ name = \"a\" }]\n",
        3,
        "at is missing",
    );
    check_fault(
        "[filters]\nmilters = [\"/run/a\", \"/run/a\"]\n",
        3,
        "its own `name`",
    );
    check_fault(
        "[filters]\nclamd = [\"/run/a\", \"/run/b\"]\n",
        3,
        "one is asked",
    );
    check_fault(
        "[filters]\nclamd = { at = \"/run/a\", when_too_large = \"maybe\" }\n",
        3,
        "\"pass\" or \"refuse\" or \"defer\"",
    );
    check_fault("[filters]\nmilter = \"/run/a\"\n", 3, "did you mean");
}
