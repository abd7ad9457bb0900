//! `postroad certificate`: the certificates that an authority gave us, and the keys of the next ones.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Durability, StoredCertificate};

use super::{Context, show};
use crate::output::{Answer, Exit, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show what was fetched from the authority, until when it holds, and what stands in the way
    List,
    /// Look now whether anything is to be fetched
    Fetch,
    /// Make the key of the next certificate; it is used when its TLSA record has been out for two hours
    NewKey {
        /// The certificate's first name
        name: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List,
    Fetch,
    NewKey { name: String },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::List => Request::List,
            Command::Fetch => Request::Fetch,
            Command::NewKey { name } => Request::NewKey { name },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::List => list(context),
        Request::Fetch => fetch(context),
        Request::NewKey { name } => new_key(context, &name.to_ascii_lowercase()),
    }
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let all = context.store.read_blocking(|view| view.certificates())?;
    let value = json!({
        "authority": context.config.tls.acme,
        "certificates": all.iter().map(value).collect::<Vec<_>>(),
    });
    let now = context.now();
    let rows = all.iter().map(|one| {
        let until = one.fetched.as_ref().map_or_else(
            || "not fetched yet".to_owned(),
            |fetched| {
                format!(
                    "{} ({})",
                    show::time(fetched.not_after),
                    show::relative(fetched.not_after, now)
                )
            },
        );
        let next = if one.next_key.is_some() {
            "waits for its TLSA record"
        } else {
            ""
        };
        vec![
            one.names.join(" "),
            until,
            next.to_owned(),
            one.problem.clone().unwrap_or_default(),
        ]
    });
    let mut answer = Answer::new(value);
    answer = match (&context.config.tls.acme, all.is_empty()) {
        (None, true) => answer.line(
            "No authority is asked: set `acme = \"letsencrypt\"` below [tls] in postroad.toml.",
        ),
        (Some(_), true) => answer.line("Nothing was fetched yet; the server does it when it runs."),
        _ => answer.table(&["names", "until", "next key", "problem"], rows.collect()),
    };
    if all.iter().any(|one| one.problem.is_some()) {
        answer.exit = Exit::Findings;
    }
    Ok(answer)
}

fn value(one: &StoredCertificate) -> serde_json::Value {
    json!({
        "names": one.names,
        "authority": one.directory,
        "from": one.fetched.as_ref().map(|fetched| show::time(fetched.not_before)),
        "until": one.fetched.as_ref().map(|fetched| show::time(fetched.not_after)),
        "next_key_since": one.next_key.as_ref().map(|(_, since)| show::time(*since)),
        "tried": one.tried.map(show::time),
        "failures": one.failures,
        "problem": one.problem,
    })
}

fn fetch(context: &Context) -> Result<Answer, Failure> {
    if context.config.tls.acme.is_none() {
        let text = "no authority is named: set `acme = \"letsencrypt\"` below [tls] in postroad.toml and restart the server";
        return Err(Failure::failed(text));
    }
    let Some(wanted) = &context.wanted else {
        return Err(Failure::failed(
            "the server does not run; it looks by itself when it starts",
        ));
    };
    // Whoever asks has mended something: earlier failures do not hold it back.
    context
        .store
        .write_blocking(Durability::Durable, |change| {
            change.forget_certificate_failures()
        })?;
    wanted.notify_one();
    Ok(Answer::new(json!({ "asked": true }))
        .line("The server looks now; see: postroad certificate list"))
}

fn new_key(context: &Context, name: &str) -> Result<Answer, Failure> {
    let key = jobs::new_certificate_key().map_err(Failure::failed)?;
    let (now, of) = (context.now(), name.to_owned());
    let known = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.set_next_certificate_key(&of, &key, now)
        })?;
    if !known {
        let text = format!("there is no certificate of {name}; see: postroad certificate list");
        return Err(Failure::failed(text));
    }
    Ok(Answer::new(json!({ "name": name }))
        .line(format!("The next certificate of {name} will have a new key."))
        .line("Publish its TLSA record beside the present one: `postroad dns show DOMAIN` has both. It is used when the record has been out for two hours."))
}
