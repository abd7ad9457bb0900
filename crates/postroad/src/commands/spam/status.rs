//! `postroad spam status`: what the filter did, what it was taught, and how often it was wrong.

use clap::Args as ClapArgs;
use mail::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::lessons::{SpamChoices, SpamStatistics, TaughtTotals};
use store::{Account, View};

use crate::commands::{Context, find};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Only this account
    account: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    account: Option<String>,
}

impl From<Args> for Request {
    fn from(args: Args) -> Self {
        Self {
            account: args.account,
        }
    }
}

struct Row {
    account: Account,
    choices: SpamChoices,
    statistics: SpamStatistics,
}

const DAYS: i64 = 30;

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let since = UnixMillis(context.now().0 - DAYS * 86_400_000);
    let (rows, totals) = context.store.read_blocking(move |view| {
        let accounts = match &request.account {
            Some(address) => vec![find::account(view, &find::parse_address(address)?)?],
            None => view.accounts(None)?,
        };
        let rows = accounts
            .into_iter()
            .map(|account| row(view, account, since));
        let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
        Ok::<_, Failure>((rows, view.taught_totals()?))
    })?;
    let value = json!({
        "days": DAYS,
        "accounts": rows.iter().map(describe).collect::<Value>(),
        "server": {
            "accounts_that_taught_junk": totals.teachers.junk,
            "accounts_that_taught_wanted": totals.teachers.wanted,
            "features": totals.features,
        },
    });
    let answer = Answer::new(value);
    let table = rows.iter().map(shown).collect();
    let head = [
        "account",
        "filter",
        "junked",
        "rescued",
        "missed",
        "taught junk",
        "wanted",
        "waiting",
    ];
    Ok(answer
        .table(&head, table)
        .line(of_all(&totals))
        .remark(format!(
            "Of the last {DAYS} days: junked by the filter; rescued from Junk by the person, so the filter was wrong; \
             missed, put into Junk by the person."
        )))
}

fn row(view: &View<'_>, account: Account, since: UnixMillis) -> Result<Row, Failure> {
    Ok(Row {
        choices: view.spam_choices(account.id)?,
        statistics: view.spam_statistics(account.id, since)?,
        account,
    })
}

fn describe(row: &Row) -> Value {
    let statistics = &row.statistics;
    json!({
        "address": row.account.address.to_string(),
        "filter": row.choices.filtering,
        "digest": row.choices.digest,
        "junked": statistics.junked,
        "rescued": statistics.rescued,
        "rescued_share": share(statistics),
        "missed": statistics.missed,
        "lessons": { "junk": statistics.lessons.junk, "wanted": statistics.lessons.wanted },
        "features": statistics.features,
        "waiting": statistics.waiting,
    })
}

fn shown(row: &Row) -> Vec<String> {
    let statistics = &row.statistics;
    let rescued = match share(statistics) {
        Some(share) if 0 < statistics.rescued => {
            format!("{} ({:.1} %)", statistics.rescued, share * 100.0)
        }
        _ => statistics.rescued.to_string(),
    };
    vec![
        row.account.address.to_string(),
        if row.choices.filtering { "on" } else { "off" }.to_owned(),
        statistics.junked.to_string(),
        rescued,
        statistics.missed.to_string(),
        statistics.lessons.junk.to_string(),
        statistics.lessons.wanted.to_string(),
        statistics.waiting.to_string(),
    ]
}

/// Of what was junked, how much was rescued.
fn share(statistics: &SpamStatistics) -> Option<f64> {
    (0 < statistics.junked).then(|| statistics.rescued as f64 / statistics.junked as f64)
}

fn of_all(totals: &TaughtTotals) -> String {
    match totals.teachers.junk.max(totals.teachers.wanted) {
        0 => "Nobody has taught anything yet: move junk into Junk, and what is no junk out of it."
            .to_owned(),
        1 => "One account has taught; what it taught counts for itself only.".to_owned(),
        count => format!(
            "{count} accounts have taught, {} features in all; what two or more taught counts for everybody.",
            totals.features
        ),
    }
}
