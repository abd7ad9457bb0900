//! One SPF record from what is there and what we need: others' senders stay. RFC 7208.

use std::net::IpAddr;

pub(super) struct Merged {
    pub text: String,
    /// What the single record that is there lacks or does wrongly, as a sentence; empty if nothing.
    pub lacks: String,
}

/// `wish` is the record for a domain where nobody else sends.
pub(super) fn spf(there: &[String], wish: &str, addresses: &[IpAddr]) -> Merged {
    let mut terms: Vec<&str> = Vec::new();
    for term in there.iter().flat_map(|text| words(text)) {
        if !terms.iter().any(|known| known.eq_ignore_ascii_case(term)) {
            terms.push(term);
        }
    }
    let (ends, mut terms): (Vec<&str>, Vec<&str>) =
        terms.into_iter().partition(|term| end(term).is_some());
    let redirects = terms.iter().any(|term| starts(term, "redirect="));
    let ours: Vec<&str> = words(wish).filter(|term| end(term).is_none()).collect();
    let missing: Vec<&str> = ours
        .into_iter()
        .filter(|term| !has(&terms, term, addresses))
        .collect();
    let our_end = words(wish).find(|term| end(term).is_some());
    // The weakest of those that others chose: mail that passed goes on passing. One that lets everybody is no choice.
    let chosen = ["?all", "~all", "-all"]
        .into_iter()
        .find(|all| ends.iter().any(|term| term.eq_ignore_ascii_case(all)));
    let open = ends.iter().any(|term| end(term) == Some('+'));
    let endless = ends.is_empty() && !redirects;
    let mut lacks = Vec::new();
    if !missing.is_empty() {
        lacks.push(format!(
            "This server is not in it ({} is missing).",
            missing.join(" ")
        ));
    }
    if open {
        lacks.push("It lets everybody send in the domain's name (+all).".to_owned());
    }
    if endless {
        lacks.push("It has no end such as -all, so it forbids nobody anything.".to_owned());
    }
    // What is found early costs receivers no further look-ups.
    for (at, term) in missing.into_iter().enumerate() {
        terms.insert(at, term);
    }
    if let Some(all) = chosen
        .or(our_end)
        .filter(|_| !redirects || chosen.is_some())
    {
        terms.push(all);
    }
    Merged {
        text: format!("v=spf1 {}", terms.join(" ")),
        lacks: lacks.join(" "),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_ascii_whitespace().skip(1)
}

/// The qualifier, if the term is the mechanism `all`.
fn end(term: &str) -> Option<char> {
    match term.to_ascii_lowercase().as_str() {
        "all" | "+all" => Some('+'),
        "-all" => Some('-'),
        "~all" => Some('~'),
        "?all" => Some('?'),
        _ => None,
    }
}

fn starts(term: &str, with: &str) -> bool {
    term.get(..with.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(with))
}

/// Whether what is there lets our server pass: the same mechanism, or all of our addresses by number.
fn has(terms: &[&str], ours: &str, addresses: &[IpAddr]) -> bool {
    let same = |term: &&str| term.trim_start_matches('+').eq_ignore_ascii_case(ours);
    if terms.iter().any(same) {
        return true;
    }
    let named = |address: &IpAddr| terms.iter().any(|term| covers(term, *address));
    !addresses.is_empty() && addresses.iter().all(named)
}

/// `ip4:192.0.2.0/24` and the like.
fn covers(term: &str, address: IpAddr) -> bool {
    let term = term.trim_start_matches('+').to_ascii_lowercase();
    let Some(range) = term
        .strip_prefix("ip4:")
        .or_else(|| term.strip_prefix("ip6:"))
    else {
        return false;
    };
    let (base, length) = match range.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (range, Some(128)),
    };
    let (Ok(base), Some(length)) = (base.parse::<IpAddr>(), length) else {
        return false;
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let shift = 32 - length.min(32);
            let cut = |bits: u32| u64::from(bits) >> shift;
            cut(base.to_bits()) == cut(address.to_bits())
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let shift = 128 - length.min(128);
            let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
            cut(base.to_bits()) == cut(address.to_bits())
        }
        _ => false,
    }
}
