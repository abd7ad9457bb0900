//! `postroad account lock`, `release`, `limits` and `sending`: whether an account sends, and how much it may.

use std::time::Duration;

use clap::Subcommand;
use mail::{Address, UnixMillis};
use mta::sending::{Kind, Level, Measure, Message, Place, measures, topics};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::sending::{
    Alarm, NewAlarm, Reached, SendingFacts, SendingLimits, SendingNetwork, SendingState,
};
use store::{Account, AccountId, AccountState, Durability, StoreError};

use super::find_account;
use crate::commands::{Context, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Limits {
    /// Show the limits and what is used of them
    Show,
    /// Set limits of its own, for a newsletter, a shop or a form on a web page
    Set {
        /// Most recipients at other servers in a day
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=LIMIT_MAX))]
        recipients: Option<u64>,
        /// Most of them that the account never wrote to before; 0: it writes to people it knows alone
        #[arg(long = "new", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=LIMIT_MAX))]
        first_time: Option<u64>,
        /// End after so many days; without it they stay, or end when limits that were set before do
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
        days: Option<u16>,
    },
    /// Go back to the usual limits
    Reset,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Lock {
        address: String,
        all: bool,
        reason: Option<String>,
    },
    Release {
        address: String,
        all: bool,
        with_mail: bool,
    },
    Show {
        address: String,
    },
    Limit {
        address: String,
        recipients: Option<u64>,
        first_time: Option<u64>,
        days: Option<u16>,
    },
    Unlimit {
        address: String,
    },
}

/// More than any person, shop or newsletter of one account sends.
const LIMIT_MAX: u64 = 1_000_000;

/// After a release limits are wider for so long, since what was held is often the rest of something larger.
const RAISED_FOR: Duration = Duration::from_secs(86_400);

const DAY_MILLIS: i64 = 86_400_000;

impl Request {
    pub fn of_limits(address: String, what: Option<Limits>) -> Result<Self, Failure> {
        Ok(match what {
            None | Some(Limits::Show) => Self::Show { address },
            Some(Limits::Reset) => Self::Unlimit { address },
            Some(Limits::Set {
                recipients: None,
                first_time: None,
                ..
            }) => {
                return Err(Failure::usage(
                    "which limit? Give --recipients, --new or both",
                ));
            }
            Some(Limits::Set {
                recipients,
                first_time,
                days,
            }) => Self::Limit {
                address,
                recipients,
                first_time,
                days,
            },
        })
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Lock {
            address,
            all,
            reason,
        } => lock(context, &address, all, reason),
        Request::Release {
            address,
            all,
            with_mail,
        } => release(context, &address, all, with_mail),
        Request::Show { address } => look(context, &address),
        Request::Limit {
            address,
            recipients,
            first_time,
            days,
        } => limit(context, &address, recipients, first_time, days),
        Request::Unlimit { address } => {
            let account = find_account(context, &address)?;
            let id = account.id;
            context
                .store
                .write_blocking(Durability::Durable, move |change| {
                    change.reset_sending_limits(id)
                })?;
            look(context, &address)
        }
    }
}

fn lock(
    context: &Context,
    address: &str,
    all: bool,
    reason: Option<String>,
) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let (id, now) = (account.id, context.now());
    let alarm = NewAlarm {
        reasons: reason.unwrap_or_default(),
        by_operator: true,
    };
    let (locked, held) =
        context
            .store
            .write_blocking(Durability::Durable, move |change| -> Result<_, Failure> {
                let locked = change.lock_sending(id, &alarm, now)?;
                if all {
                    change.set_account_state(id, AccountState::Disabled)?;
                }
                Ok((locked, change.held_by_alarm(id)?))
            })?;
    let name = &account.address;
    let said = match (all, locked) {
        (true, _) => format!("{name} is locked: no log-in, no sending, and mail for it waits."),
        (false, true) => format!("{name} may not send any more. Its user can read on."),
        (false, false) => format!("{name} was locked already."),
    };
    let value = json!({
        "address": name.to_string(), "state": "locked", "all": all, "held_messages": held.0, "held_recipients": held.1,
    });
    Ok(Answer::new(value).line(said).remark(held_remark(held)))
}

fn release(
    context: &Context,
    address: &str,
    all: bool,
    with_mail: bool,
) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let (id, now, name) = (account.id, context.now(), account.address.clone());
    let (was_stopped, old_password, sent, held) =
        context
            .store
            .write_blocking(Durability::Durable, move |change| -> Result<_, Failure> {
                if all {
                    change.set_account_state(id, AccountState::Active)?;
                }
                // Who was only asked gets room for the rest of it; who was locked may still have an intruder.
                let (raise, old_password) = match change.sending_state(id)? {
                    SendingState::Free => (None, false),
                    SendingState::Asking { .. } => (Some(RAISED_FOR), false),
                    SendingState::Locked { since } => {
                        let changed = change.password_changed(id)?;
                        (None, changed.is_none_or(|changed| changed < since))
                    }
                };
                let was_stopped = change.release_sending(id, raise, now)?;
                for topic in topics(&name) {
                    change.drop_notice(&topic)?;
                }
                let sent = match with_mail {
                    true => change.release_held(id, now)?,
                    false => 0,
                };
                Ok((was_stopped, old_password, sent, change.held_by_alarm(id)?))
            })?;
    let name = &account.address;
    let was_disabled = account.state == AccountState::Disabled;
    let is_disabled = was_disabled && !all;
    let said = released(name, was_stopped, was_disabled, all);
    let value = json!({
        "address": name.to_string(), "state": "free", "was_stopped": was_stopped, "released_messages": sent,
        "held_messages": held.0, "held_recipients": held.1, "password_is_old": old_password,
        "log_in": !is_disabled, "was_disabled": was_disabled,
    });
    let mut answer = Answer::new(value).line(said);
    if is_disabled {
        answer = answer.remark(format!(
            "It is disabled still; let it log in with: postroad account release {name} --all"
        ));
    }
    if old_password {
        answer = answer.remark(format!(
            "Its password is the one from before the lock. If somebody else has it, change it: postroad account passwd {name}"
        ));
    }
    if sent > 0 {
        answer = answer.line(format!(
            "{} of its mail go out now.",
            count(sent, "message")
        ));
    }
    if held.0 > 0 {
        answer = answer.remark(held_remark(held));
    }
    Ok(answer)
}

fn released(name: &Address, was_stopped: bool, was_disabled: bool, all: bool) -> String {
    match (was_stopped, was_disabled, all) {
        (true, false, _) => format!("{name} sends again."),
        (true, true, true) => format!("{name} may log in and sends again."),
        (true, true, false) => format!("Sending of {name} is released, but it may not log in."),
        (false, true, true) => format!("{name} may log in again."),
        (false, true, false) => {
            format!("Sending of {name} was not stopped, but it may not log in.")
        }
        (false, false, _) => format!("{name} was not stopped."),
    }
}

/// As it stands in output.
pub fn state_name(state: SendingState) -> &'static str {
    match state {
        SendingState::Free => "free",
        SendingState::Asking { .. } => "held",
        SendingState::Locked { .. } => "locked",
    }
}

/// `account show` tells whether it may send.
pub fn with_state(context: &Context, id: AccountId, answer: Answer) -> Result<Answer, Failure> {
    let state = context
        .store
        .read_blocking(move |view| view.sending_state(id))?;
    let mut answer = answer;
    if let Some(value) = answer.value.as_object_mut() {
        value.insert("sending".to_owned(), json!(state_name(state)));
    }
    Ok(match state {
        SendingState::Free => answer,
        SendingState::Asking { since } => {
            answer.line(format!("sending   held since {}", show::time(since)))
        }
        SendingState::Locked { since } => {
            answer.line(format!("sending   locked since {}", show::time(since)))
        }
    })
}

/// Says how an account that may not send is released, where that is the next thing to do.
pub fn with_release(
    context: &Context,
    account: &Account,
    answer: Answer,
) -> Result<Answer, Failure> {
    let id = account.id;
    let state = context
        .store
        .read_blocking(move |view| view.sending_state(id))?;
    Ok(match state {
        SendingState::Free => answer,
        SendingState::Asking { .. } | SendingState::Locked { .. } => answer.remark(format!(
            "Its sending is still {}; when all is well: postroad account release {}",
            state_name(state),
            account.address
        )),
    })
}

fn held_remark((messages, recipients): (u64, u64)) -> String {
    match messages {
        0 => "None of its mail is held.".to_owned(),
        _ => format!(
            "{} to {} held; look at them with: postroad queue groups",
            count(messages, "message"),
            count(recipients, "recipient"),
        ),
    }
}

fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

fn limit(
    context: &Context,
    address: &str,
    recipients: Option<u64>,
    first_time: Option<u64>,
    days: Option<u16>,
) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let (id, now) = (account.id, context.now());
    let until = days.map(|days| UnixMillis(now.0 + i64::from(days) * DAY_MILLIS));
    context.store.write_blocking(
        Durability::Durable,
        move |change| -> Result<(), StoreError> {
            // What is not named stays as it is.
            let before = change.sending_limits(id, now)?;
            let limits = SendingLimits {
                recipients: recipients.or(before.recipients),
                first_time: first_time.or(before.first_time),
                until: until.or(before.until),
            };
            change.set_sending_limits(id, &limits, now)
        },
    )?;
    look(context, address)
}

/// What a look at an account's sending finds.
struct Seen {
    facts: SendingFacts,
    alarms: Vec<Alarm>,
    held: (u64, u64),
    reached: Reached,
    networks: Vec<SendingNetwork>,
}

fn look(context: &Context, address: &str) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let (id, now) = (account.id, context.now());
    let since = UnixMillis(now.0 - DAY_MILLIS);
    let seen = context
        .store
        .read_blocking(move |view| -> Result<_, StoreError> {
            let facts = view.sending_facts(id, now)?;
            let alarms = view.sending_alarms(id)?;
            let from = alarms
                .iter()
                .find(|alarm| alarm.ended.is_none())
                .map_or(since, |alarm| UnixMillis(alarm.at.0 - DAY_MILLIS));
            let mut networks = view.sending_networks(id)?;
            networks.retain(|network| from <= network.last);
            Ok(Seen {
                held: view.held_by_alarm(id)?,
                reached: view.reached_since(id, from)?,
                facts,
                alarms,
                networks,
            })
        })?;
    Ok(present(&account, &seen, now))
}

fn present(account: &Account, seen: &Seen, now: UnixMillis) -> Answer {
    let facts = &seen.facts;
    let list = measures(facts, &Place::default(), &Message::default());
    let list: Vec<&Measure> = list
        .iter()
        .filter(|measure| measure.warn.is_some_and(|warn| warn > 0) || measure.act.is_some())
        .filter(|measure| measure.act != Some(0))
        .collect();
    let state = state_name(facts.state);
    let since = match facts.state {
        SendingState::Free => None,
        SendingState::Asking { since } | SendingState::Locked { since } => Some(since),
    };
    let value = json!({
        "address": account.address.to_string(),
        "state": state,
        "since": since.map(show::time),
        "raised_until": facts.raised_until.map(show::time),
        "limits": {
            "recipients": facts.limits.recipients,
            "new": facts.limits.first_time,
            "until": facts.limits.until.map(show::time),
        },
        "counts": list.iter().map(|measure| describe(measure)).collect::<Vec<Value>>(),
        "held": { "messages": seen.held.0, "recipients": seen.held.1 },
        "alarms": seen.alarms.iter().map(describe_alarm).collect::<Vec<Value>>(),
        "networks": seen.networks.iter().map(|network| json!({
            "network": network.network, "first": show::time(network.first), "last": show::time(network.last),
            "recipients": network.recipients,
        })).collect::<Vec<Value>>(),
        "reached": {
            "recipients": seen.reached.recipients,
            "addresses": seen.reached.some.iter().map(ToString::to_string).collect::<Vec<String>>(),
        },
    });
    let state = match since {
        Some(since) => format!("{state} since {}", show::time(since)),
        None => "sends".to_owned(),
    };
    let mut answer = Answer::new(value)
        .line(format!("address   {}", account.address))
        .line(format!("state     {state}"))
        .line(format!("limits    {}", limits_text(facts, now)))
        .line(format!(
            "held      {} to {}",
            count(seen.held.0, "message"),
            count(seen.held.1, "recipient")
        ));
    for network in &seen.networks {
        answer = answer.line(format!(
            "from      {}, first {}, last {}, to {}",
            network.network,
            show::relative(network.first, now),
            show::relative(network.last, now),
            count(network.recipients, "recipient"),
        ));
    }
    for alarm in seen.alarms.iter().take(ALARMS_SHOWN) {
        answer = answer.line(format!("alarm     {}", alarm_text(alarm)));
        for reason in alarm.reasons.lines() {
            answer = answer.line(format!("          {reason}"));
        }
    }
    answer = with_tables(answer, &list);
    if seen.reached.recipients > 0 {
        answer = answer.line(format!(
            "{} elsewhere took its mail in the last day{}",
            count(seen.reached.recipients, "address"),
            match state.starts_with("locked") {
                true => ", before it was locked included; all of them with --json",
                false => "",
            }
        ));
    }
    answer
}

/// What holds mail up by itself, and what only makes that stricter.
fn with_tables(answer: Answer, list: &[&Measure]) -> Answer {
    let (volume, signs): (Vec<&Measure>, Vec<&Measure>) = list
        .iter()
        .partition(|measure| measure.signal.kind() == Kind::Volume);
    answer
        .table(
            &["what", "now", "waits above", "held above", "locked above"],
            volume.iter().map(|measure| row(measure)).collect(),
        )
        .line("")
        .table(
            &["sign of somebody else", "now", "odd above", "bad above"],
            signs.iter().map(|measure| sign_row(measure)).collect(),
        )
        .remark("Odd signs make the first table stricter; bad ones hold mail to new people.")
}

const ALARMS_SHOWN: usize = 5;

fn limits_text(facts: &SendingFacts, now: UnixMillis) -> String {
    let own = facts.limits;
    let mut text = match (own.recipients, own.first_time) {
        (None, None) => "usual".to_owned(),
        (recipients, first_time) => {
            let part =
                |count: Option<u64>, what: &str| count.map(|count| format!("{count} {what} a day"));
            let parts = [
                part(recipients, "recipients"),
                part(first_time, "new recipients"),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
    };
    if let Some(until) = own.until {
        text.push_str(&format!(", ends {}", show::relative(until, now)));
    }
    if let Some(until) = facts.raised_until {
        text.push_str(&format!(
            "; wider after a release, ends {}",
            show::relative(until, now)
        ));
    }
    text
}

fn alarm_text(alarm: &Alarm) -> String {
    let what = match (alarm.locked, alarm.by_operator) {
        (true, true) => "locked by the operator",
        (true, false) => "locked",
        (false, _) => "held",
    };
    let ended = alarm
        .ended
        .map(|ended| format!(", released {}", show::time(ended)))
        .unwrap_or_default();
    format!("{} {what}{ended}", show::time(alarm.at))
}

fn describe_alarm(alarm: &Alarm) -> Value {
    json!({
        "at": show::time(alarm.at),
        "locked": alarm.locked,
        "by_operator": alarm.by_operator,
        "reasons": alarm.reasons.lines().collect::<Vec<&str>>(),
        "released": alarm.ended.map(show::time),
    })
}

fn describe(measure: &Measure) -> Value {
    json!({
        "what": measure.signal.name(),
        "now": measure.counted,
        "waits_above": measure.warn,
        "held_above": measure.act,
        "locked_above": measure.stop,
        "level": match measure.level() {
            Level::Fine => "fine",
            Level::Warn => "waits",
            Level::Act => "held",
            Level::Stop => "locked",
        },
    })
}

fn shown(level: Option<u64>) -> String {
    level.map_or_else(|| "-".to_owned(), |level| level.to_string())
}

fn sign_row(measure: &Measure) -> Vec<String> {
    vec![
        measure.signal.name().to_owned(),
        measure.counted.to_string(),
        shown(measure.warn),
        shown(measure.act),
    ]
}

fn row(measure: &Measure) -> Vec<String> {
    vec![
        measure.signal.name().to_owned(),
        measure.counted.to_string(),
        shown(measure.warn),
        shown(measure.act),
        shown(measure.stop),
    ]
}
