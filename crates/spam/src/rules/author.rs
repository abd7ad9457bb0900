//! Who the author pretends to be: by the domain, by the display name, by letters that only look alike.

use super::{Case, has_words};
use crate::brands;
use crate::domains::{is_freemail, is_same_house, registrable};
use crate::limits;
use crate::lookalike::{self, How};
use crate::reasons::{Finding, Kind};
use crate::sight::Mailbox;

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Finding>) {
    let from = &case.sight.from;
    if from.len() > 1 && !case.sight.has_field("sender") {
        let all: Vec<String> = from.iter().take(3).map(Mailbox::address).collect();
        found.push(Finding::new(Kind::SeveralAuthors, [all.join(", ")]));
    }
    let Some(author) = case.author else {
        found.push(Finding::bare(Kind::NoAuthor));
        return;
    };
    domain(case, author, found);
    name(case, author, found);
    disguises(case, author, found);
}

fn domain(case: &Case<'_>, author: &Mailbox, found: &mut Vec<Finding>) {
    let domain = author.domain.as_str();
    let own = case.own.iter().map(String::as_str);
    if let Some(imitated) = lookalike::imitated(domain, own) {
        found.push(Finding::new(Kind::OwnLookalike, [domain, imitated]));
    } else if let Some((brand, how)) = lookalike::imitated_brand(domain) {
        let weight = Kind::BrandLookalike.weight() * certainty(how);
        found.push(Finding::weighing(
            Kind::BrandLookalike,
            weight,
            [domain, &brand.name],
        ));
    }
    if let Some(alphabets) = lookalike::mixed_alphabets(domain) {
        found.push(Finding::new(Kind::MixedAlphabets, [domain, &alphabets]));
    }
    let known = brands::of_host(domain);
    if known.has_cheap_end {
        found.push(Finding::new(Kind::CheapDomain, [domain]));
    } else if known.is_tenant && case.bulk.is_empty() {
        found.push(Finding::new(Kind::UnnamedTenant, [domain]));
    }
}

/// A word beside a brand may be a shop that sells it; one letter off may be somebody's own name.
pub(super) fn certainty(how: How) -> f32 {
    match how {
        How::LooksAlike | How::InFront => 1.0,
        How::Typo => 0.8,
        How::WithWord => 0.7,
    }
}

fn name(case: &Case<'_>, author: &Mailbox, found: &mut Vec<Finding>) {
    let name = author.name.to_lowercase();
    // Lists put the author's address into the name, and their own behind it.
    let is_passed_on =
        !case.list.is_empty() || has_words(&name, "via") || case.is_ours(&author.domain);
    if name.is_empty() || is_passed_on {
        return;
    }
    if let Some(shown) = address_in(&name).filter(|shown| !is_same_house(shown, &author.domain)) {
        if case.recipients.iter().any(|own| has_words(&name, own)) || case.is_ours(shown) {
            found.push(Finding::new(
                Kind::NameClaimsOwn,
                [shown, &author.address()],
            ));
        } else if case.bulk.is_empty() && !(is_freemail(&author.domain) && is_freemail(shown)) {
            // Somebody with two free addresses deceives nobody, nor does a service that writes for its customers.
            let owner = brands::of_host(shown).owner();
            let owner = owner.filter(|brand| !brand.owns(&author.domain) && !is_freemail(shown));
            found.push(match owner {
                Some(brand) => {
                    Finding::new(Kind::NameClaimsBrand, [brand.name.as_str(), &author.domain])
                }
                None => Finding::new(Kind::NameHoldsAddress, [name.as_str(), &author.address()]),
            });
        }
        return;
    }
    if let Some(own) = case
        .own
        .iter()
        .find(|own| has_words(&name, registrable(own)))
    {
        found.push(Finding::new(
            Kind::NameClaimsOwn,
            [own.as_str(), &author.address()],
        ));
        return;
    }
    if let Some(brand) = claimed_brand(&name, &author.domain) {
        // Firms have their newsletters and surveys sent by others.
        let share = match case.bulk {
            "" => 1.0,
            _ => limits::CLAIM_IN_BULK_SHARE,
        };
        let weight = Kind::NameClaimsBrand.weight() * share;
        let details = [brand, author.domain.as_str()];
        found.push(Finding::weighing(Kind::NameClaimsBrand, weight, details));
    }
}

/// The domain of an address that stands in a text.
fn address_in(text: &str) -> Option<&str> {
    let (before, after) = text.split_once('@')?;
    let has_local = before.ends_with(|c: char| c.is_alphanumeric());
    let is_of_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let end = after.find(|c| !is_of_host(c)).unwrap_or(after.len());
    let domain = after.get(..end)?.trim_matches('.');
    (has_local && domain.contains('.')).then_some(domain)
}

/// A brand that a display name names, while the mail does not come from there.
fn claimed_brand(name: &str, domain: &str) -> Option<&'static str> {
    let mut claimed = brands::claimed_by(name);
    if !name.is_ascii() {
        // Disguised letters are seen through; an honest name has the words themselves.
        let skeleton = lookalike::skeleton(name);
        let claims = |words: &String| {
            has_words(name, words) || has_words(&skeleton, &lookalike::skeleton(words))
        };
        let brands = brands::knowledge().brand.iter();
        claimed = brands
            .filter(|brand| brand.words.iter().any(claims))
            .collect();
    }
    // `Amazon Web Services` names two; it is enough to be one of them.
    if claimed.iter().any(|brand| brand.may_own(domain)) {
        return None;
    }
    claimed.first().map(|brand| brand.name.as_str())
}

fn disguises(case: &Case<'_>, author: &Mailbox, found: &mut Vec<Finding>) {
    if let Some(word) = lookalike::disguised_words(&author.name).next() {
        found.push(Finding::new(Kind::NameDisguised, [word]));
    }
    if let Some(word) = lookalike::disguised_words(&case.sight.subject).next() {
        found.push(Finding::new(Kind::SubjectDisguised, [word]));
    }
    let subject = case.sight.subject.to_lowercase();
    if case.is_fake_answer() && case.list.is_empty() {
        found.push(Finding::bare(Kind::FakeAnswer));
    }
    if case.recipients.iter().any(|own| has_words(&subject, own)) {
        found.push(Finding::bare(Kind::SubjectNamesYou));
    }
}
