//! `postroad report failure`: single messages that failed DMARC elsewhere, or that somebody complained about.

use mail::UnixMillis;
use serde_json::json;
use store::reports::{FailureEntry, ReportKind};

use super::{Arrived, Asked, Context};
use crate::commands::show;
use crate::output::{Answer, Failure};

/// Messages in the table, newest first.
const MESSAGES_SHOWN_MAX: usize = 50;

pub(super) fn answer(context: &Context, asked: &Asked) -> Result<Answer, Failure> {
    let arrived = Arrived::of(context, ReportKind::Failure, asked)?;
    let (domain, since) = (asked.domain.to_string(), asked.since);
    let mut lines = context
        .store
        .read_blocking(move |view| view.failure_lines(&domain, since))?;
    lines.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.arrival));
    let value = json!({
        "domain": asked.domain.to_string(),
        "days": asked.days,
        "messages": lines.iter().map(|(entry, times)| json!({
            "kind": entry.kind,
            "source": entry.source.map(|ip| ip.to_string()),
            "arrived": entry.arrival.map(|at| show::time(UnixMillis::from_secs(at))),
            "from": entry.header_from,
            "mail_from": entry.mail_from,
            "subject": entry.subject,
            "message_id": entry.message_id,
            "failure": entry.auth_failure,
            "alignment": entry.alignment,
            "delivery_result": entry.delivery_result,
            "results": entry.results,
            "incidents": times,
        })).collect::<Vec<_>>(),
        "arrived": arrived.value(),
    });
    let mut answer = Answer::new(value);
    if lines.is_empty() {
        answer = answer
            .line(format!("No failure reports about {} in {} days.", asked.domain, asked.days))
            .remark("Few receivers send them, and only if the DMARC record has ruf=. Postroad itself sends none: they tell others what your users received.");
        return Ok(arrived.tell(answer));
    }
    let rows = lines
        .iter()
        .take(MESSAGES_SHOWN_MAX)
        .map(|(entry, _)| row(entry));
    answer = answer.table(
        &[
            "arrived",
            "kind",
            "from address",
            "author",
            "subject",
            "failed",
            "what became of it",
        ],
        rows.collect(),
    );
    Ok(arrived.tell(answer))
}

fn row(entry: &FailureEntry) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        entry.arrival.map_or_else(
            || "-".to_owned(),
            |at| show::time(UnixMillis::from_secs(at)),
        ),
        entry.kind.clone(),
        entry
            .source
            .map_or_else(|| "-".to_owned(), |ip| ip.to_string()),
        text(&entry.header_from),
        text(&entry.subject),
        text(&entry.auth_failure),
        text(&entry.delivery_result),
    ]
}
