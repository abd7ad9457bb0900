//! `postroad report`: what other servers say about a domain, and what should be mended. What came in is read by
//! a job of the server every quarter of an hour; here it is summed up and judged.

mod dmarc;
mod failure;
mod mend;
mod sent;
mod sums;
mod tls;

use clap::Subcommand;
use mail::{Domain, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::reports::{Intake, ReportKind, StoredReport, Unreadable};

use super::{Context, find, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Who sends in the name of a domain, what passes DMARC, what to mend
    Dmarc(About),
    /// Who could not reach a domain's mail hosts over TLS, and why
    Tls(About),
    /// Single messages that failed DMARC or were complained about
    Failure(About),
    /// The reports that went to other domains lately
    Sent {
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
}

#[derive(Clone, Debug, clap::Args, Serialize, Deserialize)]
pub struct About {
    /// A domain of this server
    domain: String,
    /// Days to look back
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
    days: u16,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Dmarc(About),
    Tls(About),
    Failure(About),
    Sent { limit: usize },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Dmarc(about) => Request::Dmarc(about),
            Command::Tls(about) => Request::Tls(about),
            Command::Failure(about) => Request::Failure(about),
            Command::Sent { limit } => Request::Sent { limit },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Dmarc(about) => dmarc::answer(context, &about.asked(context)?),
        Request::Tls(about) => tls::answer(context, &about.asked(context)?),
        Request::Failure(about) => failure::answer(context, &about.asked(context)?),
        Request::Sent { limit } => sent::answer(context, limit),
    }
}

/// A domain of this server, and since when.
struct Asked {
    domain: Domain,
    days: u16,
    /// Seconds since 1970-01-01.
    since: i64,
}

impl About {
    fn asked(self, context: &Context) -> Result<Asked, Failure> {
        let domain = find::parse_domain(&self.domain)?;
        let name = domain.clone();
        context
            .store
            .read_blocking(move |view| find::domain(view, &name).map(drop))?;
        Ok(Asked {
            domain,
            days: self.days,
            since: context.now().secs() - i64::from(self.days) * 86_400,
        })
    }
}

/// What came in for one kind of report, beside what it says.
struct Arrived {
    reports: Vec<StoredReport>,
    unreadable: Vec<Unreadable>,
    waiting: Vec<Intake>,
}

impl Arrived {
    fn of(context: &Context, kind: ReportKind, asked: &Asked) -> Result<Self, Failure> {
        let (domain, since) = (asked.domain.to_string(), asked.since);
        // Failure reports come to the address of the aggregate ones.
        let address = match kind {
            ReportKind::Failure => ReportKind::Dmarc,
            other => other,
        };
        let arrived = context.store.read_blocking(move |view| {
            let mut unreadable = view.unreadable_reports(&domain)?;
            unreadable.retain(|one| one.kind == address && since <= one.received.secs());
            let mut waiting = view.waiting_reports(WAITING_SHOWN_MAX)?;
            waiting.retain(|one| one.kind == address && one.domain == domain);
            Ok::<_, store::StoreError>(Self {
                reports: view.reports(kind, &domain, since)?,
                unreadable,
                waiting,
            })
        })?;
        Ok(arrived)
    }

    /// Reports that somebody vouches for.
    fn believed(&self) -> impl Iterator<Item = &StoredReport> {
        self.reports
            .iter()
            .filter(|report| report.submitter.is_some())
    }

    fn unvouched(&self) -> impl Iterator<Item = &StoredReport> {
        self.reports
            .iter()
            .filter(|report| report.submitter.is_none())
    }

    fn value(&self) -> Value {
        json!({
            "reports": self.believed().count(),
            "reporters": self.reporters(),
            "unvouched": self.unvouched().map(|report| json!({
                "claims_to_be": report.reporter,
                "report_id": report.report_id,
                "received": show::time(report.received),
                "messages": report.messages,
            })).collect::<Vec<_>>(),
            "unreadable": self.unreadable.iter().map(|one| json!({
                "trace": one.trace.to_string(),
                "received": show::time(one.received),
                "submitter": one.submitter,
                "why": one.why,
            })).collect::<Vec<_>>(),
            "waiting": self.waiting.len(),
        })
    }

    /// By the domain that proved to have sent the report, not by what it calls itself.
    fn reporters(&self) -> Vec<Value> {
        let mut sums: std::collections::BTreeMap<&str, (Vec<&str>, u64, u64, i64)> =
            std::collections::BTreeMap::new();
        for report in self.believed() {
            let submitter = report.submitter.as_deref().unwrap_or_default();
            let sum = sums.entry(submitter).or_default();
            if !sum.0.contains(&report.reporter.as_str()) {
                sum.0.push(&report.reporter);
            }
            sum.1 += 1;
            sum.2 += report.messages;
            sum.3 = sum.3.max(report.ends);
        }
        let values = sums
            .into_iter()
            .map(|(submitter, (names, reports, messages, ends))| {
                json!({
                    "submitter": submitter,
                    "names": names,
                    "reports": reports,
                    "messages": messages,
                    "last": show::time(UnixMillis::from_secs(ends)),
                })
            });
        values.collect()
    }

    /// The end of each view: who reported, and what was left out.
    fn tell(&self, mut answer: Answer) -> Answer {
        if self.believed().next().is_some() {
            answer = answer.line("Who reported:").table(
                &["reporter", "sent by", "reports", "messages", "last"],
                self.reporter_rows(),
            );
        }
        let unvouched = self.unvouched().count();
        if unvouched != 0 {
            answer = answer.line(format!(
                "{unvouched} more came in mail that nobody vouches for (no DMARC pass of its sender); they are not counted:"
            ));
            let rows = self.unvouched().take(LINES_SHOWN_MAX).map(|report| {
                vec![
                    report.reporter.clone(),
                    report.report_id.clone(),
                    show::time(report.received),
                    report.messages.to_string(),
                ]
            });
            answer = answer.table(
                &["claims to be", "report id", "received", "messages"],
                rows.collect(),
            );
        }
        if !self.unreadable.is_empty() {
            answer = answer.line("Not read, and kept for five weeks:");
            let rows = self.unreadable.iter().take(LINES_SHOWN_MAX).map(|one| {
                vec![
                    one.trace.to_string(),
                    show::time(one.received),
                    one.submitter.clone().unwrap_or_else(|| "nobody".to_owned()),
                    one.why.clone(),
                ]
            });
            answer = answer.table(&["id", "received", "from", "why"], rows.collect());
        }
        if !self.waiting.is_empty() {
            answer = answer.remark(format!(
                "{} more are to be read by the server, within a quarter of an hour.",
                self.waiting.len()
            ));
        }
        answer
    }

    fn reporter_rows(&self) -> Vec<Vec<String>> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Array(texts) => {
                let texts: Vec<_> = texts.iter().filter_map(Value::as_str).take(3).collect();
                texts.join(", ")
            }
            other => other.to_string(),
        };
        let columns = ["names", "submitter", "reports", "messages", "last"];
        self.reporters()
            .iter()
            .map(|reporter| {
                let cells = columns.iter();
                cells
                    .map(|name| text(reporter.get(*name).unwrap_or(&Value::Null)))
                    .collect()
            })
            .collect()
    }
}

const WAITING_SHOWN_MAX: usize = 2_000;

/// Rows of lists that are not the point of the answer; all of them are in the JSON.
const LINES_SHOWN_MAX: usize = 20;

/// What should be done, one sentence each, with what it is about.
fn tell_findings(mut answer: Answer, findings: &[String]) -> Answer {
    if findings.is_empty() {
        return answer;
    }
    answer = answer.line("To mend:");
    for (at, finding) in findings.iter().enumerate() {
        answer = answer.line(format!("{:3}. {finding}", at + 1));
    }
    answer.findings()
}

/// `98.2 %`; never 100 when something is missing.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let tenths = (u128::from(part) * 1_000 / u128::from(whole)).min(1_000);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
