//! Where answers go: elsewhere than the mail seems to come from, and what is promised for them.

use super::{Case, differ};
use crate::domains::is_freemail;
use crate::reasons::{Finding, Kind};

/// Words of letters that promise a fortune. Four of them in one message are no accident.
const FORTUNE: &[&str] = &[
    "next of kin",
    "beneficiary",
    "inheritance",
    "deceased",
    "late husband",
    "late client",
    "late father",
    "barrister",
    "the sum of",
    "million dollars",
    "million united states",
    "million usd",
    "million euros",
    "million pounds",
    "us$",
    "atm card",
    "western union",
    "moneygram",
    "bank draft",
    "diplomat",
    "consignment",
    "fund transfer",
    "transfer of funds",
    "bank transfer",
    "foreign account",
    "your bank account",
    "strictly confidential",
    "utmost confidence",
    "confidentiality",
    "compensation fund",
    "unclaimed",
    "lottery",
    "winning number",
    "lucky winner",
    "donation",
    "humanitarian",
    "charity",
    "god bless",
    "dying",
    "cancer",
    "widow",
    "orphan",
    "sole survivor",
    "percent of the",
    "% of the",
    "business proposal",
    "business proposition",
    "mutual benefit",
    "financial assistance",
    "loan offer",
    "investment proposal",
    "your full name",
    "full names",
    "contact me",
    "reply to this email",
    "private email",
    "telephone number",
    "nigeria",
    "burkina faso",
    "cote d'ivoire",
    "ivory coast",
    "united nations",
    "imf",
    "world bank",
    "federal reserve",
    "central bank",
    "security company",
    "trunk box",
    "gold bars",
    "crude oil",
];

const MONEY: &[&str] = &[
    "million",
    "funds",
    "payment",
    "invoice",
    "transfer",
    "bank",
    "loan",
    "investment",
    "donation",
    "compensation",
    "inheritance",
    "gift card",
    "wire",
    "proposal",
    "beneficiary",
    "usd",
    "euros",
    "dollars",
];

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Finding>) {
    let fortune = case.count_of(FORTUNE);
    let is_personal = case.list.is_empty() && case.bulk.is_empty();
    if fortune >= 5 && is_personal {
        let example = FORTUNE
            .iter()
            .find(|words| case.says(words))
            .copied()
            .unwrap_or_default();
        let weight = if fortune >= 8 { 1.5 } else { 1.0 };
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
    let speaks_of_money = case.count_of(MONEY) >= 3;
    match (is_freemail(from), is_freemail(to)) {
        (_, true) if speaks_of_money => found.push(Finding::new(Kind::ReplyMoney, [from, to])),
        (false, true) => found.push(Finding::new(Kind::ReplyFreemail, [from, to])),
        _ => found.push(Finding::new(Kind::ReplyElsewhere, [from, to])),
    }
}
