//! Group B: the server's addresses and their reverse names.

use std::net::IpAddr;

use super::facts::{AddressFacts, Facts};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::parse;
use crate::records::{Kind, reverse_name};

const fn check(
    id: &'static str,
    severity: Severity,
    light: Light,
    who: Who,
    title: &'static str,
    why: &'static str,
    run: fn(&Facts, &mut Found),
) -> Check {
    Check {
        id,
        group: Group::Address,
        severity,
        light,
        who,
        title,
        why,
        run,
    }
}

use Light::{Send, Trusted};
use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "ip.ptr4.exists",
        Error,
        Send,
        Who::Hoster,
        "The IPv4 address has a reverse name",
        "Many servers refuse mail from an address without one.",
        ptr4,
    ),
    check(
        "ip.ptr6.exists",
        Error,
        Send,
        Who::Hoster,
        "The IPv6 address has a reverse name",
        "Gmail and Microsoft refuse mail over IPv6 without one.",
        ptr6,
    ),
    check(
        "ip.fcrdns",
        Error,
        Send,
        Who::Hoster,
        "Reverse name and address confirm each other",
        "A reverse name that does not lead back counts as none.",
        fcrdns,
    ),
    check(
        "ip.ptr.equals_ehlo",
        Warning,
        Trusted,
        Who::Hoster,
        "Reverse name and host name are the same",
        "GMX and others refuse or distrust servers with two names.",
        ptr_equals_ehlo,
    ),
    check(
        "ip.ptr.single",
        Warning,
        Trusted,
        Who::Hoster,
        "There is one reverse name",
        "With several, others pick one by chance.",
        ptr_single,
    ),
    check(
        "ip.ptr.generic",
        Warning,
        Trusted,
        Who::Hoster,
        "The reverse name does not look like a home line's",
        "Yahoo, Mail.ru and many filters refuse such names.",
        ptr_generic,
    ),
    check(
        "ip.static",
        Error,
        Send,
        Who::Hoster,
        "The address is not listed as dynamic",
        "Mail from dynamic addresses is refused nearly everywhere.",
        is_static,
    ),
    check(
        "ip.stable",
        Error,
        Send,
        Who::Dns,
        "The address is the one of the set-up",
        "DNS, reverse name and SPF still name the old one.",
        stable,
    ),
    check(
        "ip.nat.match",
        Error,
        Send,
        Who::Server,
        "Mail leaves from the address that DNS names",
        "SPF and the reverse name are checked against the address that others see.",
        nat_match,
    ),
    check(
        "ip.v6.own64",
        Warning,
        Trusted,
        Who::Hoster,
        "The IPv6 network is ours alone",
        "Block lists count a whole /64: a neighbour's spam becomes yours.",
        own_64,
    ),
    check(
        "ip.v6.policy",
        Error,
        Send,
        Who::Server,
        "IPv6 is used for sending only when it is complete",
        "Google and Microsoft refuse IPv6 mail whose address has no reverse name.",
        v6_policy,
    ),
    check(
        "ip.port25.out",
        Error,
        Send,
        Who::Hoster,
        "Mail can leave by port 25",
        "Without it no server can be reached; many hosters block it until asked.",
        port25_out,
    ),
    check(
        "ip.port25.intercept",
        Error,
        Send,
        Who::Hoster,
        "Nobody rewrites mail traffic on the way",
        "A box in between takes away encryption and breaks delivery.",
        port25_intercept,
    ),
    check(
        "ip.asn.kind",
        Improvement,
        Trusted,
        Who::Hoster,
        "The network is meant for servers",
        "Mail from home networks is distrusted.",
        asn_kind,
    ),
    check(
        "ip.asn.reputation",
        Improvement,
        Trusted,
        Who::Hoster,
        "The hoster's network is in good standing",
        "Neighbours' spam is held against the whole network.",
        asn_reputation,
    ),
    check(
        "ip.abuse.contact",
        Improvement,
        Trusted,
        Who::Hoster,
        "The network names a contact for complaints",
        "Without one, complaints go to block lists instead.",
        abuse_contact,
    ),
    check(
        "ip.rpki",
        Improvement,
        Trusted,
        Who::Hoster,
        "The route to the address is signed",
        "An unsigned route can be taken over by others.",
        rpki,
    ),
];

fn senders(facts: &Facts) -> impl Iterator<Item = &AddressFacts> {
    facts.addresses.iter().filter(|address| address.sends)
}

fn reverse<'a>(facts: &'a Facts, address: &AddressFacts) -> Option<&'a [String]> {
    facts.dns.values(&reverse_name(address.address), Kind::Ptr)
}

fn ask_for_name(facts: &Facts, address: IpAddr) -> Fix {
    let host = facts.host.clone();
    Fix::publish(
        &format!(
            "Set the reverse DNS of {address} to {host} in the hoster's panel, or send the hoster this:\n\"Please set the PTR record of {address} to {host}.\""
        ),
        &reverse_name(address),
        Kind::Ptr,
        &[format!("{host}.")],
    )
}

fn missing(facts: &Facts, found: &mut Found, v4: bool) {
    for address in senders(facts).filter(|address| address.address.is_ipv4() == v4) {
        if reverse(facts, address).is_some_and(|names| names.is_empty()) {
            found.add(
                address.address.to_string(),
                "no reverse name",
                ask_for_name(facts, address.address),
            );
        }
    }
}

fn ptr4(facts: &Facts, found: &mut Found) {
    missing(facts, found, true);
}

fn ptr6(facts: &Facts, found: &mut Found) {
    if facts.settings.sends_ipv6 != Some(false) {
        missing(facts, found, false);
    }
}

fn fcrdns(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        for name in reverse(facts, address).unwrap_or(&[]) {
            let name = parse::host(name);
            // Our own name's addresses have checks of their own.
            if name == facts.host {
                continue;
            }
            let back = parse::addresses(&facts.dns, &name);
            if back.is_some_and(|list| !list.contains(&address.address)) {
                found.add(
                    address.address.to_string(),
                    format!("its reverse name {name} does not lead back to it"),
                    ask_for_name(facts, address.address),
                );
            }
        }
    }
}

fn ptr_equals_ehlo(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        let names = reverse(facts, address).unwrap_or(&[]);
        let [only] = names else {
            continue;
        };
        let name = parse::host(only);
        let confirmed =
            parse::addresses(&facts.dns, &name).is_none_or(|list| list.contains(&address.address));
        if name != facts.host && confirmed && !looks_generic(&name) {
            found.add(
                address.address.to_string(),
                format!("its reverse name is {name}, the server says {}", facts.host),
                ask_for_name(facts, address.address),
            );
        }
    }
}

fn ptr_single(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        let names = reverse(facts, address).unwrap_or(&[]);
        if names.len() > 1 {
            found.add(
                address.address.to_string(),
                format!("{} reverse names: {}", names.len(), names.join(", ")),
                ask_for_name(facts, address.address),
            );
        }
    }
}

/// Words and shapes of home lines (as the filters of big receivers look for them).
fn looks_generic(name: &str) -> bool {
    const WORDS: [&str; 16] = [
        "dsl",
        "dyn",
        "dynamic",
        "pool",
        "dhcp",
        "ppp",
        "cable",
        "broadband",
        "static",
        "dialup",
        "dial",
        "client",
        "clients",
        "vps",
        "user",
        "customer",
    ];
    let labels: Vec<&str> = name.split(['.', '-']).collect();
    let numbers = labels
        .iter()
        .filter(|label| {
            !label.is_empty() && label.len() <= 3 && label.bytes().all(|byte| byte.is_ascii_digit())
        })
        .count();
    numbers >= 3
        || labels
            .iter()
            .any(|label| WORDS.contains(&label.trim_end_matches(|c: char| c.is_ascii_digit())))
}

fn ptr_generic(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        let [only] = reverse(facts, address).unwrap_or(&[]) else {
            continue;
        };
        let name = parse::host(only);
        let confirmed =
            parse::addresses(&facts.dns, &name).is_none_or(|list| list.contains(&address.address));
        if looks_generic(&name) && confirmed {
            found.add(
                address.address.to_string(),
                format!("its reverse name {name} looks generic"),
                ask_for_name(facts, address.address),
            );
        }
    }
}

fn is_static(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if address.dynamic == Some(true) {
            found.add(
                address.address.to_string(),
                "listed as a dynamic address",
                Fix::say(format!("If it is fixed: remove it at https://check.spamhaus.org/results?query={} (PBL). Else send through a relay: `postroad relay add`.", address.address)),
            );
        }
    }
}

fn stable(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if let Some(before) = address.at_setup
            && before != address.address
        {
            found.add(
                address.address.to_string(),
                format!("it was {before} when the server was set up"),
                Fix::run(
                    "Publish the records for the new address:",
                    "postroad dns show",
                ),
            );
        }
    }
}

fn nat_match(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if let Some(outside) = address.seen_outside
            && outside != address.address
        {
            found.add(
                address.address.to_string(),
                format!("others see {outside}"),
                Fix::say(format!("Let mail leave from {}: set it as the source address of outgoing connections, or name {outside} in DNS and SPF.", address.address)),
            );
        }
    }
}

fn own_64(facts: &Facts, found: &mut Found) {
    for address in senders(facts).filter(|address| address.address.is_ipv6()) {
        if address.own_64 == Some(false) {
            found.add(
                address.address.to_string(),
                "its /64 is shared with others",
                Fix::say("Ask the hoster for a /64 of your own, or send over IPv4 only."),
            );
        }
    }
}

fn v6_policy(facts: &Facts, found: &mut Found) {
    let has_v6 = facts
        .addresses
        .iter()
        .any(|address| address.address.is_ipv6());
    if facts.settings.sends_ipv6 == Some(true) && !has_v6 && !facts.addresses.is_empty() {
        found.add(
            "IPv6",
            "sending over IPv6 is on, but the server has no public IPv6 address",
            Fix::say("Send over IPv4 only until the server has a public IPv6 address."),
        );
    }
}

fn port25_out(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if address.port25_out == Some(false) {
            found.add(
                address.address.to_string(),
                "no server can be reached on port 25",
                Fix::say(format!("Send the hoster this:\n\"Please open outgoing TCP port 25 for {}; it is our mail server.\"\nOr send through a relay: `postroad relay add`.", address.address)),
            );
        }
    }
}

fn port25_intercept(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if address.smtp_untouched == Some(false) {
            found.add(
                address.address.to_string(),
                "what big providers' servers say arrives changed",
                Fix::say(
                    "Ask the hoster to switch off its SMTP proxy or inspection for your address.",
                ),
            );
        }
    }
}

fn asn_kind(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if address.network.as_deref() == Some("access") {
            found.add(
                address.address.to_string(),
                "the network is one for homes",
                Fix::say(
                    "Send through a relay: `postroad relay add`, or move the server to a hoster.",
                ),
            );
        }
    }
}

fn asn_reputation(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if address.bad_neighbours == Some(true) {
            found.add(
                address.address.to_string(),
                "the hoster's network is listed as a whole",
                Fix::say(
                    "Nothing to be done here; if mail is refused for it, think of another hoster.",
                ),
            );
        }
    }
}

fn abuse_contact(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if address.has_abuse_contact == Some(false) {
            found.add(
                address.address.to_string(),
                "no abuse contact in the registry",
                Fix::say("Ask the hoster to enter an abuse contact for the network."),
            );
        }
    }
}

fn rpki(facts: &Facts, found: &mut Found) {
    for address in senders(facts) {
        if address.route_signed == Some(false) {
            found.add(
                address.address.to_string(),
                "the route is not signed (RPKI)",
                Fix::say("Ask the hoster to publish a ROA for its network."),
            );
        }
    }
}
