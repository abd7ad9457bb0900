//! `postroad report dmarc`: who sends in the name of a domain, what passes, what to mend.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::reports::{ReportKind, SourceOwner};

use super::mend::{Advice, Facts, advice};
use super::sums::{Counts, Source, Sums, sum};
use super::{Arrived, Asked, Context, percent, tell_findings};
use crate::addresses;
use crate::output::{Answer, Failure};

/// Sources in the table; all of them are in the JSON.
const SOURCES_SHOWN_MAX: usize = 30;

pub(super) fn answer(context: &Context, asked: &Asked) -> Result<Answer, Failure> {
    let arrived = Arrived::of(context, ReportKind::Dmarc, asked)?;
    let (domain, since) = (asked.domain.to_string(), asked.since);
    let name = domain.clone();
    let (lines, known) = context.store.read_blocking(move |view| {
        let lines = view.dmarc_lines(&name, since)?;
        Ok::<_, store::StoreError>((lines, view.report_sources(&name)?))
    })?;
    let own = addresses::public(&context.config);
    let sums = sum(&domain, &lines, &known, &own);
    let facts = facts(&domain, &arrived);
    let advice = advice(&facts, &sums);
    let value = json!({
        "domain": domain,
        "days": asked.days,
        "policy": facts.policy,
        "totals": counts(&sums.counts),
        "sources": sums.sources.iter().map(source).collect::<Vec<_>>(),
        "mend": advice.mend,
        "know": advice.know,
        "arrived": arrived.value(),
    });
    Ok(view(Answer::new(value), asked, &sums, &advice, &arrived))
}

fn facts<'a>(domain: &'a str, arrived: &'a Arrived) -> Facts<'a> {
    let newest = arrived
        .believed()
        .find(|report| report.about.policy_domain == domain);
    let mut errors = BTreeSet::new();
    for report in arrived.believed() {
        for error in &report.about.errors {
            errors.insert((report.reporter.clone(), error.clone()));
        }
    }
    let days: BTreeSet<i64> = arrived
        .believed()
        .map(|report| report.begins.div_euclid(86_400))
        .collect();
    Facts {
        domain,
        policy: newest
            .and_then(|report| report.about.policy.as_ref())
            .map(|policy| policy.p.as_str()),
        errors: errors.into_iter().take(10).collect(),
        days: days.len(),
    }
}

fn view(
    mut answer: Answer,
    asked: &Asked,
    sums: &Sums,
    advice: &Advice,
    arrived: &Arrived,
) -> Answer {
    let totals = &sums.counts;
    let domain = &asked.domain;
    if totals.messages == 0 {
        answer = answer.line(format!("No reports about {domain} in {} days.", asked.days));
        if arrived.unreadable.is_empty() && arrived.waiting.is_empty() {
            answer = answer.remark(format!(
                "They come a day after the first mail to a large receiver, if the DMARC record asks for them: see `postroad dns show {domain}`."
            ));
        }
        return arrived.tell(answer);
    }
    answer = answer.line(format!(
        "{} messages in the name of {domain} in {} days: {} pass DMARC ({} by DKIM, {} by SPF); of those that fail {} were rejected, {} quarantined, {} let through.",
        totals.messages,
        asked.days,
        percent(totals.passing, totals.messages),
        percent(totals.dkim_aligned, totals.messages),
        percent(totals.spf_aligned, totals.messages),
        totals.rejected,
        totals.quarantined,
        totals.let_through,
    ));
    let rows: Vec<_> = sums
        .sources
        .iter()
        .take(SOURCES_SHOWN_MAX)
        .map(row)
        .collect();
    let columns = [
        "who sends",
        "whose",
        "addresses",
        "messages",
        "pass",
        "dkim",
        "spf",
        "rejected",
        "quarantined",
    ];
    answer = answer.table(&columns, rows);
    if SOURCES_SHOWN_MAX < sums.sources.len() {
        let more = sums.sources.len() - SOURCES_SHOWN_MAX;
        answer = answer.remark(format!("{more} more are in --json."));
    }
    answer = tell_findings(answer, &advice.mend);
    if !advice.know.is_empty() {
        answer = answer.line("Good to know:");
        for line in &advice.know {
            answer = answer.line(format!("  -  {line}"));
        }
    }
    arrived.tell(answer)
}

fn row(source: &Source) -> Vec<String> {
    let counts = &source.counts;
    vec![
        source.name.clone(),
        owner(source.owner).to_owned(),
        source.addresses.len().to_string(),
        counts.messages.to_string(),
        percent(counts.passing, counts.messages),
        percent(counts.dkim_aligned, counts.messages),
        percent(counts.spf_aligned, counts.messages),
        counts.rejected.to_string(),
        counts.quarantined.to_string(),
    ]
}

fn owner(owner: SourceOwner) -> &'static str {
    match owner {
        SourceOwner::ThisServer => "this server",
        SourceOwner::Allowed => "allowed by SPF",
        SourceOwner::Stranger => "not ours",
        SourceOwner::Unknown => "not looked up yet",
    }
}

fn counts(counts: &Counts) -> Value {
    json!({
        "messages": counts.messages,
        "passing": counts.passing,
        "dkim_aligned": counts.dkim_aligned,
        "spf_aligned": counts.spf_aligned,
        "rejected": counts.rejected,
        "quarantined": counts.quarantined,
        "let_through": counts.let_through,
    })
}

fn source(source: &Source) -> Value {
    let addresses: Vec<_> = source
        .addresses
        .iter()
        .map(|(ip, messages)| json!({ "address": ip.to_string(), "messages": messages }))
        .collect();
    json!({
        "name": source.name,
        "whose": match source.owner {
            SourceOwner::ThisServer => "this_server",
            SourceOwner::Allowed => "allowed_by_spf",
            SourceOwner::Stranger => "stranger",
            SourceOwner::Unknown => "unknown",
        },
        "counts": counts(&source.counts),
        "addresses": addresses,
        "passes_as": source.passes_as,
        "broken_signatures": source.broken_signature,
        "unsigned": source.unsigned,
    })
}
