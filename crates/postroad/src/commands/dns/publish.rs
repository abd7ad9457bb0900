//! `postroad dns publish`: makes the difference go away at the name server that takes changes from us.

use doctor::compare::{Edit, Row, State, Tenure};
use doctor::{RecordWish, zone};
use serde_json::json;

use super::check::{self, NameServerArgs};
use super::wishes;
use crate::commands::{Context, find};
use crate::output::{Answer, Failure};

/// What was done.
struct Outcome {
    edits: Vec<Edit>,
    /// Nobody takes them from us.
    by_hand: Vec<Edit>,
    /// What is left, if it was looked.
    rows: Vec<Row>,
}

pub(super) fn run(
    context: &Context,
    domain: &str,
    dry_run: bool,
    take_over: bool,
    name_servers: &NameServerArgs,
) -> Result<Answer, Failure> {
    let domain = find::parse_domain(domain)?;
    let records = wishes(context, &domain)?;
    let outcome = check::on_network(context, async |world| {
        let servers = check::update_servers(context, &world).await?;
        if servers.is_empty() && !dry_run {
            return Err(Failure::failed(format!(
                "no name server takes changes of {domain} from here; name one with `postroad dns server add {domain} HOST:PORT --tsig-file FILE`, or enter the records by hand: postroad dns show {domain}"
            )));
        }
        // At the servers that are changed: what others say lags behind.
        let at = if name_servers.name_servers.is_empty() && !servers.is_empty() {
            NameServerArgs {
                name_servers: servers.iter().map(|server| server.at).collect(),
            }
        } else {
            name_servers.clone()
        };
        let compared = check::compare_now(&world, &records, &servers, &at).await;
        let edits: Vec<Edit> = compared
            .rows
            .iter()
            .filter(|row| take_over || row.tenure != Tenure::Foreign)
            .flat_map(|row| row.edits.clone())
            .collect();
        if dry_run || edits.is_empty() {
            return Ok(Outcome {
                edits,
                by_hand: Vec::new(),
                rows: compared.rows,
            });
        }
        let by_hand = jobs::publish::publish(&world, &servers, &edits)
            .await
            .map_err(|error| Failure::failed(error.to_string()))?;
        let after = check::compare_now(&world, &records, &servers, &at).await;
        Ok(Outcome {
            edits,
            by_hand,
            rows: after.rows,
        })
    })?;
    Ok(answer(domain.as_str(), dry_run, outcome))
}

fn answer(domain: &str, dry_run: bool, outcome: Outcome) -> Answer {
    let lines: Vec<String> = outcome.edits.iter().map(line).collect();
    let by_hand: Vec<String> = outcome.by_hand.iter().map(line).collect();
    let left: Vec<&Row> = outcome
        .rows
        .iter()
        .filter(|row| row.state != State::Right)
        .collect();
    let mut answer = Answer::new(json!({
        "domain": domain,
        "dry_run": dry_run,
        "edits": lines,
        "by_hand": by_hand,
        "left": left,
    }));
    for line in &lines {
        answer = answer.line(line.clone());
    }
    answer = match (dry_run, lines.is_empty()) {
        (_, true) => answer.line("There is nothing to be published."),
        (true, false) => answer.line("Nothing was changed (--dry-run)."),
        (false, false) => answer.line("Published."),
    };
    if dry_run {
        return answer;
    }
    if !by_hand.is_empty() {
        answer = answer.line("No name server takes these from here; enter them by hand:");
        for line in by_hand {
            answer = answer.line(line);
        }
    }
    if left.is_empty() {
        return answer;
    }
    let rows: Vec<Row> = left.into_iter().cloned().collect();
    for line in check::differences(&rows) {
        answer = answer.line(line);
    }
    answer.findings()
}

/// `+ name TTL IN TYPE value`
fn line(edit: &Edit) -> String {
    let text = |name: &str, kind, ttl, value: &str| {
        zone::line(&RecordWish {
            name: name.to_owned(),
            kind,
            ttl,
            value: value.to_owned(),
            action: doctor::Action::Publish,
            why: String::new(),
        })
    };
    match edit {
        Edit::Add {
            name,
            kind,
            ttl,
            value,
        } => format!("+ {}", text(name, *kind, *ttl, value)),
        Edit::Remove { name, kind, value } => format!("- {}", text(name, *kind, 0, value)),
    }
}
