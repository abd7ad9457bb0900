//! Group D, first half: certificates and the encryption on our ports.

use super::facts::{Certificate, Facts};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse::{self, domains};

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
        group: Group::Tls,
        severity,
        light,
        who: Who::Server,
        title,
        why,
        run,
    }
}

use Light::{Receive, Running, Send};
use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "tls.25.offered",
        Error,
        Receive,
        "Port 25 offers STARTTLS",
        "Without it mail to you is readable on the way, and some senders refuse to bring it.",
        offered,
    ),
    check(
        "tls.cert.valid",
        Error,
        Receive,
        "The certificate is trusted and carries the host name",
        "Mail programs warn, and senders under MTA-STS do not bring mail.",
        cert_valid,
    ),
    check(
        "tls.cert.expiry",
        Warning,
        Receive,
        "The certificate is good for weeks",
        "Short time left says that renewing fails.",
        cert_expiry,
    ),
    check(
        "tls.cert.served",
        Warning,
        Running,
        "All ports show the loaded certificate",
        "A port that shows an old one fails when that one ends.",
        cert_served,
    ),
    check(
        "tls.cert.names",
        Warning,
        Running,
        "The certificate covers every name in use",
        "Mail programs and senders fetch settings and policies by these names.",
        cert_names,
    ),
    check(
        "tls.cert.key",
        Warning,
        Running,
        "The key is strong",
        "Weak keys are refused by newer programs.",
        cert_key,
    ),
    check(
        "tls.ver",
        Warning,
        Running,
        "TLS 1.2 and 1.3 are offered, older ones not",
        "Old versions can be broken; some senders have only 1.2.",
        versions,
    ),
    check(
        "tls.cipher",
        Warning,
        Running,
        "No weak ciphers",
        "What is sent with them can be read.",
        ciphers,
    ),
    check(
        "tls.reneg",
        Warning,
        Running,
        "No insecure renegotiation",
        "A man in the middle can put words before yours.",
        renegotiation,
    ),
    check(
        "tls.0rtt",
        Improvement,
        Running,
        "No early data",
        "What is sent early can be sent again by others.",
        early_data,
    ),
    check(
        "tls.ems",
        Improvement,
        Running,
        "Extended master secret",
        "It ties the keys to the handshake.",
        master_secret,
    ),
    check(
        "tls.smtp.inject",
        Error,
        Receive,
        "Nothing sent before TLS counts after it",
        "A man in the middle could put commands into the encrypted dialogue.",
        injection,
    ),
    check(
        "tls.outbound",
        Warning,
        Send,
        "Mail leaves encrypted",
        "Big providers mark or refuse mail that comes without TLS.",
        outbound,
    ),
    check(
        "tls.outbound.floor",
        Warning,
        Send,
        "Providers that demand TLS get nothing else",
        "They refuse such mail anyway, and it is readable on the way.",
        floor,
    ),
    check(
        "tls.requiretls",
        Improvement,
        Receive,
        "REQUIRETLS is offered",
        "Senders may ask that a message never travels in the clear.",
        requiretls,
    ),
];

fn offered(facts: &Facts, found: &mut Found) {
    if facts.tls.starttls_25 == Some(false) {
        found.add(
            "port 25",
            "no STARTTLS in the greeting",
            Fix::run("Get a certificate:", "postroad certificate fetch"),
        );
    }
}

fn certificate(facts: &Facts) -> Option<&Certificate> {
    facts.tls.certificate.as_ref()
}

/// `*.example.org` covers one label (RFC 6125 6.4.3).
fn covers(names: &[String], wanted: &str) -> bool {
    names.iter().any(|name| {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("*.") {
            Some(rest) => wanted
                .split_once('.')
                .is_some_and(|(_, parent)| parent == rest),
            None => name == wanted,
        }
    })
}

fn cert_valid(facts: &Facts, found: &mut Found) {
    let Some(shown) = certificate(facts) else {
        return;
    };
    if shown.not_after <= facts.now {
        return;
    }
    if !covers(&shown.names, &facts.host) {
        found.add(
            &facts.host,
            format!("the certificate carries {}", shown.names.join(", ")),
            Fix::say(format!("Get a certificate for {}.", facts.host)),
        );
    } else if !shown.trusted {
        found.add(
            &facts.host,
            "the certificate is not trusted: self-made, or its chain is incomplete",
            Fix::say(format!(
                "Get a certificate of a public authority for {}, with its whole chain.",
                facts.host
            )),
        );
    }
}

fn cert_expiry(facts: &Facts, found: &mut Found) {
    let Some(shown) = certificate(facts) else {
        return;
    };
    let left = shown.not_after.saturating_sub(facts.now);
    if left < limits::CERTIFICATE_LEFT_WARN {
        let severity = if left < limits::CERTIFICATE_LEFT_ERROR {
            Error
        } else {
            Warning
        };
        let seen = if left == 0 {
            "the certificate has expired".to_owned()
        } else {
            format!("the certificate ends in {}", parse::span(left))
        };
        found.add_as(
            severity,
            &facts.host,
            seen,
            Fix::say("Renew it now, and see why it was not renewed:\npostroad certificate list\npostroad certificate fetch"),
        );
    }
}

fn cert_served(facts: &Facts, found: &mut Found) {
    for port in facts.tls.other_certificate.iter().flatten() {
        found.add(
            format!("port {port}"),
            "shows another certificate than the one that is loaded",
            Fix::say("Reload: `systemctl reload postroad`; if the port belongs to another program, restart that."),
        );
    }
}

fn cert_names(facts: &Facts, found: &mut Found) {
    let Some(shown) = certificate(facts) else {
        return;
    };
    for domain in domains(facts) {
        let mut wanted = Vec::new();
        if domain.mta_sts.is_some() {
            wanted.push(format!("mta-sts.{}", domain.domain));
        }
        if facts.clients.contains_key(&domain.domain) {
            wanted.push(format!("autoconfig.{}", domain.domain));
            wanted.push(format!("autodiscover.{}", domain.domain));
        }
        wanted.retain(|name| !covers(&shown.names, name));
        if !wanted.is_empty() {
            found.add(
                &domain.domain,
                format!("not in the certificate: {}", wanted.join(", ")),
                Fix::say(format!(
                    "Get a certificate that also carries:\n{}",
                    wanted.join("\n")
                )),
            );
        }
    }
}

fn cert_key(facts: &Facts, found: &mut Found) {
    let Some(shown) = certificate(facts) else {
        return;
    };
    let short = shown.key == "rsa" && shown.bits < limits::RSA_BITS_MIN;
    if short || shown.weak_signature {
        let seen = if short {
            format!("an RSA key of {} bits", shown.bits)
        } else {
            "signed with SHA-1 or MD5".to_owned()
        };
        found.add(
            &facts.host,
            seen,
            Fix::say("Get a new certificate with a P-256 key or RSA of 2048 bits."),
        );
    }
}

fn versions(facts: &Facts, found: &mut Found) {
    let Some(offered) = &facts.tls.versions else {
        return;
    };
    let has = |version: &str| offered.iter().any(|one| one == version);
    let mut faults = Vec::new();
    for old in ["1.0", "1.1"] {
        if has(old) {
            faults.push(format!("TLS {old} is offered"));
        }
    }
    for new in ["1.2", "1.3"] {
        if !has(new) {
            faults.push(format!("TLS {new} is missing"));
        }
    }
    if !faults.is_empty() {
        found.add(
            &facts.host,
            faults.join(", "),
            Fix::say("Offer TLS 1.2 and 1.3 only; if another program stands before this one, set it there."),
        );
    }
}

fn ciphers(facts: &Facts, found: &mut Found) {
    if let Some(weak) = facts
        .tls
        .weak_ciphers
        .as_ref()
        .filter(|weak| !weak.is_empty())
    {
        found.add(
            &facts.host,
            format!("offers {}", weak.join(", ")),
            Fix::say("Take the default cipher list; remove a list of your own."),
        );
    }
}

fn renegotiation(facts: &Facts, found: &mut Found) {
    if facts.tls.insecure_renegotiation == Some(true) {
        found.add(
            &facts.host,
            "renegotiates insecurely",
            Fix::say("Update the TLS library of the program that answers there."),
        );
    }
}

fn early_data(facts: &Facts, found: &mut Found) {
    if facts.tls.early_data == Some(true) {
        found.add(
            &facts.host,
            "takes early data (0-RTT)",
            Fix::say("Switch off 0-RTT for mail ports."),
        );
    }
}

fn master_secret(facts: &Facts, found: &mut Found) {
    if facts.tls.extended_master_secret == Some(false) {
        found.add(
            &facts.host,
            "no extended master secret",
            Fix::say("Update the TLS library of the program that answers there."),
        );
    }
}

fn injection(facts: &Facts, found: &mut Found) {
    if facts.tls.injection == Some(true) {
        found.add(
            "port 25",
            "obeys commands that came before TLS",
            Fix::say("Update the mail server, or what stands before it on port 25."),
        );
    }
}

fn outbound(facts: &Facts, found: &mut Found) {
    if let Some(share) = facts.tls.outbound_share
        && share < 0.99
    {
        found.add(
            "outgoing mail",
            format!(
                "{} to the big providers left over TLS",
                parse::percent(share)
            ),
            Fix::run(
                "See what stands in the way:",
                "postroad tls check gmail.com --connect",
            ),
        );
    }
}

fn floor(facts: &Facts, found: &mut Found) {
    if facts.settings.tls_required_for_big == Some(false) {
        found.add(
            "outgoing mail",
            "TLS is not demanded for Google, GMX, Orange and others that ask for it",
            Fix::say("Demand it:\npostroad tls require gmail.com --level encrypted\npostroad tls require gmx.net --level encrypted\npostroad tls require orange.fr --level encrypted"),
        );
    }
}

fn requiretls(facts: &Facts, found: &mut Found) {
    if facts.tls.requiretls == Some(false) {
        found.add(
            "port 25",
            "REQUIRETLS is not offered",
            Fix::say("Load a trusted certificate: it is offered with one."),
        );
    }
}
