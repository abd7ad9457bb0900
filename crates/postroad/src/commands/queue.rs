//! `postroad queue`: mail on its way out.

use clap::Subcommand;
use mail::{TraceId, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::queue::{Choice, Queued, Recipient, RecipientState};
use store::{Durability, QueueId, StoreError};

use super::{Context, show};
use crate::output::{Answer, Failure};

pub mod group;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List the messages that wait
    List {
        /// Most messages to list
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Show one message with the last reply for each recipient
    Show {
        /// Its number in the list, or its trace id from the log
        which: String,
    },
    /// Try again now
    Retry {
        /// A message's number or trace id, a destination domain, or `all`
        which: String,
    },
    /// Do not try until released
    Hold {
        /// A message's number or trace id, a destination domain, or `all`
        which: String,
    },
    /// Take back `hold`
    Release {
        /// A message's number or trace id, a destination domain, or `all`
        which: String,
    },
    /// List what alarms about accounts hold, by likeness
    Groups {
        /// Only this account's
        account: Option<String>,
    },
    /// Show, throw away or release a group of held messages
    #[command(subcommand)]
    Group(group::Command),
    /// Forget without a report to the sender
    Delete {
        /// A message's number or trace id, a destination domain, or `all`
        which: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List { limit: usize },
    Show { which: String },
    Retry { which: String },
    Hold { which: String },
    Release { which: String },
    Delete { which: String },
    Group(group::Request),
}

/// Rows that one read of the store takes.
const ROWS_PER_READ: usize = 500;
/// A longer list helps nobody, and must not fill the memory of the server.
const LIST_MAX: usize = 100_000;

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::List { limit } => Request::List { limit },
            Command::Show { which } => Request::Show { which },
            Command::Retry { which } => Request::Retry { which },
            Command::Hold { which } => Request::Hold { which },
            Command::Release { which } => Request::Release { which },
            Command::Delete { which } => Request::Delete { which },
            Command::Groups { account } => Request::Group(group::Request::List { account }),
            Command::Group(command) => Request::Group(command.into()),
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let now = context.now();
    match request {
        Request::List { limit } => list(context, limit.min(LIST_MAX), now),
        Request::Show { which } => show_one(context, &which, now),
        Request::Retry { which } => {
            let choice = choose(context, &which)?;
            let count = context
                .store
                .write_blocking(Durability::Durable, move |change| {
                    change.retry_queued(&choice, now)
                })?;
            Ok(counted(count, "recipient", "will be tried now"))
        }
        Request::Hold { which } => {
            let choice = choose(context, &which)?;
            let count = context
                .store
                .write_blocking(Durability::Durable, move |change| {
                    change.hold_queued(&choice)
                })?;
            Ok(counted(count, "recipient", "on hold"))
        }
        Request::Release { which } => {
            let choice = choose(context, &which)?;
            let count = context
                .store
                .write_blocking(Durability::Durable, move |change| {
                    change.release_queued(&choice, now)
                })?;
            Ok(counted(count, "recipient", "released"))
        }
        Request::Group(request) => group::execute(context, request),
        Request::Delete { which } => {
            let choice = choose(context, &which)?;
            let count = context
                .store
                .write_blocking(Durability::Durable, move |change| {
                    change.delete_queued(&choice)
                })?;
            Ok(counted(count, "message", "deleted"))
        }
    }
}

/// `all`, a number or trace id that exists, or a domain.
fn choose(context: &Context, which: &str) -> Result<Choice, Failure> {
    if which == "all" {
        return Ok(Choice::All);
    }
    if let Some(name) = message_name(which) {
        return Ok(Choice::Message(find_message(context, &name)?.id));
    }
    let domain = mail::Domain::parse(which).map_err(|_| {
        Failure::usage(format!(
            "{which:?} is neither a message's number or trace id, nor a domain, nor `all`"
        ))
    })?;
    Ok(Choice::Domain(domain))
}

/// How a person names one message.
enum Name {
    Number(QueueId),
    Trace(TraceId),
}

fn message_name(text: &str) -> Option<Name> {
    let number = text
        .parse()
        .ok()
        .map(|number| Name::Number(QueueId(number)));
    number.or_else(|| text.parse().ok().map(Name::Trace))
}

fn find_message(context: &Context, name: &Name) -> Result<Queued, Failure> {
    let (found, shown) = match name {
        Name::Number(id) => {
            let id = *id;
            (
                context.store.read_blocking(move |view| view.queued(id))?,
                id.to_string(),
            )
        }
        Name::Trace(trace) => {
            let mut same = messages(context, LIST_MAX, |message| message.trace == *trace)?;
            (same.pop(), trace.to_string())
        }
    };
    found.ok_or_else(|| {
        Failure::failed(format!(
            "there is no message {shown} in the queue; it was delivered, failed or deleted, or see: postroad queue list"
        ))
    })
}

/// The messages of the queue that are wanted, oldest first, read in pieces.
fn messages(
    context: &Context,
    limit: usize,
    wanted: impl Fn(&Queued) -> bool,
) -> Result<Vec<Queued>, Failure> {
    let mut found: Vec<Queued> = Vec::new();
    let mut after = None;
    while found.len() < limit {
        let piece = context
            .store
            .read_blocking(move |view| view.queue(after, ROWS_PER_READ))?;
        let Some(last) = piece.last() else { break };
        after = Some(last.id);
        found.extend(piece.into_iter().filter(|message| wanted(message)));
    }
    found.truncate(limit);
    Ok(found)
}

fn list(context: &Context, limit: usize, now: UnixMillis) -> Result<Answer, Failure> {
    let messages = messages(context, limit, |_| true)?;
    let (counts, by_alarms) = context.store.read_blocking(|view| {
        let groups = view.sending_groups(None)?;
        let held: u64 = groups.iter().map(|group| group.held_messages).sum();
        Ok::<_, StoreError>((view.queue_counts()?, held))
    })?;
    let answer = Answer::new(messages.iter().map(describe).collect());
    if messages.is_empty() {
        return Ok(answer.remark("The queue is empty."));
    }
    let answer = match by_alarms {
        0 => answer,
        held => answer.remark(format!(
            "Alarms about accounts hold {held} of them; by likeness: postroad queue groups"
        )),
    };
    let rows = messages
        .iter()
        .flat_map(|message| rows(message, now))
        .collect();
    Ok(answer
        .table(
            &[
                "id",
                "age",
                "size",
                "from",
                "to",
                "state",
                "next",
                "tries",
                "last reply",
            ],
            rows,
        )
        .remark(format!(
            "{} messages; recipients: {} waiting, {} in flight, {} held.",
            counts.messages, counts.waiting, counts.in_flight, counts.held
        )))
}

/// One row for each recipient; the message's own columns only in the first.
fn rows(message: &Queued, now: UnixMillis) -> Vec<Vec<String>> {
    let mut first = true;
    let row = |recipient: &Recipient| {
        let own = |text: String| if first { text } else { String::new() };
        let row = vec![
            own(message.id.to_string()),
            own(show::relative(message.created, now)),
            own(show::bytes(message.body.size)),
            own(reverse_path(message)),
            recipient.address.to_string(),
            state_text(recipient.state).to_owned(),
            next(recipient, now),
            recipient.attempts.to_string(),
            shortened(recipient.last_reply.as_deref().unwrap_or_default()),
        ];
        first = false;
        row
    };
    message.recipients.iter().map(row).collect()
}

fn show_one(context: &Context, which: &str, now: UnixMillis) -> Result<Answer, Failure> {
    let name = message_name(which).ok_or_else(|| {
        Failure::usage(format!(
            "{which:?} is neither a message's number nor its trace id"
        ))
    })?;
    let message = find_message(context, &name)?;
    let mut answer = Answer::new(describe(&message))
        .line(format!("id        {}", message.id))
        .line(format!("trace     {}", message.trace))
        .line(format!("from      {}", reverse_path(&message)))
        .line(format!("size      {}", show::bytes(message.body.size)))
        .line(format!(
            "arrived   {} ({})",
            show::time(message.created),
            show::relative(message.created, now)
        ))
        .line(format!(
            "given up  {} ({})",
            show::time(message.expires),
            show::relative(message.expires, now)
        ));
    for recipient in &message.recipients {
        answer = answer
            .line("")
            .line(format!("to        {}", recipient.address))
            .line(format!("state     {}", state_text(recipient.state)))
            .line(format!("next try  {}", next(recipient, now)))
            .line(format!("tries     {}", recipient.attempts));
        if let Some(reply) = &recipient.last_reply {
            let host = recipient.last_host.as_deref().unwrap_or("this server");
            answer = answer.line(format!("reply     {reply} (said {host})"));
        }
    }
    Ok(answer)
}

fn counted(count: u64, what: &str, done: &str) -> Answer {
    let plural = if count == 1 { "" } else { "s" };
    Answer::new(json!({ "count": count })).line(format!("{count} {what}{plural} {done}."))
}

fn describe(message: &Queued) -> Value {
    json!({
        "id": message.id,
        "trace": message.trace.to_string(),
        "from": message.reverse_path.to_string(),
        "size": message.body.size,
        "created": show::time(message.created),
        "expires": show::time(message.expires),
        "recipients": message.recipients.iter().map(describe_recipient).collect::<Vec<_>>(),
    })
}

fn describe_recipient(recipient: &Recipient) -> Value {
    json!({
        "address": recipient.address.to_string(),
        "state": state_text(recipient.state),
        "due": matches!(recipient.state, RecipientState::Waiting | RecipientState::InFlight)
            .then(|| show::time(recipient.due)),
        "attempts": recipient.attempts,
        "last_reply": recipient.last_reply,
        "last_host": recipient.last_host,
        "last_attempt": recipient.last_attempt.map(show::time),
    })
}

fn reverse_path(message: &Queued) -> String {
    let path = message.reverse_path.to_string();
    if path.is_empty() {
        "<>".to_owned()
    } else {
        path
    }
}

fn next(recipient: &Recipient, now: UnixMillis) -> String {
    match recipient.state {
        RecipientState::Waiting => show::relative(recipient.due, now),
        RecipientState::InFlight => "now".to_owned(),
        RecipientState::Held | RecipientState::Delivered | RecipientState::Failed => "-".to_owned(),
    }
}

fn state_text(state: RecipientState) -> &'static str {
    match state {
        RecipientState::Waiting => "waiting",
        RecipientState::InFlight => "in flight",
        RecipientState::Held => "held",
        RecipientState::Delivered => "delivered",
        RecipientState::Failed => "failed",
    }
}

/// Replies can be long; the whole text is in `queue show`.
fn shortened(reply: &str) -> String {
    const REPLY_CHARS_MAX: usize = 60;
    let flat: String = reply.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= REPLY_CHARS_MAX {
        return flat;
    }
    flat.chars()
        .take(REPLY_CHARS_MAX - 3)
        .chain("...".chars())
        .collect()
}
