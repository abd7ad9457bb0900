//! What the firewall is told.

use store::bans::Cause;

use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn banned(text: &str, scope: Scope, seconds: i64) -> Banned {
    Banned {
        network: text.parse().unwrap(),
        until: UnixMillis(match seconds {
            0 => i64::MAX,
            seconds => NOW.0 + seconds * 1000,
        }),
        scope,
        cause: Cause::Passwords,
        level: 0,
    }
}

#[test]
fn only_our_own_ports_are_shut() {
    let services = [
        (Service::Smtp, "0.0.0.0:25".parse().unwrap()),
        (Service::Smtp, "[::]:25".parse().unwrap()),
        (Service::Imaps, "0.0.0.0:993".parse().unwrap()),
    ];
    let script = table(&services);
    for wanted in [
        "ip saddr @banned4 tcp dport { 25, 993 } counter reject with tcp reset",
        "ip6 saddr @banned6 tcp dport { 25, 993 } counter",
        "ip saddr @banned4_smtp tcp dport { 25 } counter",
        "add set inet postroad banned6_smtp { type ipv6_addr; flags interval, timeout; }",
    ] {
        assert!(script.contains(wanted), "{wanted}\n{script}");
    }
    let without = table(&[(Service::Imaps, "0.0.0.0:993".parse().unwrap())]);
    assert!(!without.contains("@banned4_smtp"));
}

#[test]
fn what_changed_is_said_and_overlaps_never() {
    let all = Scope::Everything;
    let first = cover(&[
        banned("192.0.2.1", all, 600),
        banned("2001:db8:1:2::/64", all, 600),
        banned("192.0.2.1", Scope::Mx, 60),
    ]);
    let script = difference(&Pushed::new(), &first, NOW, 500);
    assert_eq!(
        script,
        "add element inet postroad banned4 { 192.0.2.1 timeout 600s }\n\
         add element inet postroad banned4_smtp { 192.0.2.1 timeout 60s }\n\
         add element inet postroad banned6 { 2001:db8:1:2::/64 timeout 600s }\n"
    );
    assert_eq!(difference(&first, &first, NOW, 500), "");
    let second = cover(&[
        banned("192.0.2.0/24", all, 0),
        banned("192.0.2.1", all, 600),
        banned("2001:db8:1:2::/64", all, 600),
    ]);
    let second = leased(second, &first, NOW);
    assert_eq!(
        difference(&first, &second, NOW, 500),
        "delete element inet postroad banned4 { 192.0.2.1 }\n\
         delete element inet postroad banned4_smtp { 192.0.2.1 }\n\
         add element inet postroad banned4 { 192.0.2.0/24 timeout 86400s }\n"
    );
    // The wide one is lifted: the narrow one still holds.
    let third = cover(&[banned("192.0.2.1", all, 600)]);
    assert!(
        difference(&second, &third, NOW, 500).ends_with("banned4 { 192.0.2.1 timeout 600s }\n")
    );
}

#[test]
fn many_are_said_in_pieces() {
    let bans: Vec<Banned> = (0..1_200_u32)
        .map(|n| {
            let address = std::net::Ipv4Addr::from(0x0b00_0000 + n);
            banned(&address.to_string(), Scope::Everything, 600)
        })
        .collect();
    let script = difference(&Pushed::new(), &cover(&bans), NOW, 500);
    assert_eq!(script.lines().count(), 3);
    assert_eq!(script.matches("timeout").count(), 1_200);
}

#[test]
fn nothing_stays_in_the_kernel_for_ever() {
    let day = FIREWALL_LEASE_MILLIS;
    let key = (Scope::Everything, "192.0.2.1".parse::<Network>().unwrap());
    // Until when it is banned, until when it was said, and what is said now; all from now on.
    let cases = [
        ("short", day / 2, None, day / 2),
        ("a day", day, None, day),
        ("a week", 7 * day, None, day),
        ("for ever", i64::MAX - NOW.0, None, day),
        ("said not long ago", 7 * day, Some(day * 3 / 4), day * 3 / 4),
        ("said long ago", 7 * day, Some(day / 2), day),
        ("on its last day", day * 3 / 4, Some(day / 3), day * 3 / 4),
        ("made shorter", day / 4, Some(day * 3 / 4), day / 4),
    ];
    for (what, until, said, expected) in cases {
        let pushed = |span: i64| Pushed::from([(key, NOW.0 + span)]);
        let have = said.map(pushed).unwrap_or_default();
        let want = leased(pushed(until), &have, NOW);
        assert_eq!(want, pushed(expected), "{what}");
    }
}

/// With an `nft` of our own that is not the kernel's: it refuses one network and takes all others.
#[test]
fn one_refused_network_keeps_no_other_out() {
    let mut firewall =
        fake("while read -r line; do case $line in *192.0.2.66*) echo \"$line\" >&2;; esac; done");
    let bans: Vec<Banned> = (60..70)
        .map(|n| banned(&format!("192.0.2.{n}"), Scope::Everything, 600))
        .collect();
    let mut pieces = vec![firewall.at_once];
    for _ in 0..4 {
        firewall.push(&bans, NOW).unwrap();
        // What it says arrives by another thread; at one network a command it does not matter any more.
        while 1 < firewall.at_once && !firewall.refused.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        pieces.push(firewall.at_once);
    }
    assert_eq!(pieces, [500, 500, 50, 5, 1]);
    firewall.killer().kill();
}

/// With an `nft` that has lost its table, as after a reload of the machine's own rules, until it is told to make it.
#[test]
fn a_table_that_has_gone_is_made_anew() {
    let said = tempfile::NamedTempFile::new().unwrap();
    let script = format!(
        "gone=1; while read -r line; do case $line in 'add table'*) gone=;; \
         'add set'*) [ -z \"$gone\" ] || echo \"$line\" >&2;; \
         'add element'*) [ -n \"$gone\" ] || echo \"$line\" >> {};; esac; done",
        said.path().display()
    );
    let mut firewall = fake(&script);
    let bans = [banned("192.0.2.1", Scope::Everything, 600)];
    firewall.push(&bans, NOW).unwrap();
    while !firewall.missing.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    firewall.push(&bans, NOW).unwrap();
    firewall.remove();
    let said = std::fs::read_to_string(said.path()).unwrap();
    assert!(
        said.contains("banned4 { 192.0.2.1 timeout 600s }"),
        "{said}"
    );
}

/// One that does not read is ended, and what waits for it hears that it has gone.
#[test]
fn who_does_not_read_is_ended() {
    let mut firewall = fake("exec sleep 1000");
    let killer = firewall.killer();
    let many: Vec<Banned> = (0..20_000_u32)
        .map(|n| {
            let address = std::net::Ipv4Addr::from(0x0b00_0000 + n);
            banned(&address.to_string(), Scope::Everything, 600)
        })
        .collect();
    let waiting = std::thread::spawn(move || firewall.push(&many, NOW));
    killer.kill();
    let result = waiting.join().unwrap();
    assert!(matches!(result, Err(FirewallError::Gone(_))), "{result:?}");
}

fn fake(script: &str) -> Firewall {
    let mut shell = Command::new("sh");
    let child = shell.args(["-c", script]).stdin(Stdio::piped());
    let child = child.stderr(Stdio::piped()).spawn().unwrap();
    Firewall::listen_to(child, &[]).unwrap()
}
