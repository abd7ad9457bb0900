//! Where links lead, and what they pretend.

use std::net::IpAddr;

use super::author::certainty;
use super::folded::fold;
use super::{Case, Target, differ};
use crate::brands;
use crate::domains::registrable;
use crate::limits;
use crate::lookalike;
use crate::reasons::{Finding, Kind};
use crate::sight::{Link, LinkKind, host_of};

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Finding>) {
    for host in case.hosts() {
        by_host(case, host, found);
    }
    for target in case.targets.iter().take(limits::LINKS_MAX) {
        by_target(case, target, found);
    }
}

/// What the name of the host says.
fn by_host(case: &Case<'_>, host: &str, found: &mut Vec<Finding>) {
    let bare = host.trim_matches(['[', ']']);
    if bare.parse::<IpAddr>().is_ok() {
        if !is_private(bare) {
            found.push(Finding::new(Kind::LinkToAddress, [host]));
        }
        return;
    }
    if is_odd_address(host) {
        found.push(Finding::new(Kind::LinkHidesAddress, [host]));
        return;
    }
    let is_authors = registrable(host) == registrable(case.author_domain());
    if let Some((brand, how)) = lookalike::imitated_brand(host).filter(|_| !is_authors) {
        let weight = Kind::LinkLookalike.weight() * certainty(how);
        found.push(Finding::weighing(
            Kind::LinkLookalike,
            weight,
            [host, &brand.name],
        ));
    } else if host.split('.').any(|label| label.starts_with("xn--")) && !is_authors {
        found.push(Finding::new(
            Kind::LinkPunycode,
            [lookalike::unicode_host(host)],
        ));
    }
    if let Some(alphabets) = lookalike::mixed_alphabets(host) {
        found.push(Finding::new(Kind::MixedAlphabets, [host, &alphabets]));
    }
    let known = brands::of_host(host);
    if known.is_shortener {
        found.push(Finding::new(Kind::LinkShortened, [host]));
    }
    if known.is_free_host {
        found.push(Finding::new(Kind::LinkFreeHost, [host]));
    }
}

/// Networks at home: nobody's trick.
fn is_private(address: &str) -> bool {
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            address.is_private() || address.is_loopback() || address.is_link_local()
        }
        Ok(IpAddr::V6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

/// `3232235777`, `0xc0a80101`, `0300.0250.1.1`: addresses written so that nobody reads them.
fn is_odd_address(host: &str) -> bool {
    let is_number = |piece: &str| {
        let hex = piece.strip_prefix("0x").filter(|rest| !rest.is_empty());
        hex.map_or_else(
            || !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit()),
            |rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()),
        )
    };
    let pieces = host.split('.').count();
    pieces <= 4
        && host.split('.').all(is_number)
        && (pieces == 4 || host.len() >= limits::ODD_ADDRESS_CHARS_MIN)
}

/// What is shown, and how the target is written.
fn by_target(case: &Case<'_>, target: &Target<'_>, found: &mut Vec<Finding>) {
    let written = target.link.target.trim();
    // Nearly all begin with http and are not looked at further.
    if matches!(
        written.as_bytes().first(),
        Some(b'b' | b'B' | b'd' | b'D' | b'j' | b'J' | b'v' | b'V')
    ) {
        runs(written, found);
    }
    let user = user_in(written).filter(|user| user.contains('.'));
    if let Some((user, host)) = user.as_deref().and_then(|user| differ(user, &target.host)) {
        found.push(Finding::new(Kind::LinkHidesHost, [user, host]));
    }
    redirect(target, found);
    if target.link.kind == LinkKind::Anchor {
        shown(case, target, found);
    }
}

/// Targets that are pages or programs themselves.
fn runs(written: &str, found: &mut Vec<Finding>) {
    let lower = written
        .get(..written.floor_char_boundary(64))
        .unwrap_or_default()
        .to_ascii_lowercase();
    if lower.starts_with("data:text/html") || lower.starts_with("data:application/") {
        found.push(Finding::new(
            Kind::LinkData,
            [lower.split([',', ';']).next().unwrap_or_default()],
        ));
    }
    let runs = ["javascript:", "vbscript:", "blob:"];
    if let Some(scheme) = runs.iter().find(|scheme| lower.starts_with(**scheme)) {
        let is_empty = lower.len() <= scheme.len() + 8 || lower.contains("void(0)");
        if !is_empty || *scheme == "blob:" {
            found.push(Finding::new(Kind::LinkBlob, [*scheme]));
        }
    }
}

/// The host that a browser goes to: after `http:` any number of slashes of either kind is passed over, and a `://` further
/// on is no matter. <https://url.spec.whatwg.org/#special-authority-ignore-slashes-state>
pub fn browsed_host(link: &Link) -> String {
    let target = link.target.trim_start();
    let scheme = target.split(':').next().unwrap_or_default();
    let is_special = ["http", "https", "ftp"]
        .iter()
        .any(|one| scheme.eq_ignore_ascii_case(one));
    let rest = if is_special {
        target.get(scheme.len() + 1..).unwrap_or_default()
    } else if target.starts_with(['/', '\\']) {
        let bare = target.trim_start_matches(['/', '\\']);
        if target.len() - bare.len() < 2 {
            return link.host();
        }
        bare
    } else {
        return link.host();
    };
    let rest = rest.trim_start_matches(['/', '\\']);
    // What follows may say `://` of another house.
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let rest = rest.get(..end).unwrap_or_default();
    host_of(&format!("//{rest}"))
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// What stands before an `@` in the host part of a link.
fn user_in(target: &str) -> Option<String> {
    memchr::memchr(b'@', target.as_bytes())?;
    let (_, rest) = target.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (user, _) = rest.get(..end)?.rsplit_once('@')?;
    Some(user.split(':').next().unwrap_or(user).to_ascii_lowercase())
}

/// A known host that leads on to whatever its query names.
fn redirect(target: &Target<'_>, found: &mut Vec<Finding>) {
    let knowledge = brands::knowledge();
    let house = target.house.as_str();
    if !knowledge
        .redirectors
        .iter()
        .any(|one| one == house || *one == target.host)
    {
        return;
    }
    let Some((_, query)) = target.link.target.split_once(['?', ';']) else {
        return;
    };
    let query = query
        .replace("%3A", ":")
        .replace("%3a", ":")
        .replace("%2F", "/")
        .replace("%2f", "/");
    let Some(at) = query.find("=http") else {
        return;
    };
    let inner = query
        .get(at + 1..)
        .and_then(host_of)
        .unwrap_or_default()
        .to_ascii_lowercase();
    if let Some((from, to)) = differ(house, &inner) {
        found.push(Finding::new(Kind::LinkRedirect, [from, to]));
    }
}

/// The text of a link is an address in the web, and another than where it leads.
fn shown(case: &Case<'_>, target: &Target<'_>, found: &mut Vec<Finding>) {
    // What takes no room on the screen is not there, and wide letters are letters.
    let seen = fold(&target.link.shown, limits::LINK_TEXT_BYTES_MAX);
    let Some(shown) = host_in(&seen) else {
        return;
    };
    let Some((shown, leads)) = differ(&shown, &target.host) else {
        return;
    };
    // Senders count clicks: the detour over their own house, or over that of their mailing service, shows itself
    // by leading all links the same way.
    let author = registrable(case.author_domain());
    let detours = case.targets.iter().filter(|one| one.house == leads);
    let is_counter = !case.bulk.is_empty() && detours.count() >= limits::COUNTED_LINKS_MIN;
    let brand = brands::of_host(shown).owner();
    let is_claim = brand.is_some_and(|brand| !brand.owns(leads) && !brand.owns(author));
    // Who mails from where the link leads may count clicks, but not show the address of a sign-in page of others.
    let is_address = seen.contains("://") && seen.matches('/').count() > 2;
    if is_claim && !is_counter && (leads != author || is_address) {
        found.push(Finding::new(Kind::LinkClaimsBrand, [shown, leads]));
    } else if !is_counter && leads != author && shown != author {
        found.push(Finding::new(Kind::LinkElsewhere, [shown, leads]));
    }
}

/// The host that a text shows: `https://www.example.com/…`, `example.com`, and nothing else beside it.
fn host_in(text: &str) -> Option<String> {
    let text = text
        .trim()
        .trim_matches(['<', '>', '"', '\'', '(', ')', '.']);
    // `https://www.example.com/signin now`
    let first = text.split_whitespace().next()?;
    let text = if first.contains("://") { first } else { text };
    if text.contains(char::is_whitespace) || text.contains('@') {
        return None;
    }
    let host = match host_of(text) {
        Some(host) => host,
        None => text.split(['/', '?', '#', ':']).next()?,
    };
    let host = host.to_ascii_lowercase();
    let (_, end) = host.rsplit_once('.')?;
    // A file name or an abbreviation has no top-level domain that is on the list.
    let is_known = psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known());
    let is_letters = end.len() >= 2 && end.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_known && is_letters && psl::domain_str(&host).is_some()).then_some(host)
}
