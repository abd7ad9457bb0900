//! How findings are shown: the most effective first, each with what was seen, why it matters and what to paste.

use std::collections::BTreeMap;

use doctor::checks::{Finding, Group, Light, Score, Severity, all, explain as check};
use jobs::doctor::Examination;
use serde_json::{Value, json};
use store::findings::KnownFinding;

use crate::commands::{Context, show};
use crate::nearest::nearest;
use crate::output::{Answer, Failure};

pub(super) fn examination(
    context: &Context,
    examination: &Examination,
    known: &[KnownFinding],
) -> Answer {
    let since = |finding: &Finding| {
        let is_it = |one: &&KnownFinding| {
            one.observed.check == finding.id && one.observed.about == finding.about
        };
        known.iter().find(is_it).map(|one| one.first_seen)
    };
    let findings: Vec<Value> = examination
        .findings
        .iter()
        .map(|finding| {
            let mut value = json!(finding);
            if let (Some(fields), Some(since)) = (value.as_object_mut(), since(finding)) {
                fields.insert("since".to_owned(), json!(show::time(since)));
            }
            value
        })
        .collect();
    let checks = all().count();
    let answer = Answer::new(json!({
        "host": context.config.hostname,
        "at": show::time(examination.at),
        "score": examination.score.points,
        "lights": examination.score.lights,
        "findings": findings,
        "unknown": examination.unknown,
    }));
    let answer = head(answer, &context.config.hostname, &examination.score);
    let answer = by_group(answer, &examination.findings);
    let answer = each(answer, &examination.findings);
    let answer = match examination.unknown.is_empty() {
        true => answer,
        false => answer.remark(format!(
            "Not all could be looked at now; unknown, not well, is part of: {}",
            examination
                .unknown
                .iter()
                .map(|start| start.trim_end_matches('.'))
                .collect::<Vec<_>>()
                .join(", ")
        )),
    };
    let answer = answer.remark(format!(
        "{checks} checks are known. More on one: postroad doctor --explain ID"
    ));
    match examination.findings.is_empty() {
        true => answer,
        false => answer.findings(),
    }
}

/// The score, and what it says of each question that people have.
pub(super) fn head(mut answer: Answer, about: &str, score: &Score) -> Answer {
    answer = answer.line(format!("{about}: {} of 100 points", score.points));
    let questions = [
        (Light::Send, "Can we send?"),
        (Light::Trusted, "Are we trusted?"),
        (Light::Receive, "Can we receive?"),
        (Light::Running, "Is the server well?"),
    ];
    for (light, question) in questions {
        let says = match score.lights.get(&light) {
            None => "yes",
            Some(Severity::Improvement) => "yes; could be better",
            Some(Severity::Warning) => "not quite",
            Some(Severity::Error) => "no",
        };
        answer = answer.line(format!("  {question:<20} {says}"));
    }
    answer
}

fn by_group(answer: Answer, findings: &[Finding]) -> Answer {
    let mut groups: BTreeMap<Group, (usize, u32)> = BTreeMap::new();
    for finding in findings {
        let (count, cost) = groups.entry(finding.group).or_default();
        *count += 1;
        *cost += finding.cost;
    }
    if groups.is_empty() {
        return answer.line("").line("Nothing is wrong.");
    }
    let rows = groups.into_iter().map(|(group, (count, cost))| {
        vec![
            group_name(group).to_owned(),
            count.to_string(),
            format!("-{cost}"),
        ]
    });
    answer
        .line("")
        .table(&["group", "findings", "points"], rows.collect())
}

/// All of them, in their order.
pub(super) fn each(mut answer: Answer, findings: &[Finding]) -> Answer {
    for (at, finding) in findings.iter().enumerate() {
        answer = answer
            .line("")
            .line(format!(
                "{}. {} -{}  {}  {}  [{}]",
                at + 1,
                severity_name(finding.severity),
                finding.cost,
                group_name(finding.group),
                finding.about,
                finding.id,
            ))
            .line(format!("   Seen: {}", finding.seen))
            .line(format!("   Why:  {}", finding.why));
        let mut lines = finding.fix.text.lines();
        answer = answer.line(format!("   Fix:  {}", lines.next().unwrap_or_default()));
        for line in lines {
            // Begins at the margin, so that it can be copied as it is.
            answer = answer.line(line);
        }
    }
    answer
}

pub(super) fn explain(id: &str) -> Result<Answer, Failure> {
    let Some(check) = check(id) else {
        let guess = nearest(id, all().map(|check| check.id));
        let hint = guess.map_or_else(
            || "see: postroad doctor --list".to_owned(),
            |guess| format!("did you mean {guess}?"),
        );
        return Err(Failure::usage(format!("there is no check {id}; {hint}")));
    };
    Ok(Answer::new(describe(check))
        .line(format!("{}: {}", check.id, check.title))
        .line(check.why)
        .line(format!(
            "Group: {}. Usually {}, which costs {} points. Mended by: {}.",
            group_name(check.group),
            severity_name(check.severity),
            check.severity.points(),
            json!(check.who).as_str().unwrap_or_default(),
        )))
}

pub(super) fn list() -> Answer {
    let values: Vec<Value> = all().map(describe).collect();
    let rows = all().map(|check| {
        vec![
            check.id.to_owned(),
            group_name(check.group).to_owned(),
            severity_name(check.severity).to_owned(),
            check.title.to_owned(),
        ]
    });
    Answer::new(json!(values)).table(
        &["id", "group", "severity", "what is looked at"],
        rows.collect(),
    )
}

fn describe(check: &doctor::checks::Check) -> Value {
    json!({
        "id": check.id,
        "group": check.group,
        "severity": check.severity,
        "points": check.severity.points(),
        "title": check.title,
        "why": check.why,
        "who": check.who,
    })
}

pub(super) fn history(known: &[KnownFinding]) -> Answer {
    let values = known.iter().map(|one| {
        json!({
            "id": one.observed.check,
            "about": one.observed.about,
            "severity": one.observed.severity,
            "seen": one.observed.seen,
            "since": show::time(one.first_seen),
            "last": show::time(one.last_seen),
            "resolved": one.resolved.map(show::time),
        })
    });
    let answer = Answer::new(json!(values.collect::<Vec<_>>()));
    if known.is_empty() {
        return answer.line("Nothing was found by the daily look so far.");
    }
    let rows = known.iter().map(|one| {
        vec![
            one.observed.check.clone(),
            one.observed.about.clone(),
            one.observed.severity.clone(),
            one.observed.seen.clone(),
            show::time(one.first_seen),
            one.resolved.map_or_else(|| "still".to_owned(), show::time),
        ]
    });
    answer.table(
        &["id", "about", "severity", "seen", "since", "well again"],
        rows.collect(),
    )
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Improvement => "improvement",
    }
}

fn group_name(group: Group) -> &'static str {
    match group {
        Group::Dns => "DNS",
        Group::Address => "address",
        Group::Ports => "ports",
        Group::Tls => "TLS",
        Group::Smtp => "SMTP",
        Group::Authentication => "authentication",
        Group::Reputation => "reputation",
        Group::Content => "content",
        Group::Clients => "mail programs",
        Group::Health => "health",
    }
}
