//! Group G: what others think of us: block lists, providers, complaints.

use super::facts::{Facts, Listed, ListingFacts, Weight};
use super::finding::{Check, Fix, Found, Group, Light, Severity, Who};
use super::limits;
use super::parse;

const fn check(
    id: &'static str,
    severity: Severity,
    who: Who,
    title: &'static str,
    why: &'static str,
    run: fn(&Facts, &mut Found),
) -> Check {
    Check {
        id,
        group: Group::Reputation,
        severity,
        light: Light::Trusted,
        who,
        title,
        why,
        run,
    }
}

use Severity::{Error, Improvement, Warning};

pub const CHECKS: &[Check] = &[
    check(
        "rep.ip.high",
        Error,
        Who::Server,
        "Not on block lists that most receivers use",
        "Most of the world refuses mail from listed addresses.",
        |facts, found| listed(facts, found, Weight::High, false),
    ),
    check(
        "rep.ip.medium",
        Warning,
        Who::Server,
        "Not on block lists that many receivers use",
        "Some receivers refuse or distrust mail from listed addresses.",
        |facts, found| listed(facts, found, Weight::Medium, false),
    ),
    check(
        "rep.ip.low",
        Improvement,
        Who::Hoster,
        "Not on block lists that few receivers use",
        "It says something of the hoster's network; few receivers care.",
        |facts, found| listed(facts, found, Weight::Low, false),
    ),
    check(
        "rep.domain",
        Error,
        Who::Server,
        "Domains and host name are on no domain list",
        "Mail that names a listed domain is refused, whatever address it comes from.",
        domain,
    ),
    check(
        "rep.domain.fresh",
        Warning,
        Who::User,
        "Domains are not on lists of new ones",
        "Filters distrust what was registered days ago.",
        fresh,
    ),
    check(
        "rep.list.selftest",
        Improvement,
        Who::Receiver,
        "The lists that are asked work",
        "A list that fails its own test says nothing, neither good nor bad.",
        selftest,
    ),
    check(
        "rep.whitelist",
        Improvement,
        Who::Server,
        "Registered at dnswl.org",
        "Some filters give trust to registered servers.",
        allow_list,
    ),
    check(
        "rep.web.manual",
        Improvement,
        Who::User,
        "Lists without DNS were looked at",
        "Proofpoint, Cloudmark, Talos and Sender Score can only be asked by hand.",
        manual,
    ),
    check(
        "rep.safe_browsing",
        Error,
        Who::User,
        "The website is not flagged",
        "Mail with links to flagged sites is refused.",
        safe_browsing,
    ),
    check(
        "rep.incident.open",
        Error,
        Who::Receiver,
        "No provider refuses our mail",
        "Mail to that provider does not arrive.",
        incident,
    ),
    check(
        "rep.defer_ratio",
        Warning,
        Who::Server,
        "No provider puts off more than usual",
        "A provider that grows slow often refuses next.",
        defer_ratio,
    ),
    check(
        "rep.bounce_ratio",
        Warning,
        Who::User,
        "Few addresses are wrong",
        "Who writes to many wrong addresses is taken for a spammer.",
        bounce_ratio,
    ),
    check(
        "rep.complaints",
        Warning,
        Who::User,
        "Few readers complain",
        "Google and Yahoo block senders by this number.",
        complaints,
    ),
    check(
        "rep.gmail.volume",
        Warning,
        Who::User,
        "Far from 5,000 a day to Gmail",
        "Crossing it once makes the domain a bulk sender for ever.",
        gmail_volume,
    ),
    check(
        "rep.snds.clock",
        Warning,
        Who::User,
        "Microsoft's SNDS access is fresh",
        "Its links end after 30 days, its access after ten months.",
        snds,
    ),
    check(
        "rep.tonline",
        Warning,
        Who::Receiver,
        "T-Online takes our connection",
        "T-Online refuses every address it does not know.",
        t_online,
    ),
    check(
        "rep.imprint",
        Warning,
        Who::Server,
        "A page says who runs the server",
        "T-Online asks for it before it takes mail.",
        imprint,
    ),
    check(
        "rep.probe.banner",
        Warning,
        Who::Receiver,
        "Big providers take our connection",
        "A refusal at the greeting is about our address.",
        banners,
    ),
    check(
        "rep.placement",
        Warning,
        Who::User,
        "Test messages reach the inbox",
        "Mail in the spam folder is not read.",
        placement,
    ),
    check(
        "rep.relay.ready",
        Improvement,
        Who::Server,
        "A relay is ready for the worst case",
        "When a provider blocks the address, mail can leave another way at once.",
        relay_ready,
    ),
    check(
        "rep.snapshot",
        Warning,
        Who::Server,
        "Alarms go outside this server",
        "A server that cannot send cannot tell you so.",
        snapshot,
    ),
];

fn listings(facts: &Facts) -> impl Iterator<Item = &ListingFacts> {
    facts.reputation.listings.iter().flatten()
}

fn removal(listing: &ListingFacts) -> Fix {
    Fix::say(format!(
        "Find and mend the cause first, then ask for removal: {}",
        listing.removal
    ))
}

fn listed(facts: &Facts, found: &mut Found, weight: Weight, is_domain: bool) {
    for listing in listings(facts).filter(|one| one.weight == weight && one.is_domain == is_domain)
    {
        if listing.answer == Listed::Yes {
            let fix = if weight == Weight::Low {
                Fix::say(
                    "Nothing to do; it tells about the hoster's network. Never pay for removal.",
                )
            } else {
                removal(listing)
            };
            found.add(&listing.subject, format!("on {}", listing.list), fix);
        }
    }
}

fn domain(facts: &Facts, found: &mut Found) {
    for listing in listings(facts).filter(|one| one.is_domain && !one.is_fresh_list) {
        if listing.answer == Listed::Yes {
            found.add(
                &listing.subject,
                format!("on {}", listing.list),
                removal(listing),
            );
        }
    }
}

fn fresh(facts: &Facts, found: &mut Found) {
    for listing in listings(facts).filter(|one| one.is_domain && one.is_fresh_list) {
        if listing.answer == Listed::Yes {
            found.add(
                &listing.subject,
                format!("on {} as new", listing.list),
                Fix::say("Wait; send personal mail only until it is off by itself."),
            );
        }
    }
}

fn selftest(facts: &Facts, found: &mut Found) {
    let mut broken: Vec<&str> = listings(facts)
        .filter(|one| one.answer == Listed::Broken)
        .map(|one| one.list.as_str())
        .collect();
    broken.sort_unstable();
    broken.dedup();
    for list in broken {
        found.add(
            list,
            "fails its own test, or refuses our questions: ignored",
            Fix::say("Nothing to do, unless all lists fail: then the resolver is refused (`dns.resolver.local`)."),
        );
    }
}

fn allow_list(facts: &Facts, found: &mut Found) {
    if facts.reputation.allow_listed == Some(false) {
        found.add(
            "dnswl.org",
            "not registered",
            Fix::say("Register the address at https://www.dnswl.org/selfservice/ (free)."),
        );
    }
}

fn manual(facts: &Facts, found: &mut Found) {
    let old = facts
        .reputation
        .manual_lookups_at
        .is_some_and(|at| facts.now.saturating_sub(at) > 30 * limits::DAY);
    if old {
        found.add(
            "look-ups by hand",
            "not looked at for a month",
            Fix::say("Open https://ipcheck.proofpoint.com https://csi.cloudmark.com https://talosintelligence.com https://senderscore.org and enter the address."),
        );
    }
}

fn safe_browsing(facts: &Facts, found: &mut Found) {
    if facts.reputation.safe_browsing_clean == Some(false) {
        found.add(
            "website",
            "flagged as dangerous",
            Fix::say("Clean the site, then ask for a review at https://search.google.com/search-console."),
        );
    }
}

fn incident(facts: &Facts, found: &mut Found) {
    for provider in &facts.reputation.providers {
        if let Some((means, todo)) = &provider.incident {
            found.add(&provider.name, means, Fix::say(todo));
        }
    }
}

fn defer_ratio(facts: &Facts, found: &mut Found) {
    for provider in &facts.reputation.providers {
        let all = provider.delivered + provider.deferred + provider.refused;
        let Some(usual) = provider.usual_deferred_share else {
            continue;
        };
        if all < limits::SHARE_COUNT_MIN || provider.incident.is_some() {
            continue;
        }
        let share = f64::from(provider.deferred) / f64::from(all);
        if share > (usual * 3.0).max(0.05) {
            found.add(
                &provider.name,
                format!(
                    "{} put off, usual are {}",
                    parse::percent(share),
                    parse::percent(usual)
                ),
                Fix::run(
                    "See the replies:",
                    format!("postroad delivery {:?}", provider.name),
                ),
            );
        }
    }
}

fn share(
    found: &mut Found,
    observed: Option<(f64, u32)>,
    (warn, error): (f64, f64),
    about: &str,
    what: &str,
    fix: &str,
) {
    let Some((share, count)) = observed.filter(|(_, count)| *count >= limits::SHARE_COUNT_MIN)
    else {
        return;
    };
    if share >= warn {
        let severity = if share >= error { Error } else { Warning };
        found.add_as(
            severity,
            about,
            format!("{} of {count} {what}", parse::percent(share)),
            Fix::say(fix),
        );
    }
}

fn bounce_ratio(facts: &Facts, found: &mut Found) {
    share(
        found,
        facts.reputation.bounce_share,
        (limits::BOUNCES_WARN, limits::BOUNCES_ERROR),
        "outgoing mail",
        "went to addresses that do not exist",
        "Take wrong addresses off lists; look for an account that writes to many strangers.",
    );
}

fn complaints(facts: &Facts, found: &mut Found) {
    share(
        found,
        facts.reputation.complaint_share,
        (limits::COMPLAINTS_WARN, limits::COMPLAINTS_ERROR),
        "outgoing mail",
        "brought a complaint",
        "Stop the list that people complain about; add a way to leave it with one click.",
    );
}

fn gmail_volume(facts: &Facts, found: &mut Found) {
    for (domain, count) in facts.reputation.gmail_day.iter().flatten() {
        if *count >= limits::GMAIL_DAY_WARN {
            let severity = if *count >= limits::GMAIL_DAY_ERROR {
                Error
            } else {
                Warning
            };
            found.add_as(
                severity,
                domain,
                format!("{count} messages to Gmail in 24 hours"),
                Fix::say("Hold bulk mail to Gmail until tomorrow, or accept the rules for bulk senders first."),
            );
        }
    }
}

fn snds(facts: &Facts, found: &mut Found) {
    let reputation = &facts.reputation;
    for (since, most, what) in [
        (
            reputation.snds_link_since,
            limits::SNDS_LINK_MAX,
            "the data link ends after 30 days",
        ),
        (
            reputation.snds_access_since,
            limits::SNDS_ACCESS_MAX,
            "the access ends after ten months",
        ),
    ] {
        // Told a week before the end.
        let due =
            since.is_some_and(|since| facts.now.saturating_sub(since) + 7 * limits::DAY > most);
        if due {
            found.add(
                "SNDS",
                what,
                Fix::say(
                    "Open https://substrate.office.com/ip-domain-management-snds and renew it.",
                ),
            );
        }
    }
}

fn is_t_online(name: &str) -> bool {
    name.to_ascii_lowercase().contains("t-online")
}

fn t_online(facts: &Facts, found: &mut Found) {
    for provider in facts
        .reputation
        .providers
        .iter()
        .filter(|one| is_t_online(&one.name))
    {
        if provider.takes_connection == Some(false) && provider.incident.is_none() {
            found.add(
                &provider.name,
                "refuses our connection at the greeting",
                Fix::say(format!("Show who runs the server at https://{}/, then write to tobr@rx.t-online.de from an address elsewhere, with address, host name and purpose.", facts.host)),
            );
        }
    }
}

fn imprint(facts: &Facts, found: &mut Found) {
    if facts.reputation.imprint_reachable == Some(false) {
        found.add(
            &facts.host,
            format!("https://{}/ does not say who runs the server", facts.host),
            Fix::say(
                "Serve a page there with name, address, mail and phone of whoever runs the server.",
            ),
        );
    }
}

fn banners(facts: &Facts, found: &mut Found) {
    for provider in facts
        .reputation
        .providers
        .iter()
        .filter(|one| !is_t_online(&one.name))
    {
        if provider.takes_connection == Some(false) && provider.incident.is_none() {
            found.add(
                &provider.name,
                "refuses our connection at the greeting",
                Fix::run(
                    "See the reply and the form to send:",
                    format!("postroad delivery {:?}", provider.name),
                ),
            );
        }
    }
}

fn placement(facts: &Facts, found: &mut Found) {
    for provider in &facts.reputation.providers {
        let newest = provider.placed_in_spam.as_deref().unwrap_or(&[]);
        if let [true, true, ..] = newest {
            found.add(
                &provider.name,
                "the last two test messages landed in the spam folder",
                Fix::run("Judge what you send:", "postroad doctor --message FILE"),
            );
        }
    }
}

fn relay_ready(facts: &Facts, found: &mut Found) {
    if facts.settings.relay_ready == Some(false) {
        found.add(
            "relay",
            "none is set up",
            Fix::run("Set one up before you need it:", "postroad relay add"),
        );
    }
}

fn snapshot(facts: &Facts, found: &mut Found) {
    if facts.reputation.alerts_outside == Some(false) {
        found.add(
            "alarms",
            "go to an address on this server only",
            Fix::say("Name an address elsewhere, a webhook or an ntfy topic for alarms."),
        );
    }
}
