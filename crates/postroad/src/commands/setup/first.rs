//! The first message: the running server writes it, signs it and sends it; this waits for what the other side says.

use std::fmt;
use std::time::Duration;

use jobs::OwnMessage;
use mail::Address;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Setup;
use crate::commands::{Context, find};
use crate::output::{Answer, Failure};

/// Greylisting takes longer; whoever is asked for patience by the other side need not sit here.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Send it, unless it was sent to this address before.
    Send { from: String, to: String },
    /// How it went.
    Ask { from: String, to: String },
}

/// How it went.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Accepted(String),
    Refused(String),
    /// Deferred, or still on its way.
    Waits(String),
}

impl Fate {
    pub fn is_good(&self) -> bool {
        matches!(self, Fate::Accepted(_))
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Accepted(text) => write!(f, "taken by the other side: {text}"),
            Fate::Refused(text) => write!(f, "refused by the other side: {text}"),
            Fate::Waits(text) => write!(f, "still on its way: {text}"),
        }
    }
}

/// Sends it once, and waits for the answer.
pub(super) fn send(setup: &Setup<'_>, to: &str) -> Result<Fate, Failure> {
    let (from, to) = (setup.address.to_string(), to.to_owned());
    let send = Request::Send {
        from: from.clone(),
        to: to.clone(),
    };
    let sent = ask(setup, send)?.value["sent"] == json!(true);
    match sent {
        true => setup.say.note(format!("first message sent to {to}")),
        false => setup
            .say
            .ok(format!("the first message to {to} was sent before")),
    }
    let until = setup.own.now() + PATIENCE.min(setup.patience);
    loop {
        let answer = ask(
            setup,
            Request::Ask {
                from: from.clone(),
                to: to.clone(),
            },
        )?;
        let fate = fate(&answer.value);
        match &fate {
            Fate::Accepted(_) => setup.say.ok(format!("first message to {to} {fate}")),
            Fate::Refused(_) => setup.say.trouble(format!("first message to {to} {fate}")),
            Fate::Waits(_) if setup.own.now() < until => {
                setup.own.rest(PAUSE);
                continue;
            }
            Fate::Waits(_) => setup.say.note(format!("first message to {to} {fate}")),
        }
        return Ok(fate);
    }
}

fn ask(setup: &Setup<'_>, request: Request) -> Result<Answer, Failure> {
    let request = crate::commands::Request::Setup(request);
    crate::admin::client::ask(&setup.place.data, &request)
        .unwrap_or_else(|| Err(Failure::failed("the server does not run any more")))
}

fn fate(value: &serde_json::Value) -> Fate {
    let text = value["reply"].as_str().unwrap_or_default().to_owned();
    match value["outcome"].as_str() {
        Some("accepted") => Fate::Accepted(text),
        Some("refused") => Fate::Refused(text),
        Some(_) => Fate::Waits(text),
        None => Fate::Waits("no server has answered yet".to_owned()),
    }
}

/// The server's side.
pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Send { from, to } => post(
            context,
            &find::parse_address(&from)?,
            find::parse_address(&to)?,
        ),
        Request::Ask { from, to } => outcome(
            context,
            &message_id(&find::parse_address(&from)?, &find::parse_address(&to)?),
        ),
    }
}

/// The same for the same two addresses, so that a second run knows what the first one did.
fn message_id(from: &Address, to: &Address) -> String {
    let hex: String = to
        .to_string()
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("first-message.{hex}@{}", from.domain())
}

fn post(context: &Context, from: &Address, to: Address) -> Result<Answer, Failure> {
    let id = message_id(from, &to);
    let known = events(context, &id)?;
    if !known.is_empty() {
        return Ok(Answer::new(json!({ "sent": false })));
    }
    let Some(post) = context.post.clone() else {
        return Err(Failure::failed("the server does not run"));
    };
    let message = OwnMessage {
        from: Some(from.clone()),
        bytes: text(context, from, &to, &id).into_bytes(),
        sign_as: from.domain().clone(),
        to: vec![to],
    };
    let posted = context.handle()?.block_on(post.post(message));
    posted.map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Answer::new(json!({ "sent": true })))
}

fn text(context: &Context, from: &Address, to: &Address, id: &str) -> String {
    let date = mail::date::format(context.now());
    let host = &context.config.hostname;
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: First message from {host}\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\
         Auto-Submitted: auto-generated\r\n\r\n\
         Hello,\r\n\r\n\
         this is the first message from {host}, the new mail server of {domain}.\r\n\
         When you read it in your inbox, and not among the junk, all is well.\r\n\
         Answer it to see that mail arrives the other way, too.\r\n",
        domain = from.domain()
    )
}

fn events(context: &Context, id: &str) -> Result<Vec<store::deliveries::DeliveryEvent>, Failure> {
    let id = id.to_owned();
    Ok(context.store.read_blocking(move |view| {
        let mut events = Vec::new();
        for trace in view.traces_of(&id)? {
            events.extend(view.deliveries_of(&trace)?);
        }
        Ok::<_, store::StoreError>(events)
    })?)
}

fn outcome(context: &Context, id: &str) -> Result<Answer, Failure> {
    let events = events(context, id)?;
    // With brackets or without: it is the same message.
    let last = events.last();
    Ok(Answer::new(json!({
        "outcome": last.map(|event| event.fate.as_str()),
        "reply": last.map(|event| &event.reply),
        "host": last.map(|event| &event.host),
        "tls": last.map(|event| &event.tls),
    })))
}
