//! Group E: how the server behaves in the dialogue.

use super::facts::Facts;
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
        group: Group::Smtp,
        severity,
        light,
        who: Who::Server,
        title,
        why,
        run,
    }
}

use Light::{Receive, Running, Send, Trusted};
use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "smtp.banner",
        Warning,
        Receive,
        "The greeting names the host, soon",
        "Others compare it with DNS, and impatient ones leave.",
        banner,
    ),
    check(
        "smtp.transaction_time",
        Improvement,
        Receive,
        "A whole dialogue takes seconds",
        "Slow servers are left by impatient senders.",
        transaction_time,
    ),
    check(
        "smtp.ehlo.out",
        Error,
        Send,
        "The name given to others is the host name",
        "Receivers look it up and refuse names that do not lead back.",
        ehlo_out,
    ),
    check(
        "smtp.ehlo.literal",
        Error,
        Send,
        "The name given to others is a real one",
        "Addresses, localhost and short names are refused as signs of a bot.",
        ehlo_literal,
    ),
    check(
        "smtp.relay.open",
        Error,
        Trusted,
        "Strangers cannot send through the server",
        "Spammers find an open relay within hours, and block lists right after.",
        open_relay,
    ),
    check(
        "smtp.auth.plain_tls",
        Error,
        Running,
        "No login before encryption",
        "Passwords sent in the clear are read on the way.",
        |facts, found| {
            good(
                facts.smtp.no_auth_before_tls,
                found,
                "submission",
                "offers to log in before TLS",
                "Demand TLS before login on every port.",
            )
        },
    ),
    check(
        "smtp.auth.port25",
        Warning,
        Running,
        "No login on port 25",
        "Bots guess passwords there all day.",
        |facts, found| {
            good(
                facts.smtp.no_auth_on_25,
                found,
                "port 25",
                "offers to log in",
                "Switch off login on port 25; people use 465.",
            )
        },
    ),
    check(
        "smtp.unknown.reject",
        Error,
        Receive,
        "Unknown recipients are refused at once",
        "Taking everything makes spam pile up and bounces go to the innocent.",
        |facts, found| {
            good(
                facts.smtp.refuses_unknown,
                found,
                "port 25",
                "a recipient that does not exist was accepted",
                "Switch off the catch-all, or whatever stands before this server and accepts everything.",
            )
        },
    ),
    check(
        "smtp.backscatter",
        Error,
        Trusted,
        "No bounces to strangers",
        "Bounces for forged senders are spam, and get the server listed.",
        |facts, found| {
            good(
                facts.smtp.no_backscatter,
                found,
                "port 25",
                "bounced a message after accepting it",
                "Refuse in the dialogue instead of bouncing later.",
            )
        },
    ),
    check(
        "smtp.null_sender",
        Error,
        Receive,
        "Bounces of others are accepted",
        "Who refuses the empty sender is taken for a spammer (RFC 5321 6.1).",
        |facts, found| {
            good(
                facts.smtp.takes_null_sender,
                found,
                "port 25",
                "MAIL FROM:<> was refused",
                "Allow the empty sender.",
            )
        },
    ),
    check(
        "smtp.postmaster",
        Error,
        Trusted,
        "postmaster@ and abuse@ reach somebody",
        "Providers write there before they block.",
        roles,
    ),
    check(
        "smtp.size",
        Improvement,
        Receive,
        "The size limit is usual",
        "Below 25 MB people's attachments are refused.",
        size,
    ),
    check(
        "smtp.extensions",
        Improvement,
        Receive,
        "The usual extensions are offered",
        "Others fall back to older ways without them.",
        extensions,
    ),
    check(
        "smtp.smuggling",
        Error,
        Trusted,
        "Odd line ends smuggle no second message",
        "Others could send in your users' names.",
        |facts, found| {
            good(
                facts.smtp.refuses_smuggling,
                found,
                "port 25",
                "a bare line end ended the message",
                "Update the server, or what stands before it on port 25.",
            )
        },
    ),
    check(
        "smtp.vrfy",
        Warning,
        Trusted,
        "VRFY and EXPN tell nothing",
        "Spammers collect addresses by them.",
        |facts, found| {
            good(
                facts.smtp.vrfy_silent,
                found,
                "port 25",
                "VRFY tells which addresses exist",
                "Switch VRFY and EXPN off.",
            )
        },
    ),
    check(
        "smtp.helo.strict",
        Warning,
        Receive,
        "Own rules do not refuse the big ones",
        "Mail from most people comes through them.",
        strict,
    ),
    check(
        "smtp.loop",
        Improvement,
        Receive,
        "There is a limit of stations",
        "Without one a loop of forwards never ends.",
        hops,
    ),
    check(
        "smtp.one_domain_tx",
        Warning,
        Send,
        "One recipient domain per transaction",
        "Gmail answers 451 to several.",
        |facts, found| {
            good(
                facts.settings.one_domain_per_transaction,
                found,
                "outgoing mail",
                "recipients of several domains share a transaction",
                "Split transactions by domain.",
            )
        },
    ),
    check(
        "smtp.dsn.format",
        Warning,
        Send,
        "Own bounces are well-formed",
        "Malformed ones are refused or taken for spam.",
        |facts, found| {
            good(
                facts.smtp.dsn_ok,
                found,
                "own bounces",
                "a test bounce was not well-formed",
                "Update the server.",
            )
        },
    ),
    check(
        "smtp.autoresponse",
        Warning,
        Trusted,
        "Automatic answers are modest",
        "Answers to lists and spam get the server listed.",
        |facts, found| {
            good(
                facts.smtp.autoresponse_ok,
                found,
                "vacation",
                "a vacation note went to a list, to spam or twice",
                "Correct the Sieve vacation rule: once a week per sender, never to lists.",
            )
        },
    ),
    check(
        "smtp.crlf.norm",
        Error,
        Send,
        "Line ends of outgoing mail are right",
        "Microsoft refuses bare line feeds; signatures break.",
        |facts, found| {
            good(
                facts.smtp.outgoing_normalised,
                found,
                "outgoing mail",
                "bare line ends or lines over 998 bytes left the server",
                "Normalise before signing: update the server.",
            )
        },
    ),
];

fn good(observed: Option<bool>, found: &mut Found, about: &str, seen: &str, fix: &str) {
    if observed == Some(false) {
        found.add(about, seen, Fix::say(fix));
    }
}

fn banner(facts: &Facts, found: &mut Found) {
    let Some(banner) = &facts.smtp.banner else {
        return;
    };
    let name = banner
        .split_ascii_whitespace()
        .find(|word| word.contains('.'));
    if !name.is_some_and(|name| name.eq_ignore_ascii_case(&facts.host)) {
        found.add(
            "port 25",
            format!("greets with {banner:?}"),
            Fix::say(format!(
                "Set `hostname = \"{}\"` in postroad.toml.",
                facts.host
            )),
        );
    } else if facts.smtp.banner_millis.is_some_and(|millis| millis > 5000) {
        found.add(
            "port 25",
            "the greeting takes more than five seconds",
            Fix::say("Shorten the delay before the greeting."),
        );
    }
}

fn transaction_time(facts: &Facts, found: &mut Found) {
    if let Some(millis) = facts.smtp.dialogue_millis
        && millis > 5000
    {
        found.add(
            "port 25",
            format!("a dialogue takes {} seconds", millis / 1000),
            Fix::say("Look which look-up is slow: `postroad doctor --explain sys.resolver`."),
        );
    }
}

fn is_real_name(name: &str) -> bool {
    name.contains('.')
        && !name.starts_with('[')
        && name.parse::<std::net::IpAddr>().is_err()
        && !name.ends_with(".local")
        && !name.ends_with(".localdomain")
        && !name.ends_with(".lan")
}

fn ehlo_out(facts: &Facts, found: &mut Found) {
    if let Some(name) = &facts.settings.ehlo
        && is_real_name(name)
        && !name.eq_ignore_ascii_case(&facts.host)
    {
        found.add(
            "outgoing mail",
            format!("introduces itself as {name}"),
            Fix::say(format!(
                "Set `hostname = \"{}\"` in postroad.toml and no other EHLO name.",
                facts.host
            )),
        );
    }
}

fn ehlo_literal(facts: &Facts, found: &mut Found) {
    if let Some(name) = &facts.settings.ehlo
        && !is_real_name(name)
    {
        found.add(
            "outgoing mail",
            format!("introduces itself as {name}"),
            Fix::say(format!(
                "Set `hostname = \"{}\"` in postroad.toml.",
                facts.host
            )),
        );
    }
}

fn open_relay(facts: &Facts, found: &mut Found) {
    if let Some(tricks) = facts
        .smtp
        .open_relay
        .as_ref()
        .filter(|tricks| !tricks.is_empty())
    {
        found.add(
            "port 25",
            format!("relays for strangers by: {}", tricks.join(", ")),
            Fix::say("Close it at once: stop what stands before this server on port 25, or take the network out of the trusted ones."),
        );
    }
}

fn roles(facts: &Facts, found: &mut Found) {
    for address in facts.smtp.missing_roles.iter().flatten() {
        found.add(
            address,
            "nobody gets mail for it",
            Fix::run("Create it:", format!("postroad alias add {address} YOU")),
        );
    }
}

fn size(facts: &Facts, found: &mut Found) {
    if let Some(size) = facts.smtp.size
        && !(25_000_000..=160_000_000).contains(&size)
    {
        found.add(
            "port 25",
            format!("takes up to {} MB", size / 1_000_000),
            Fix::say("Set `message_bytes = 50000000` under [limits] in postroad.toml."),
        );
    }
}

fn extensions(facts: &Facts, found: &mut Found) {
    if let Some(missing) = facts
        .smtp
        .missing_extensions
        .as_ref()
        .filter(|list| !list.is_empty())
    {
        found.add(
            "port 25",
            format!("does not offer {}", missing.join(", ")),
            Fix::say("A box in between hides them: switch off SMTP inspection (\"fixup\") in the firewall."),
        );
    }
}

fn strict(facts: &Facts, found: &mut Found) {
    if let Some(refused) = facts
        .smtp
        .refused_providers
        .as_ref()
        .filter(|list| !list.is_empty())
    {
        found.add(
            "port 25",
            format!("refused mail from {}", refused.join(", ")),
            Fix::say("Loosen the rule that refused them; the log names it."),
        );
    }
}

fn hops(facts: &Facts, found: &mut Found) {
    if let Some(limit) = facts.settings.hop_limit
        && !(20..=100).contains(&limit)
    {
        found.add(
            "port 25",
            format!("the limit of stations is {limit}"),
            Fix::say("Set it to 50."),
        );
    }
}
