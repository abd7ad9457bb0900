//! Group C: which ports can be reached, and which should not.

use super::facts::{AcmeWay, Facts};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};

const fn check(
    id: &'static str,
    severity: Severity,
    light: Light,
    title: &'static str,
    why: &'static str,
    run: fn(&Facts, &mut Found),
) -> Check {
    Check {
        id,
        group: Group::Ports,
        severity,
        light,
        who: Who::Server,
        title,
        why,
        run,
    }
}

use Light::{Receive, Running};
use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "port.25.in",
        Error,
        Receive,
        "Port 25 can be reached",
        "Other servers bring mail here.",
        |facts, found| reachable(facts, found, 25),
    ),
    check(
        "port.465.in",
        Error,
        Running,
        "Port 465 can be reached",
        "Mail programs send here.",
        |facts, found| reachable(facts, found, 465),
    ),
    check(
        "port.587.in",
        Warning,
        Running,
        "Port 587 can be reached, if offered",
        "Older mail programs send here.",
        |facts, found| reachable(facts, found, 587),
    ),
    check(
        "port.993.in",
        Error,
        Running,
        "Port 993 can be reached",
        "Mail programs read here.",
        |facts, found| reachable(facts, found, 993),
    ),
    check(
        "port.143.in",
        Warning,
        Running,
        "Port 143 demands encryption, or is shut",
        "Passwords sent in the clear are read on the way.",
        clear_login,
    ),
    check(
        "port.995.in",
        Improvement,
        Running,
        "Port 995 can be reached, if offered",
        "Programs that fetch by POP3 come here.",
        |facts, found| reachable(facts, found, 995),
    ),
    check(
        "port.4190.in",
        Improvement,
        Running,
        "Port 4190 can be reached, if offered",
        "Mail programs change filter rules here.",
        |facts, found| reachable(facts, found, 4190),
    ),
    check(
        "port.80.in",
        Warning,
        Running,
        "Port 80 can be reached",
        "Certificates by HTTP are confirmed here.",
        port_80,
    ),
    check(
        "port.443.in",
        Error,
        Receive,
        "Port 443 can be reached",
        "Senders fetch the MTA-STS policy, and mail programs their settings, here.",
        |facts, found| reachable(facts, found, 443),
    ),
    check(
        "port.53.in",
        Error,
        Receive,
        "Port 53 can be reached, if DNS is served here",
        "Without it the zone cannot be found.",
        |facts, found| reachable(facts, found, 53),
    ),
    check(
        "port.admin.closed",
        Error,
        Running,
        "No management port is open to the world",
        "What is open is tried by strangers within hours.",
        admin_closed,
    ),
    check(
        "port.ssh.password",
        Warning,
        Running,
        "SSH takes keys only",
        "Passwords are guessed all day long.",
        ssh_password,
    ),
    check(
        "port.amplify",
        Error,
        Running,
        "The resolver answers nobody else",
        "Open resolvers are used to attack others.",
        amplify,
    ),
    check(
        "port.fw.both",
        Warning,
        Receive,
        "IPv4 and IPv6 are open alike",
        "Who comes by the family that is shut waits and gives up.",
        both_families,
    ),
];

fn open_fix(port: u16) -> Fix {
    Fix::say(format!(
        "Open TCP port {port} in the firewall, for example:\nnft add rule inet filter input tcp dport {port} accept"
    ))
}

/// Shut by every family that was looked at.
fn reachable(facts: &Facts, found: &mut Found, port: u16) {
    let Some(seen) = facts.ports.get(&port).filter(|seen| seen.wanted) else {
        return;
    };
    let looks = [seen.reachable_v4, seen.reachable_v6];
    let any_open = looks.contains(&Some(true));
    if !any_open && looks.contains(&Some(false)) {
        found.add(
            format!("port {port}"),
            "cannot be reached from outside",
            open_fix(port),
        );
    }
}

fn clear_login(facts: &Facts, found: &mut Found) {
    for (port, seen) in &facts.ports {
        if seen.login_in_clear == Some(true) {
            found.add(
                format!("port {port}"),
                "offers to log in before TLS",
                Fix::say(format!(
                    "Switch off the plain listener on port {port}, or demand STARTTLS before login."
                )),
            );
        }
    }
}

fn port_80(facts: &Facts, found: &mut Found) {
    let seen = facts.ports.get(&80).filter(|seen| seen.wanted);
    let shut = seen
        .is_some_and(|seen| seen.reachable_v4 == Some(false) && seen.reachable_v6 != Some(true));
    if shut {
        let severity = if facts.settings.acme == Some(AcmeWay::Http01) {
            Error
        } else {
            Warning
        };
        found.add_as(
            severity,
            "port 80",
            "cannot be reached from outside",
            open_fix(80),
        );
    }
}

/// Ports of databases, metrics and management that people leave open.
const NOT_FOR_THE_WORLD: [(u16, &str); 9] = [
    (3306, "MySQL"),
    (5432, "PostgreSQL"),
    (6379, "Redis"),
    (9090, "metrics"),
    (9100, "metrics"),
    (11211, "memcached"),
    (11334, "rspamd"),
    (27017, "MongoDB"),
    (8080, "management"),
];

fn admin_closed(facts: &Facts, found: &mut Found) {
    for (port, what) in NOT_FOR_THE_WORLD {
        let open = facts.ports.get(&port).is_some_and(|seen| {
            !seen.wanted && (seen.reachable_v4 == Some(true) || seen.reachable_v6 == Some(true))
        });
        if open {
            found.add(
                format!("port {port}"),
                format!("{what} is open to the world"),
                Fix::say(format!("Bind it to 127.0.0.1, or shut it:\nnft add rule inet filter input tcp dport {port} drop")),
            );
        }
    }
}

fn ssh_password(facts: &Facts, found: &mut Found) {
    if facts.settings.ssh_password == Some(true) {
        found.add(
            "sshd",
            "logs people in by password",
            Fix::say("In /etc/ssh/sshd_config: `PasswordAuthentication no`, then `systemctl reload ssh`."),
        );
    }
}

fn amplify(facts: &Facts, found: &mut Found) {
    if facts
        .ports
        .get(&53)
        .is_some_and(|seen| seen.recursive == Some(true))
    {
        found.add(
            "port 53",
            "answers everybody's questions about every name",
            Fix::say("Let the resolver listen on 127.0.0.1 only, or allow recursion to your own networks."),
        );
    }
}

fn both_families(facts: &Facts, found: &mut Found) {
    for (port, seen) in facts.ports.iter().filter(|(_, seen)| seen.wanted) {
        let shut = match (seen.reachable_v4, seen.reachable_v6) {
            (Some(true), Some(false)) => "IPv6",
            (Some(false), Some(true)) => "IPv4",
            _ => continue,
        };
        found.add(
            format!("port {port}"),
            format!("shut over {shut} only"),
            Fix::say(format!(
                "Give the firewall the same rule for {shut}: allow TCP port {port}."
            )),
        );
    }
}
