//! `postroad spam digest`: the daily summary of what was junked.

use clap::Args as ClapArgs;
use jobs::junk_digest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::lessons::{Choice, Scope};
use store::{Account, Durability};

use super::scope::{self, ScopeName, parse_whose};
use crate::commands::Context;
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// An account's address, a domain, or `all` for the whole server
    #[arg(value_parser = parse_whose)]
    whose: ScopeName,
    /// Mail it each morning, or do not; `default` leaves it to the domain and the server (which say off)
    #[arg(value_parser = ["on", "off", "default"])]
    state: Option<String>,
    /// Mail that of the last 24 hours to the account now
    #[arg(long, conflicts_with = "state")]
    now: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    whose: ScopeName,
    act: Act,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Show,
    Now,
    Set(Option<bool>),
}

impl From<Args> for Request {
    fn from(args: Args) -> Self {
        let act = match (args.state.as_deref(), args.now) {
            (None, true) => Act::Now,
            (None, false) => Act::Show,
            (Some("on"), _) => Act::Set(Some(true)),
            (Some("off"), _) => Act::Set(Some(false)),
            (Some(_), _) => Act::Set(None),
        };
        Self {
            whose: args.whose,
            act,
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request.act {
        Act::Set(state) => set(context, request.whose, state),
        Act::Show => print(context, request.whose),
        Act::Now => mail_now(context, request.whose),
    }
}

fn set(context: &Context, whose: ScopeName, state: Option<bool>) -> Result<Answer, Failure> {
    let now = context.now();
    let (whose, on) = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            let scope = whose.find(change)?;
            match state {
                Some(on) => change.set_spam_choice(&scope, &Choice::Digest(on), now)?,
                None => change
                    .reset_spam_choice(&scope, &Choice::Digest(false).name(), now)
                    .map(drop)?,
            }
            let on = change.spam_choices_of(&scope)?.digest;
            Ok::<_, Failure>((scope::name(change, &scope)?, on))
        })?;
    let said = match on {
        true => format!("{whose}: a summary comes each morning, if there was any junk."),
        false => format!("{whose}: no summary is mailed."),
    };
    Ok(Answer::new(json!({ "for": whose, "digest": on })).line(said))
}

/// The account, and what its summary of the last day would say.
fn gather(
    context: &Context,
    whose: ScopeName,
) -> Result<(Account, bool, Option<junk_digest::Page>), Failure> {
    let until = context.now();
    let after = mail::UnixMillis(until.0 - 86_400_000);
    context.store.read_blocking(move |view| {
        let Scope::Account(id) = whose.find(view)? else {
            return Err(Failure::usage("give the address of one account"));
        };
        let account = view
            .account(id)?
            .ok_or_else(|| Failure::failed("the account was removed at the same moment"))?;
        let page = junk_digest::gather(view, &account, after, until)?;
        Ok((account, view.spam_choices(id)?.digest, page))
    })
}

fn print(context: &Context, whose: ScopeName) -> Result<Answer, Failure> {
    if !matches!(whose, ScopeName::Account(_)) {
        return state_of(context, whose);
    }
    let (account, on, page) = gather(context, whose)?;
    let count = page.as_ref().map_or(0, |page| page.count);
    let value =
        json!({ "for": account.address.to_string(), "digest": on, "junked_last_day": count });
    let answer = Answer::new(value).line(format!(
        "{}: the summary is {}.",
        account.address,
        if on { "on" } else { "off" }
    ));
    Ok(match page {
        None => answer.line("Nothing was junked in the last 24 hours."),
        Some(page) => answer.line(String::new()).line(page.text()),
    })
}

fn state_of(context: &Context, whose: ScopeName) -> Result<Answer, Failure> {
    let (whose, on) = context.store.read_blocking(move |view| {
        let scope = whose.find(view)?;
        let on = view.spam_choices_of(&scope)?.digest;
        Ok::<_, Failure>((scope::name(view, &scope)?, on))
    })?;
    let said = format!("{whose}: the summary is {}.", if on { "on" } else { "off" });
    Ok(Answer::new(json!({ "for": whose, "digest": on })).line(said))
}

fn mail_now(context: &Context, whose: ScopeName) -> Result<Answer, Failure> {
    let Some(post) = context.post.clone() else {
        return Err(Failure::failed(
            "mail is sent by the running server; start it with: postroad serve",
        ));
    };
    let (account, _, page) = gather(context, whose)?;
    let address = account.address.to_string();
    let Some(page) = page else {
        return Ok(Answer::new(json!({ "for": address, "sent": false }))
            .line("Nothing was junked in the last 24 hours: nothing is sent."));
    };
    let now = context.now();
    let mut unique = [0; 8];
    context.random.fill(&mut unique);
    let unique = u64::from_le_bytes(unique);
    let name = format!(
        "junk.{}.{unique:016x}@{}",
        account.id, context.config.hostname
    );
    let message = junk_digest::message(&account, &page, &name, unique, now);
    let handle = context.handle()?;
    handle
        .block_on(post.post(message))
        .map_err(|error| Failure::failed(error.to_string()))?;
    Ok(
        Answer::new(json!({ "for": address, "sent": true, "messages": page.count })).line(format!(
            "Sent {address} a summary of {} messages.",
            page.count
        )),
    )
}
