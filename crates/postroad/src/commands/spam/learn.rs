//! `postroad spam learn` and `spam forget`: teaching by messages that lie in files, or in a mailbox.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use jobs::lessons::{Material, material};
use mail::Address;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::lessons::{Class, LessonKey};
use store::{Durability, MailboxName};

use super::archive::each_message;
use crate::commands::{Context, Request as Question, find};
use crate::local;
use crate::output::{Answer, Failure};
use crate::place::Place;

#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Whose filter learns
    #[arg(long, value_name = "ADDRESS")]
    account: String,
    /// What the messages are
    #[arg(long = "as", value_name = "CLASS", value_parser = ["junk", "wanted"])]
    class: String,
    /// A mailbox of the account, all of which is taught
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "paths",
        required_unless_present = "paths"
    )]
    mailbox: Option<String>,
    /// Messages, mbox files, or directories of them (maildirs too)
    #[arg(value_name = "FILE")]
    paths: Vec<PathBuf>,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct ForgetArgs {
    /// Whose filter forgets
    #[arg(long, value_name = "ADDRESS")]
    account: String,
    /// The very messages that were learnt
    #[arg(value_name = "FILE", required = true)]
    paths: Vec<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Messages {
        account: String,
        class: Option<Taught>,
        messages: Vec<Message>,
    },
    Mailbox {
        account: String,
        class: Taught,
        mailbox: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taught {
    Junk,
    Wanted,
}

/// What is learnt of one message: no words of it cross the socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    key: i64,
    features: Vec<u64>,
    message_id: Option<String>,
}

/// Messages in one transaction: some hundred milliseconds at most.
const MESSAGES_AT_ONCE: usize = 20;

/// Messages in one question to the server: some megabytes.
const MESSAGES_PER_REQUEST: usize = 500;

pub fn run(place: &Place, args: Args) -> Result<Answer, Failure> {
    let class = match args.class.as_str() {
        "junk" => Taught::Junk,
        _ => Taught::Wanted,
    };
    match args.mailbox {
        Some(mailbox) => local::run(
            place,
            Question::Spam(super::Request::Learn(Request::Mailbox {
                account: args.account,
                class,
                mailbox,
            })),
        ),
        None => of_files(place, &args.account, Some(class), &args.paths),
    }
}

pub fn forget(place: &Place, args: &ForgetArgs) -> Result<Answer, Failure> {
    of_files(place, &args.account, None, &args.paths)
}

/// Files are read here, where their reader is who typed the command; the server gets hashes.
fn of_files(
    place: &Place,
    account: &str,
    class: Option<Taught>,
    paths: &[PathBuf],
) -> Result<Answer, Failure> {
    let address: Address = find::parse_address(account)?;
    let (mut seen, mut changed) = (0_usize, 0_u64);
    let mut waiting = Vec::new();
    let mut send = |messages: &mut Vec<Message>| -> Result<(), Failure> {
        let question = Request::Messages {
            account: address.to_string(),
            class,
            messages: std::mem::take(messages),
        };
        let answer = local::run(place, Question::Spam(super::Request::Learn(question)))?;
        let counted = answer
            .value
            .get("changed")
            .and_then(serde_json::Value::as_u64);
        changed += counted.unwrap_or(0);
        Ok(())
    };
    each_message(paths, &mut |bytes| {
        seen += 1;
        let cut = bytes.len().min(LEARNT_BYTES_MAX);
        let material = material(bytes.get(..cut).unwrap_or_default(), "");
        waiting.push(Message {
            key: LessonKey::of_bytes(store::AccountId(0), bytes).number(),
            features: material.features,
            message_id: material.message_id,
        });
        match MESSAGES_PER_REQUEST <= waiting.len() {
            true => send(&mut waiting),
            false => Ok(()),
        }
    })?;
    if !waiting.is_empty() {
        send(&mut waiting)?;
    }
    let value = json!({ "account": account, "messages": seen, "changed": changed });
    let known = seen as u64 - changed.min(seen as u64);
    let answer = Answer::new(value);
    Ok(match class {
        Some(_) => answer.line(format!(
            "Learnt {changed} of {seen} messages; {known} were known."
        )),
        None => answer.line(format!("Forgot {changed} of {seen} messages.")),
    })
}

/// What is behind them are attachments.
const LEARNT_BYTES_MAX: usize = 4_000_000;

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Messages {
            account,
            class,
            messages,
        } => teach(context, &account, class, &messages),
        Request::Mailbox {
            account,
            class,
            mailbox,
        } => teach_mailbox(context, &account, class, &mailbox),
    }
}

fn teach(
    context: &Context,
    account: &str,
    class: Option<Taught>,
    messages: &[Message],
) -> Result<Answer, Failure> {
    let address = find::parse_address(account)?;
    let account = context
        .store
        .read_blocking(move |view| find::account(view, &address))?
        .id;
    let (class, now) = (class.map(Taught::class), context.now());
    let mut changed = 0_u64;
    for piece in messages.chunks(MESSAGES_AT_ONCE) {
        let material = |message: &Message| Material {
            features: message.features.clone(),
            message_id: message.message_id.clone(),
            ..Material::default()
        };
        let piece: Vec<(LessonKey, Material)> = piece
            .iter()
            .map(|message| {
                (
                    LessonKey::of_number(account, message.key),
                    material(message),
                )
            })
            .collect();
        changed += context
            .store
            .write_blocking(Durability::Relaxed, move |change| {
                let learnt = change.teach_all(account, class, &piece, now)?;
                let changed = learnt.iter().filter(|one| one.learnt != one.unlearnt);
                Ok::<_, Failure>(changed.count() as u64)
            })?;
    }
    Ok(Answer::new(json!({ "changed": changed })))
}

fn teach_mailbox(
    context: &Context,
    account: &str,
    class: Taught,
    mailbox: &str,
) -> Result<Answer, Failure> {
    let address = find::parse_address(account)?;
    let name = MailboxName::parse(mailbox).map_err(|error| Failure::usage(error.to_string()))?;
    let now = context.now();
    let (account, mailbox) = context.store.read_blocking(move |view| {
        let account = find::account(view, &address)?;
        let mailbox = view.mailbox_by_name(account.id, &name)?;
        let mailbox = mailbox
            .ok_or_else(|| Failure::failed(format!("{} has no mailbox {name}", account.address)))?;
        Ok::<_, Failure>((account, mailbox))
    })?;
    let mut taught = 0;
    let (owner, place) = (account.id, mailbox.id);
    let mut after = None;
    loop {
        let (count, last) = context
            .store
            .write_blocking(Durability::Relaxed, move |change| {
                change.tell_lessons(owner, place, after, class.class(), now)
            })?;
        taught += count;
        after = last;
        if after.is_none() {
            break;
        }
    }
    Ok(
        Answer::new(json!({ "mailbox": mailbox.name.to_string(), "messages": taught })).line(
            format!(
                "{taught} messages of {} are taught; see: postroad spam status",
                mailbox.name
            ),
        ),
    )
}

impl Taught {
    fn class(self) -> Class {
        match self {
            Self::Junk => Class::Junk,
            Self::Wanted => Class::Wanted,
        }
    }
}
