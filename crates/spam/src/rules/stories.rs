//! What a letter tells to be believed: a full mailbox, a parcel at the customs, a superior in a hurry. Honest mail tells
//! such things too. What makes it a lie is who tells it and where it leads, so nothing here counts by its words alone.

use super::phrases::List;
use super::scene::{Doubt, Leads, Scene};
use super::{Case, differ};
use crate::domains::is_freemail;
use crate::limits;
use crate::reasons::{Finding, Kind};

/// A story that wants something pressed.
struct Story {
    kind: Kind,
    /// What hardly another letter says.
    words: List,
    /// What honest letters say too.
    weak: List,
}

const STORIES: &[Story] = &[
    story(Kind::StoryMailbox, List::Mailbox, List::MailboxWeak),
    story(Kind::StoryDocument, List::Document, List::DocumentWeak),
    story(Kind::StoryParcel, List::Parcel, List::ParcelWeak),
    story(Kind::StoryAccount, List::Account, List::AccountWeak),
    story(
        Kind::StorySubscription,
        List::Subscription,
        List::SubscriptionWeak,
    ),
    story(Kind::StoryCoins, List::Coins, List::CoinsWeak),
    story(Kind::StoryTax, List::Tax, List::TaxWeak),
    story(Kind::StorySocial, List::Social, List::SocialWeak),
    story(Kind::StoryPrize, List::Prize, List::PrizeWeak),
];

const fn story(kind: Kind, words: List, weak: List) -> Story {
    Story { kind, words, weak }
}

pub(super) fn look(case: &Case<'_>, scene: &Scene<'_>, found: &mut Vec<Finding>) {
    if !case.list.is_empty() {
        return;
    }
    let told = STORIES
        .iter()
        .filter_map(|story| Some((told(case, story)?, story)));
    // The one that is told most; what goes beyond it is the same lie.
    let told = told.max_by(|a, b| a.0.total_cmp(&b.0));
    let told = told.and_then(|(told, story)| pressing(case, scene, story, told));
    // A lie needs no story that we know.
    let pretence = pretence(case, scene);
    let both = told.into_iter().chain(pretence);
    found.extend(both.max_by(|a, b| a.weight.total_cmp(&b.weight)));
    errand(case, scene, found);
    job(case, scene, found);
}

/// How much of a story is told; `None` if it is not.
fn told(case: &Case<'_>, story: &Story) -> Option<f32> {
    let said = &case.said;
    let (words, weak) = (said.count(story.words), said.count(story.weak));
    let in_head = said.count_in_head(story.words);
    let enough = words >= 2 || words == 1 && (in_head == 1 || weak >= 2);
    let points = words.min(4) as f32 + 0.5 * in_head.min(2) as f32 + 0.25 * weak.min(3) as f32;
    enough.then_some((0.4 * points).min(limits::TOLD_MAX))
}

/// A story whose point is a link, a file or a code.
fn pressing(case: &Case<'_>, scene: &Scene<'_>, story: &Story, told: f32) -> Option<Finding> {
    let doubts = scene.doubts();
    let leads = scene.leads.weight();
    let is_suspect = match scene.leads {
        Leads::Odd(_) | Leads::File(_) | Leads::Code => {
            doubts >= 0.3 || told >= limits::TOLD_CLEARLY
        }
        Leads::Elsewhere(_) => doubts >= 0.9,
        Leads::Home => doubts >= 1.5,
        Leads::Nowhere => doubts >= 1.5 && case.said.count(List::Demand) > 0,
    };
    if !is_suspect || scene.is_genuine {
        return None;
    }
    let pressed = pressed(case);
    let whole = told + pressed + leads + doubts.min(limits::DOUBTS_MAX);
    let weight = (whole - limits::STORY_BIAS) * in_bulk(case);
    let example = case.said.first(story.words).unwrap_or_default();
    finding(story.kind, weight, [example, &scene.why()])
}

/// Haste, and what wants to be pressed.
fn pressed(case: &Case<'_>) -> f32 {
    let count = |list: List| case.said.count(list).min(3) as f32;
    0.25 * count(List::Haste) + 0.25 * count(List::Demand)
}

/// Newsletters have many links and sell; most of them are wanted.
fn in_bulk(case: &Case<'_>) -> f32 {
    if case.bulk.is_empty() {
        1.0
    } else {
        limits::STORY_IN_BULK_SHARE
    }
}

fn finding(kind: Kind, weight: f32, details: [&str; 2]) -> Option<Finding> {
    let weight = weight.min(kind.weight());
    (weight >= limits::STORY_MIN).then(|| Finding::weighing(kind, weight, details))
}

/// Whoever seems to be somebody and leads to nobody's house, whatever it says.
fn pretence(case: &Case<'_>, scene: &Scene<'_>) -> Option<Finding> {
    let least = match scene.leads {
        Leads::Odd(_) | Leads::File(_) | Leads::Code | Leads::Elsewhere(_) => 1.0,
        Leads::Home => 1.5,
        Leads::Nowhere => return None,
    };
    // Friends have free addresses and send short links; machines of one's own house tell what stands elsewhere; and
    // everybody speaks of brands.
    let harmless = [Doubt::Freemail, Doubt::OwnAddress, Doubt::BrandInText];
    let doubts = scene.doubts_without(&harmless);
    if doubts < least || scene.is_genuine {
        return None;
    }
    let whole = scene.leads.weight() + doubts.min(limits::DOUBTS_MAX) + pressed(case);
    let weight = (whole - limits::PRETENCE_BIAS) * in_bulk(case);
    finding(Kind::Pretence, weight, [case.author_domain(), &scene.why()])
}

/// Gift cards, a payment, another bank account: asked for by somebody who is not who they seem.
fn errand(case: &Case<'_>, scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let words = case.said.count(List::Errand);
    let answers = case.sight.reply_to.first();
    let to_free = answers.is_some_and(|to| is_freemail(&to.domain));
    if words == 0 || words == 1 && !to_free || !case.bulk.is_empty() {
        return;
    }
    let elsewhere = answers.and_then(|to| differ(case.author_domain(), &to.domain));
    let stranger = match elsewhere {
        Some((_, to)) if is_freemail(to) => 1.5,
        Some(_) => 1.0,
        None if scene.has(Doubt::Freemail) => 0.8,
        None if scene.has(Doubt::Cheap) || scene.has(Doubt::OwnName) => 0.8,
        None => return,
    };
    let haste = 0.2 * case.said.count(List::Haste).min(2) as f32;
    let short = if case.sight.text.len() < limits::ERRAND_BYTES_MAX {
        0.3
    } else {
        0.0
    };
    let weight = 0.45 * words.min(5) as f32 + stranger + haste + short;
    let example = case.said.first(List::Errand).unwrap_or_default();
    let weight = weight.min(Kind::StoryErrand.weight());
    found.push(Finding::weighing(
        Kind::StoryErrand,
        weight,
        [example, &scene.why()],
    ));
}

/// Work, loans and gains for strangers.
fn job(case: &Case<'_>, scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let words = case.said.count(List::Job);
    let doubts = scene.doubts();
    let least = if doubts > 1.0 { 3 } else { 4 };
    if words < least || !case.bulk.is_empty() || doubts < 0.5 {
        return;
    }
    let weight = 0.35 * words.min(6) as f32 + doubts.min(1.5);
    let weight = weight.min(Kind::StoryJob.weight());
    let example = case.said.first(List::Job).unwrap_or_default();
    found.push(Finding::weighing(
        Kind::StoryJob,
        weight,
        [example, &scene.why()],
    ));
}
