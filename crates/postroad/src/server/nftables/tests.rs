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
    let script = difference(&Pushed::new(), &first, NOW);
    assert_eq!(
        script,
        "add element inet postroad banned4 { 192.0.2.1 timeout 600s }\n\
         add element inet postroad banned4_smtp { 192.0.2.1 timeout 60s }\n\
         add element inet postroad banned6 { 2001:db8:1:2::/64 timeout 600s }\n"
    );
    assert_eq!(difference(&first, &first, NOW), "");
    let second = cover(&[
        banned("192.0.2.0/24", all, 0),
        banned("192.0.2.1", all, 600),
        banned("2001:db8:1:2::/64", all, 600),
    ]);
    assert_eq!(
        difference(&first, &second, NOW),
        "delete element inet postroad banned4 { 192.0.2.1 }\n\
         delete element inet postroad banned4_smtp { 192.0.2.1 }\n\
         add element inet postroad banned4 { 192.0.2.0/24 }\n"
    );
    // The wide one is lifted: the narrow one still holds.
    let third = cover(&[banned("192.0.2.1", all, 600)]);
    assert!(difference(&second, &third, NOW).ends_with("banned4 { 192.0.2.1 timeout 600s }\n"));
}

#[test]
fn many_are_said_in_pieces() {
    let bans: Vec<Banned> = (0..1_200_u32)
        .map(|n| {
            let address = std::net::Ipv4Addr::from(0x0b00_0000 + n);
            banned(&address.to_string(), Scope::Everything, 600)
        })
        .collect();
    let script = difference(&Pushed::new(), &cover(&bans), NOW);
    assert_eq!(script.lines().count(), 3);
    assert_eq!(script.matches("timeout").count(), 1_200);
}
