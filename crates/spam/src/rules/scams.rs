//! Stories that want money: invented invoices with a number to call, threats that want coins.

use std::sync::LazyLock;

use super::Case;
use super::phrases::List;
use crate::brands;
use crate::domains::is_freemail;
use crate::limits;
use crate::phrasebook::Phrasebook;
use crate::reasons::{Finding, Kind};

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Finding>) {
    callback(case, found);
    extortion(case, found);
    giveaway(case, found);
}

const GIFT: &[&str] = &[
    "gift card",
    "giftcard",
    "gift",
    "reward",
    "rewards",
    "giveaway",
    "free",
    "complimentary",
    "winner",
    "you won",
    "survey",
    "claim",
    "bonus",
    "mystery box",
    "prize",
    "selected",
    "congratulations",
    "awaits",
    "you've been",
    "eligible",
    "voucher",
    "sweepstakes",
    "surprise",
];

static GIFTS: LazyLock<Phrasebook> =
    LazyLock::new(|| Phrasebook::of(GIFT.iter().copied().enumerate()));

/// A gift in the name of somebody who does not send it.
fn giveaway(case: &Case<'_>, found: &mut Vec<Finding>) {
    let author = case.author_domain();
    let name = case.author.map_or("", |author| author.name.as_str());
    let head = format!("{name}\n{}", case.sight.subject).to_lowercase();
    let is_list = !case.list.is_empty();
    if author.is_empty() || is_list || GIFTS.all(&head).is_empty() {
        return;
    }
    // People speak of brands in their subjects; who bears one as a name is the brand, or lies.
    let named = brands::named_in(&head);
    let in_name = brands::named_in(&name.to_lowercase());
    let leads_away = case.targets.iter().any(|target| !target.host.is_empty());
    if in_name.is_empty() && !leads_away {
        return;
    }
    let Some(brand) = named
        .first()
        .filter(|_| !named.iter().any(|brand| brand.may_own(author)))
    else {
        return;
    };
    // A shop may well sell gift cards of others; its own mail says that it is bulk, and speaks of itself elsewhere.
    let share = if case.bulk.is_empty() && !in_name.is_empty() {
        1.0
    } else {
        limits::CLAIM_IN_BULK_SHARE
    };
    let weight = Kind::Giveaway.weight() * share;
    found.push(Finding::weighing(
        Kind::Giveaway,
        weight,
        [brand.name.as_str(), author],
    ));
}

/// An invoice that nobody ordered, and a number to call about it.
fn callback(case: &Case<'_>, found: &mut Vec<Finding>) {
    let is_bulk = !case.bulk.is_empty() || !case.list.is_empty();
    if is_bulk || case.said.count(List::Call) == 0 {
        return;
    }
    let Some(number) = phone(&case.words) else {
        return;
    };
    let words = case.said.count(List::Payment);
    let author = case.author_domain();
    let is_theirs = |lure: &str| {
        let mut brands = brands::knowledge().brand.iter();
        brands.any(|brand| brand.owns(author) && brand.words.iter().any(|words| words == lure))
    };
    let mut lures = case.said.all(List::Lure).peekable();
    let is_foreign = lures.peek().is_some() && !lures.any(is_theirs);
    let is_free = is_freemail(author);
    let name = case.author.map_or("", |author| author.name.as_str());
    let claimed = brands::claimed_by(&name.to_lowercase());
    let is_claim = !claimed.is_empty() && !claimed.iter().any(|brand| brand.may_own(author));
    let weight = match (is_foreign || is_claim, is_free || is_claim) {
        (true, true) if words >= 3 => 1.2,
        (true, true) if words >= 2 => 0.8,
        (true, false) if words >= 4 => 0.6,
        (false, true) if words >= 4 => 0.6,
        _ => return,
    };
    let weight = Kind::Callback.weight() * weight;
    found.push(Finding::weighing(Kind::Callback, weight, [number]));
}

/// A North American number, as these letters have them: `+1 (888) 555-0123`; or one with the code of its country.
fn phone(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes
        .get(at..)?
        .iter()
        .position(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'('))
    {
        let from = at + start;
        let run = bytes.get(from..)?.iter().take(limits::PHONE_CHARS_MAX);
        let length = run
            .take_while(|byte| {
                byte.is_ascii_digit()
                    || matches!(byte, b' ' | b'+' | b'(' | b')' | b'-' | b'.' | b'~' | b'_')
            })
            .count();
        let piece = text.get(from..from + length).unwrap_or_default();
        let digits = piece.bytes().filter(u8::is_ascii_digit).count();
        let is_parted = piece
            .trim()
            .bytes()
            .any(|byte| !byte.is_ascii_digit() && byte != b'.');
        let national = piece
            .bytes()
            .filter(u8::is_ascii_digit)
            .collect::<Vec<u8>>();
        let is_american = digits == 10 || digits == 11 && national.first() == Some(&b'1');
        let is_foreign = piece.starts_with('+') && (10..=13).contains(&digits);
        if (is_american || is_foreign) && is_parted {
            return Some(piece.trim().to_owned());
        }
        at = from + length.max(1);
    }
    None
}

/// Wants coins for silence.
fn extortion(case: &Case<'_>, found: &mut Vec<Finding>) {
    let Some(coin) = case.said.first(List::Coin) else {
        return;
    };
    let threats = case.said.count(List::Threat);
    let has_wallet = case.sight.text.split_whitespace().any(is_wallet);
    let share = match (threats, has_wallet) {
        (6.., true) => 1.4,
        (4.., true) | (6.., false) => 1.2,
        (3, true) => 0.8,
        _ => return,
    };
    let weight = Kind::Extortion.weight() * share;
    found.push(Finding::weighing(Kind::Extortion, weight, [coin]));
}

/// `bc1q…`, or the older ones with 1 or 3.
fn is_wallet(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let plausible =
        (26..=62).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let new = word.starts_with("bc1");
    let old = word.starts_with(['1', '3'])
        && word.len() <= 35
        && word.bytes().any(|byte| byte.is_ascii_uppercase());
    // Ethereum's and Tron's.
    let hex = |rest: &str| rest.len() == 40 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let other = word.strip_prefix("0x").is_some_and(hex)
        || word.len() == 34
            && word.starts_with('T')
            && word.bytes().any(|byte| byte.is_ascii_lowercase());
    plausible && has_digit && (new || old || other || word.starts_with("ltc1"))
}
