//! `postroad queue groups` and `queue group`: what an alarm about an account holds, by likeness.

use clap::Subcommand;
use mail::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::sending::{Group, GroupId, GroupMember};
use store::{AccountId, Durability, StoreError};

use crate::commands::{Context, find, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show the held messages of a group, and the text of the first
    Show {
        /// Its number in `queue groups`
        which: String,
    },
    /// Throw the held messages away, without reports to anybody
    Remove {
        /// A number in `queue groups`, or an account's address for all that is held of it
        which: String,
    },
    /// Let the held messages go out
    Release {
        /// A number in `queue groups`, or an account's address for all that is held of it
        which: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List { account: Option<String> },
    Show { which: String },
    Remove { which: String },
    Release { which: String },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Show { which } => Self::Show { which },
            Command::Remove { which } => Self::Remove { which },
            Command::Release { which } => Self::Release { which },
        }
    }
}

/// What a person may mean.
enum Choice {
    Group(GroupId),
    Account(AccountId),
}

/// Of a message's text.
const TEXT_CHARS_MAX: usize = 600;
const TEXT_BYTES_READ: u64 = 64 * 1024;

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let now = context.now();
    match request {
        Request::List { account } => list(context, account.as_deref(), now),
        Request::Show { which } => {
            let group = match choose(context, &which)? {
                Choice::Group(group) => group,
                Choice::Account(_) => return list(context, Some(&which), now),
            };
            show_group(context, group, now)
        }
        Request::Remove { which } => {
            let choice = choose(context, &which)?;
            let count = context.store.write_blocking(
                Durability::Durable,
                move |change| -> Result<u64, StoreError> {
                    match choice {
                        Choice::Group(group) => change.remove_group(group),
                        Choice::Account(account) => change.remove_held(account),
                    }
                },
            )?;
            with_stopped(context, counted(count, "thrown away"))
        }
        Request::Release { which } => {
            let choice = choose(context, &which)?;
            let count = context.store.write_blocking(
                Durability::Durable,
                move |change| -> Result<u64, StoreError> {
                    match choice {
                        Choice::Group(group) => change.release_group(group, now),
                        Choice::Account(account) => change.release_held(account, now),
                    }
                },
            )?;
            with_stopped(context, counted(count, "on the way"))
        }
    }
}

fn choose(context: &Context, which: &str) -> Result<Choice, Failure> {
    let Ok(number) = which.parse() else {
        let address = find::parse_address(which).map_err(|_| {
            Failure::usage(format!(
                "{which:?} is neither a group's number nor an account"
            ))
        })?;
        let account = context
            .store
            .read_blocking(move |view| find::account(view, &address))?;
        return Ok(Choice::Account(account.id));
    };
    let group = GroupId(number);
    let groups = context
        .store
        .read_blocking(|view| view.sending_groups(None))?;
    match groups.iter().any(|known| known.id == group) {
        true => Ok(Choice::Group(group)),
        false => Err(Failure::failed(format!(
            "nothing of a group {number} is held; see: postroad queue groups"
        ))),
    }
}

/// A group with the address of its account.
type Row = (Group, String);

fn list(context: &Context, account: Option<&str>, now: UnixMillis) -> Result<Answer, Failure> {
    let address = account.map(find::parse_address).transpose()?;
    let groups = context
        .store
        .read_blocking(move |view| -> Result<Vec<Row>, Failure> {
            let account = match &address {
                Some(address) => Some(find::account(view, address)?.id),
                None => None,
            };
            let mut rows = Vec::new();
            for group in view.sending_groups(account)? {
                let account = view.account(group.account)?;
                let name = account.map_or_else(String::new, |account| account.address.to_string());
                rows.push((group, name));
            }
            Ok(rows)
        })?;
    let answer = Answer::new(groups.iter().map(describe).collect());
    if groups.is_empty() {
        return Ok(answer.remark("No alarm holds any mail."));
    }
    let rows = groups
        .iter()
        .map(|(group, name)| {
            vec![
                group.id.0.to_string(),
                name.clone(),
                group.held_messages.to_string(),
                group.held_recipients.to_string(),
                show::relative(group.opened, now),
                group.subject.clone(),
            ]
        })
        .collect();
    Ok(answer
        .table(
            &[
                "group",
                "account",
                "messages",
                "recipients",
                "since",
                "subject of the first",
            ],
            rows,
        )
        .remark("Look at one with: postroad queue group show NUMBER"))
}

fn show_group(context: &Context, id: GroupId, now: UnixMillis) -> Result<Answer, Failure> {
    let (group, members, body) =
        context
            .store
            .read_blocking(move |view| -> Result<_, StoreError> {
                let groups = view.sending_groups(None)?;
                let group = groups.into_iter().find(|group| group.id == id);
                let members = view.group_members(id)?;
                let first = match members.first() {
                    Some(first) => view.queued(first.queue)?,
                    None => None,
                };
                let mut body = Vec::new();
                if let Some(first) = first {
                    let end = first.body.size.min(TEXT_BYTES_READ);
                    view.read_body(&first.body, 0..end, &mut body)?;
                }
                Ok((group, members, body))
            })?;
    let Some(group) = group else {
        return Err(Failure::failed(
            "the group was dealt with at the same moment",
        ));
    };
    let text = beginning(&body);
    let value = json!({
        "group": group.id.0, "subject": group.subject, "messages": group.held_messages,
        "recipients": group.held_recipients, "text": text,
        "members": members.iter().map(describe_member).collect::<Vec<Value>>(),
    });
    let mut answer = Answer::new(value)
        .line(format!("group       {}", group.id.0))
        .line(format!("subject     {}", group.subject))
        .line(format!("since       {}", show::relative(group.opened, now)))
        .line(format!(
            "held        {} messages to {} recipients, of {} to {} that were sent",
            group.held_messages, group.held_recipients, group.messages, group.recipients
        ))
        .line("")
        .line(text)
        .line("");
    let rows = members
        .iter()
        .map(|member| {
            vec![
                member.queue.to_string(),
                show::relative(member.created, now),
                member.recipients.to_string(),
                member
                    .first
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ]
        })
        .collect();
    answer = answer.table(&["id", "age", "recipients", "first recipient"], rows);
    Ok(answer)
}

/// Of the shown text, in one piece.
fn beginning(body: &[u8]) -> String {
    let message = mail::Message::parse(body);
    let part = message
        .structure()
        .own_parts()
        .find(|part| part.is_shown_text());
    let text = part.map(|part| message.text(part)).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(TEXT_CHARS_MAX).collect()
}

fn counted(count: u64, done: &str) -> Answer {
    let what = if count == 1 { "message" } else { "messages" };
    Answer::new(json!({ "count": count })).line(format!("{count} {what} {done}."))
}

/// What is left to be done: an account does not send again because its mail was dealt with.
fn with_stopped(context: &Context, answer: Answer) -> Result<Answer, Failure> {
    let stopped = context.store.read_blocking(|view| {
        let stopped = view.stopped_accounts()?;
        let accounts = stopped.iter().map(|(account, _)| view.account(*account));
        accounts.collect::<Result<Vec<_>, StoreError>>()
    })?;
    let names = stopped.into_iter().flatten().map(|account| account.address);
    Ok(names.take(STOPPED_SHOWN_MAX).fold(answer, |answer, name| {
        answer.remark(format!(
            "{name} does not send freely yet; when all is well: postroad account release {name}"
        ))
    }))
}

/// Accounts that are named after a group was dealt with.
const STOPPED_SHOWN_MAX: usize = 5;

fn describe((group, account): &Row) -> Value {
    json!({
        "group": group.id.0,
        "account": account,
        "subject": group.subject,
        "messages": group.held_messages,
        "recipients": group.held_recipients,
        "since": show::time(group.opened),
        "last": show::time(group.last),
    })
}

fn describe_member(member: &GroupMember) -> Value {
    json!({
        "id": member.queue,
        "trace": member.trace.to_string(),
        "created": show::time(member.created),
        "recipients": member.recipients,
        "first": member.first.as_ref().map(ToString::to_string),
    })
}
