//! `postroad delivery`: how mail fares at each provider, what stands in its way and what to do, and what became of
//! one message.

mod trace;

use clap::{Subcommand, ValueEnum};
use mail::UnixMillis;
use mta::incidents::{self, Us};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::deliveries::{DeliverySums, Incident, ProviderRelay, Trend};
use store::{Durability, StoreError};

use super::{Context, provider, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// A provider such as microsoft or gmail, or a domain [default: all]
    provider: Option<String>,
    /// How many days back
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=90))]
    days: u16,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Tell what became of one message
    Trace {
        /// Its Message-ID, or the 16 characters that this server gave it
        message: String,
    },
    /// Keep mail in the queue while a provider refuses this server's address, instead of bouncing it [at first: on]
    Hold {
        #[arg(value_enum)]
        choice: Choice,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    On,
    Off,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Show { provider: Option<String>, days: u16 },
    Trace { message: String },
    Hold { choice: Choice },
}

impl From<Args> for Request {
    fn from(args: Args) -> Self {
        match args.command {
            Some(Command::Trace { message }) => Request::Trace { message },
            Some(Command::Hold { choice }) => Request::Hold { choice },
            None => Request::Show {
                provider: args.provider,
                days: args.days,
            },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Show { provider, days } => overview(context, provider.as_deref(), days),
        Request::Trace { message } => trace::run(context, &message),
        Request::Hold { choice } => hold(context, choice),
    }
}

/// All that the store knows of the providers asked for.
struct Facts {
    sums: Vec<DeliverySums>,
    open: Vec<Incident>,
    relays: Vec<ProviderRelay>,
    standings: Vec<store::deliveries::Standing>,
    hold: bool,
}

fn overview(context: &Context, name: Option<&str>, days: u16) -> Result<Answer, Failure> {
    let groups = match name {
        Some(name) => provider::groups(name)?,
        None => Vec::new(),
    };
    let now = context.now();
    let since = UnixMillis(now.0 - i64::from(days) * 86_400_000);
    let asked = groups.clone();
    let facts = context.store.read_blocking(move |view| {
        let of_asked = |provider: &str| asked.is_empty() || asked.iter().any(|one| one == provider);
        let mut sums = view.delivery_sums(None, since, now)?;
        sums.retain(|sums| of_asked(&sums.provider));
        let mut open = view.open_incidents(None)?;
        open.retain(|incident| of_asked(&incident.provider));
        let mut relays = view.provider_relays()?;
        relays.retain(|relay| of_asked(&relay.provider));
        let mut standings = view.standings()?;
        standings.retain(|standing| of_asked(&standing.provider));
        Ok::<_, StoreError>(Facts {
            sums,
            open,
            relays,
            standings,
            hold: view.holds_on_reputation()?,
        })
    })?;
    let us = Us {
        hostname: context.config.hostname.to_string(),
    };
    Ok(present(&facts, &us, days, now))
}

fn present(facts: &Facts, us: &Us, days: u16, now: UnixMillis) -> Answer {
    let pauses: Vec<(String, String)> = facts
        .standings
        .iter()
        .filter_map(|standing| {
            let words = incidents::treatment(&standing.state, now)?;
            let name = provider::name(&standing.provider);
            Some(match standing.sender_domain.as_str() {
                "" => (name, words),
                domain => (format!("{name}, for mail from {domain}"), words),
            })
        })
        .collect();
    let mut answer = Answer::new(json!({
        "days": days,
        "providers": facts.sums.iter().map(describe).collect::<Vec<_>>(),
        "incidents": facts.open.iter().map(|one| describe_incident(one, us)).collect::<Vec<_>>(),
        "treated": pauses.iter().map(|(who, how)| json!({ "provider": who, "how": how })).collect::<Vec<_>>(),
        "hold": facts.hold,
    }));
    if facts.sums.is_empty() {
        answer = answer.line(format!("No mail was sent there in the last {days} days."));
    } else {
        let rows = facts.sums.iter().map(row).collect();
        answer = answer.table(
            &[
                "provider",
                "accepted",
                "put off",
                "refused",
                "half within",
                "9 of 10",
                "99 of 100",
                "taken",
            ],
            rows,
        );
    }
    for (who, how) in &pauses {
        answer = answer.line(format!("{who}: {how}."));
    }
    for incident in &facts.open {
        let words = incidents::explain(incident, us);
        let relay = facts
            .relays
            .iter()
            .find(|relay| relay.provider == incident.provider);
        let text = incidents::text_of(&words, relay.map(|relay| relay.host.as_str()));
        answer = answer.line("").line(format!(
            "OPEN since {} ({} times, last {}): {}",
            show::time(incident.opened),
            incident.refusals,
            show::relative(incident.last, now),
            words.headline
        ));
        for line in text.lines() {
            answer = answer.line(line);
        }
    }
    match facts.open.is_empty() {
        true => answer.remark("No incident is open."),
        false => answer.findings(),
    }
}

fn row(sums: &DeliverySums) -> Vec<String> {
    let delay = |at: usize| {
        let millis = sums.delay.and_then(|delay| delay.get(at).copied());
        millis.map(seconds).unwrap_or_default()
    };
    let accepted = match sums.relayed {
        0 => sums.accepted.to_string(),
        relayed => format!("{} ({relayed} by relay)", sums.accepted),
    };
    vec![
        provider::name(&sums.provider),
        accepted,
        sums.deferred.to_string(),
        sums.refused.to_string(),
        delay(0),
        delay(1),
        delay(2),
        trend(sums.trend),
    ]
}

/// `98 % (before: 100 %)`.
fn trend(trend: Trend) -> String {
    match (trend.before, trend.now) {
        (None, None) => String::new(),
        (None, Some(now)) => format!("{now} %"),
        (Some(before), None) => format!("- (before: {before} %)"),
        (Some(before), Some(now)) if before == now => format!("{now} %"),
        (Some(before), Some(now)) => format!("{now} % (before: {before} %)"),
    }
}

/// `2.5s`, `3m`, `5h`.
pub(super) fn seconds(millis: i64) -> String {
    let secs = millis.max(0) / 1_000;
    match secs {
        0..10 => format!("{}.{}s", secs, millis.max(0) % 1_000 / 100),
        10..120 => format!("{secs}s"),
        120..7_200 => format!("{}m", secs / 60),
        _ => format!("{}h", secs / 3_600),
    }
}

fn describe(sums: &DeliverySums) -> Value {
    let delay = |at: usize| sums.delay.and_then(|delay| delay.get(at).copied());
    json!({
        "provider": sums.provider,
        "name": provider::name(&sums.provider),
        "accepted": sums.accepted,
        "by_relay": sums.relayed,
        "deferred": sums.deferred,
        "refused": sums.refused,
        "delay_millis": { "p50": delay(0), "p90": delay(1), "p99": delay(2) },
        "taken_percent": { "before": sums.trend.before, "now": sums.trend.now },
    })
}

fn describe_incident(incident: &Incident, us: &Us) -> Value {
    json!({
        "provider": incident.provider,
        "class": incident.class,
        "rule": incident.rule,
        "sender_domain": incident.sender_domain,
        "opened": show::time(incident.opened),
        "last": show::time(incident.last),
        "refusals": incident.refusals,
        "senders": incident.senders,
        "sample": incident.sample,
        "words": incidents::explain(incident, us),
    })
}

fn hold(context: &Context, choice: Choice) -> Result<Answer, Failure> {
    let on = choice == Choice::On;
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.hold_on_reputation(on)
        })
        .map_err(|error: StoreError| Failure::from(error))?;
    let line = match on {
        true => {
            "Mail that a provider refuses for this server's reputation stays in the queue; its sender is told of the delay, \
             and single messages try whether the block still stands."
        }
        false => {
            "Mail that a provider refuses for this server's reputation goes back to its sender."
        }
    };
    Ok(Answer::new(json!({ "hold": on })).line(line))
}
