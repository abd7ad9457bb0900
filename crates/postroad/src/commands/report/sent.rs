//! `postroad report sent`: the reports that went to other domains, and those that did not, with the reason.

use serde_json::json;
use store::reports::ReportKind;

use super::Context;
use crate::commands::show;
use crate::output::{Answer, Failure};

pub(super) fn answer(context: &Context, limit: usize) -> Result<Answer, Failure> {
    let sent = context
        .store
        .read_blocking(move |view| view.sent_reports(limit))?;
    let kind = |kind| match kind {
        ReportKind::Tls => "tls",
        ReportKind::Dmarc | ReportKind::Failure => "dmarc",
    };
    let value = json!(
        sent.iter()
            .map(|one| json!({
                "kind": kind(one.kind),
                "domain": one.domain,
                "day": day(one.day),
                "destination": one.destination,
                "at": show::time(one.at),
                "report_id": (!one.report_id.is_empty()).then_some(&one.report_id),
                "not_sent_because": (!one.note.is_empty()).then_some(&one.note),
            }))
            .collect::<Vec<_>>()
    );
    if sent.is_empty() {
        return Ok(Answer::new(value).line("No reports were sent yet.").remark(
            "They are sent in the night after the first mail from a domain that asks for them.",
        ));
    }
    let rows = sent.iter().map(|one| {
        let went = if one.note.is_empty() {
            show::time(one.at)
        } else {
            format!("not sent: {}", one.note)
        };
        vec![
            kind(one.kind).to_owned(),
            one.domain.clone(),
            day(one.day),
            one.destination.clone(),
            went,
        ]
    });
    Ok(Answer::new(value).table(&["kind", "about", "day", "to", "sent"], rows.collect()))
}

fn day(day: i64) -> String {
    let (year, month, day) = mail::date::civil(mail::UnixMillis::from_secs(day * 86_400));
    format!("{year:04}-{month:02}-{day:02}")
}
