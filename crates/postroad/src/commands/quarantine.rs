//! `postroad quarantine`: messages that were taken and are kept from their recipients until somebody has looked at them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use clap::Subcommand;
use mail::{Summary, TraceId, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::held::{Held, ReleaseError, Released};
use store::{AccountId, Durability, View};

use super::{Context, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List the messages that are held
    List,
    /// Show one: why it is held, whom it is for, and its header
    Show {
        /// Its number in the list, or its trace id from the log
        which: String,
    },
    /// Deliver what is held, as it would have been when it came
    ///
    /// A message is held as a whole: for all of its recipients, also where a rule of one recipient's domain holds it.
    Release {
        /// Numbers or trace ids, or `all` for every message that is held
        #[arg(required = true)]
        which: Vec<String>,
    },
    /// Delete what is held, for good; its sender hears nothing
    Delete {
        /// Numbers or trace ids, or `all` for every message that is held
        #[arg(required = true)]
        which: Vec<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List,
    Show { which: String },
    Release { which: Vec<String> },
    Delete { which: Vec<String> },
}

/// Deleted in one transaction.
const DELETED_AT_ONCE: usize = 100;

type Users = BTreeMap<AccountId, String>;

/// What is shown of a message's header.
const HEADER_BYTES_MAX: u64 = 32 * 1024;

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::List => Request::List,
            Command::Show { which } => Request::Show { which },
            Command::Release { which } => Request::Release { which },
            Command::Delete { which } => Request::Delete { which },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::List => list(context),
        Request::Show { which } => show_one(context, &which),
        Request::Release { which } => release(context, &which),
        Request::Delete { which } => delete(context, &which),
    }
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let now = context.now();
    let (held, users, count) = context.store.read_blocking(|view| {
        let held = view.held()?;
        let users = users(view, &held)?;
        Ok::<_, store::StoreError>((held, users, view.held_ids()?.len()))
    })?;
    let answer = Answer::new(held.iter().map(|one| describe(one, &users)).collect());
    if held.is_empty() {
        return Ok(answer.remark("The quarantine is empty."));
    }
    let rows = held.iter().map(|one| row(one, now)).collect();
    let answer = match held.len() < count {
        true => answer.remark(format!(
            "These are the newest {} of {count}; what is done with `all` is done with all.",
            held.len()
        )),
        false => answer,
    };
    Ok(answer
        .table(
            &["id", "age", "size", "from", "to", "subject", "held by", "why", "deleted"],
            rows,
        )
        .remark("See one with: postroad quarantine show ID; let it go with: postroad quarantine release ID"))
}

fn row(held: &Held, now: UnixMillis) -> Vec<String> {
    let to = match held.recipients.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    vec![
        held.id.to_string(),
        show::relative(held.created, now),
        show::bytes(held.size),
        from(held),
        to,
        short(&held.subject),
        held.filter.clone(),
        short(&held.words),
        show::relative(held.expires, now),
    ]
}

fn show_one(context: &Context, which: &str) -> Result<Answer, Failure> {
    let now = context.now();
    let held = find(context, which)?;
    let id = held.id;
    let header = context.store.read_blocking(move |view| {
        let mut bytes = Vec::new();
        if let Some(body) = view.held_body(id)? {
            view.read_body(&body, 0..body.size.min(HEADER_BYTES_MAX), &mut bytes)?;
        }
        Ok::<_, store::StoreError>(bytes)
    })?;
    let end = mail::header::extent(&header).end;
    let header = String::from_utf8_lossy(header.get(..end).unwrap_or_default()).into_owned();
    let known = std::slice::from_ref(&held).to_vec();
    let users = context
        .store
        .read_blocking(move |view| users(view, &known))?;
    let mut value = describe(&held, &users);
    value["header"] = json!(header);
    let mut answer = Answer::new(value)
        .line(format!("id        {}", held.id))
        .line(format!("trace     {}", held.trace))
        .line(format!("held by   {} ({})", held.filter, held.cause.name()))
        .line(format!("why       {}", held.words))
        .line(format!("from      {}", from(&held)))
        .line(format!("size      {}", show::bytes(held.size)))
        .line(format!(
            "arrived   {} ({})",
            show::time(held.created),
            show::relative(held.created, now)
        ))
        .line(format!(
            "deleted   {} ({})",
            show::time(held.expires),
            show::relative(held.expires, now)
        ));
    for recipient in &held.recipients {
        answer = answer.line(format!("to        {recipient}"));
    }
    answer = answer.line("");
    for line in header.lines() {
        answer = answer.line(line);
    }
    Ok(answer)
}

fn release(context: &Context, which: &[String]) -> Result<Answer, Failure> {
    let chosen = chosen(context, which)?;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    let mut lines = Vec::new();
    if chosen.is_empty() {
        return Ok(nothing("released"));
    }
    for (id, trace) in chosen {
        let now = context.now();
        // One at a time: each reads a whole body. One that fails does not keep the others.
        let released = context
            .store
            .write_blocking(Durability::Durable, move |change| {
                change.release_quarantined(id, now, Summary::of)
            });
        match released {
            Ok(None) => lines.push(format!(
                "{id} is not held any more: somebody else released or deleted it, or it has expired."
            )),
            Ok(Some(released)) => {
                lines.push(said(id, &released));
                done.push(outcome(id, trace, &released));
            }
            Err(error) => {
                let why = unreleased(context, &error);
                lines.push(format!("{id} is not released: {why}."));
                failed.push(json!({ "id": id, "why": why }));
            }
        }
    }
    if done.is_empty() && !failed.is_empty() {
        return Err(Failure::failed(lines.join("\n")));
    }
    let answer = Answer::new(json!({ "released": done, "failed": failed }));
    Ok(lines.into_iter().fold(answer, Answer::line))
}

fn outcome(id: i64, trace: TraceId, released: &Released) -> Value {
    json!({
        "id": id,
        "trace": trace.to_string(),
        "mailboxes": released.mailboxes,
        "queued": released.queued,
        "gone": released.gone,
        "sender_gone": released.sender_gone,
        "lost": released.lost,
        "still_held": released.is_held,
    })
}

fn said(id: i64, released: &Released) -> String {
    let mut text = format!(
        "{id} {}: {} mailboxes, {} on their way out",
        match released.is_held {
            false => "is released",
            true => "is still held, with what could not be done",
        },
        released.mailboxes,
        released.queued,
    );
    if released.gone > 0 {
        text += &format!(", {} accounts are not there any more", released.gone);
    }
    if released.sender_gone {
        text += ", the account that sent it is not there any more";
    }
    if released.lost > 0 {
        text += ", its body is not on the disk any more (look in a backup)";
    }
    text += ".";
    if released.is_held {
        text += &format!(" Give it up with: postroad quarantine delete {id}");
    }
    text
}

fn unreleased(context: &Context, error: &ReleaseError) -> String {
    let ReleaseError::SendingStopped(account) = error else {
        return error.to_string();
    };
    let id = *account;
    let account = context.store.read_blocking(move |view| view.account(id));
    let address = match account {
        Ok(Some(account)) => account.address.to_string(),
        _ => "ADDRESS".to_owned(),
    };
    format!("{error}; if its user wrote it, first: postroad account release {address}")
}

fn delete(context: &Context, which: &[String]) -> Result<Answer, Failure> {
    let chosen = chosen(context, which)?;
    if chosen.is_empty() {
        return Ok(nothing("deleted"));
    }
    let mut gone = Vec::new();
    // Some at a time, so that mail is not held up meanwhile.
    for some in chosen.chunks(DELETED_AT_ONCE) {
        let some: Vec<i64> = some.iter().map(|(id, _)| *id).collect();
        gone.extend(
            context
                .store
                .write_blocking(Durability::Durable, move |change| {
                    let mut gone = Vec::new();
                    for id in &some {
                        if change.delete_quarantined(*id)? {
                            gone.push(*id);
                        }
                    }
                    Ok::<_, store::StoreError>(gone)
                })?,
        );
    }
    let (count, plural) = (gone.len(), if gone.len() == 1 { "" } else { "s" });
    Ok(Answer::new(json!({ "deleted": gone })).line(format!("{count} message{plural} deleted.")))
}

fn nothing(done: &str) -> Answer {
    let mut value = json!({ "failed": [] });
    value[done] = json!([]);
    Answer::new(value).line("The quarantine is empty.")
}

/// Oldest first, each once: what is released arrives in its order.
fn chosen(context: &Context, which: &[String]) -> Result<Vec<(i64, TraceId)>, Failure> {
    if which.iter().any(|one| one == "all") {
        return Ok(context.store.read_blocking(|view| view.held_ids())?);
    }
    let found = which.iter().map(|one| find(context, one));
    let mut found = found
        .map(|one| one.map(|held| (held.id, held.trace)))
        .collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable_by_key(|(id, _)| *id);
    found.dedup();
    Ok(found)
}

/// The addresses of those who sent what is held; who is gone has none.
fn users(view: &View<'_>, held: &[Held]) -> Result<Users, store::StoreError> {
    let mut users = Users::new();
    for id in held.iter().filter_map(|one| one.account) {
        if let Entry::Vacant(place) = users.entry(id)
            && let Some(account) = view.account(id)?
        {
            place.insert(account.address.to_string());
        }
    }
    Ok(users)
}

fn find(context: &Context, which: &str) -> Result<Held, Failure> {
    let found = match (which.parse::<i64>(), which.parse::<mail::TraceId>()) {
        (Ok(id), _) => context.store.read_blocking(move |view| view.held_one(id))?,
        (_, Ok(trace)) => context
            .store
            .read_blocking(move |view| view.held_by_trace(trace))?,
        _ => {
            return Err(Failure::usage(format!(
                "{which:?} is neither a message's number nor its trace id"
            )));
        }
    };
    found.ok_or_else(|| {
        Failure::failed(format!(
            "nothing is held under {which}; it was released, deleted or has expired, or see: postroad quarantine list"
        ))
    })
}

fn describe(held: &Held, users: &Users) -> Value {
    json!({
        "id": held.id,
        "trace": held.trace.to_string(),
        "cause": held.cause.name(),
        "filter": held.filter,
        "why": held.words,
        "account": held.account.and_then(|account| users.get(&account)),
        "from": held.reverse_path,
        "recipients": held.recipients,
        "subject": held.subject,
        "size": held.size,
        "created": show::time(held.created),
        "expires": show::time(held.expires),
    })
}

fn from(held: &Held) -> String {
    match held.reverse_path.as_str() {
        "" => "<>".to_owned(),
        path => path.to_owned(),
    }
}

fn short(text: &str) -> String {
    const CHARS_MAX: usize = 50;
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    text.chars()
        .take(CHARS_MAX - 3)
        .chain("...".chars())
        .collect()
}
