//! Where answers go: elsewhere than the mail seems to come from, and what is promised for them.

use super::phrases::List;
use super::{Case, differ};
use crate::domains::is_freemail;
use crate::reasons::{Finding, Kind};

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Finding>) {
    let fortune = case.said.count(List::Fortune);
    let is_personal = case.list.is_empty() && case.bulk.is_empty();
    let answers = case.sight.reply_to.first();
    let is_strange = case.is_unaddressed()
        || is_freemail(case.author_domain())
        || answers.is_some_and(|to| differ(case.author_domain(), &to.domain).is_some());
    if (fortune >= 5 || fortune >= 4 && is_strange) && is_personal {
        let example = case.said.first(List::Fortune).unwrap_or_default();
        let weight = match (fortune, is_strange) {
            (8.., true) => 2.0,
            (8.., false) | (5.., true) => 1.5,
            _ => 1.0,
        };
        let weight = Kind::AdvanceFee.weight() * weight;
        found.push(Finding::weighing(Kind::AdvanceFee, weight, [example]));
    }
    let Some(answer) = case.sight.reply_to.first() else {
        return;
    };
    let Some((from, to)) = differ(case.author_domain(), &answer.domain) else {
        return;
    };
    // Lists and newsletters send answers elsewhere as a rule.
    if !is_personal {
        return;
    }
    let speaks_of_money = case.said.count(List::Money) >= 3;
    match (is_freemail(from), is_freemail(to)) {
        (_, true) if speaks_of_money => found.push(Finding::new(Kind::ReplyMoney, [from, to])),
        (false, true) => found.push(Finding::new(Kind::ReplyFreemail, [from, to])),
        _ => found.push(Finding::new(Kind::ReplyElsewhere, [from, to])),
    }
}
