//! `postroad delivery trace`: one message's story, from taking it in to its last attempt.

use mail::{TraceId, UnixMillis};
use serde_json::{Value, json};
use store::StoreError;
use store::deliveries::{DeliveryEvent, Fate};
use store::queue::{Queued, RecipientState};

use crate::commands::{Context, provider, show};
use crate::output::{Answer, Failure};

/// Messages shown for one Message-ID: who sends the same one again and again knows why.
const MESSAGES_SHOWN_MAX: usize = 10;

struct Story {
    trace: TraceId,
    events: Vec<DeliveryEvent>,
    waiting: Vec<Queued>,
}

pub fn run(context: &Context, text: &str) -> Result<Answer, Failure> {
    let name = text
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .to_owned();
    let asked = name.clone();
    let stories = context.store.read_blocking(move |view| {
        let traces = match asked.parse::<TraceId>() {
            Ok(trace) => vec![trace],
            Err(_) => view.traces_of(&asked)?,
        };
        let mut stories = Vec::new();
        for trace in traces.into_iter().take(MESSAGES_SHOWN_MAX) {
            stories.push(Story {
                trace,
                events: view.deliveries_of(&trace)?,
                waiting: view.queued_under(&trace)?,
            });
        }
        Ok::<_, StoreError>(stories)
    })?;
    let told: Vec<&Story> = stories
        .iter()
        .filter(|story| !story.events.is_empty() || !story.waiting.is_empty())
        .collect();
    if told.is_empty() {
        return Err(Failure::failed(format!(
            "no message {name} was sent to another server in the last 90 days"
        )));
    }
    let now = context.now();
    let mut answer = Answer::new(json!({
        "messages": told.iter().map(|story| describe(story)).collect::<Vec<_>>(),
    }));
    for story in told {
        answer = present(answer, story, now);
    }
    Ok(answer)
}

fn present(mut answer: Answer, story: &Story, now: UnixMillis) -> Answer {
    answer = answer.line(format!("Message {}", story.trace));
    if let Some(first) = story.events.first() {
        if !first.message_id.is_empty() {
            answer = answer.line(format!("  Message-ID {}", first.message_id));
        }
        let taken = UnixMillis(first.at.0 - first.delay_millis);
        answer = answer.line(format!("{}  taken in", show::time(taken)));
    }
    for event in &story.events {
        answer = answer.line(line(event));
        for text in event.reply.lines() {
            answer = answer.line(format!("    {text}"));
        }
        if let Some(class) = event.class.as_deref() {
            let rule = event.rule.as_deref().unwrap_or("noticed here");
            answer = answer.line(format!("    which means: {class} ({rule})"));
        }
    }
    for recipient in story.waiting.iter().flat_map(|queued| &queued.recipients) {
        let state = match recipient.state {
            RecipientState::Waiting => {
                format!("next attempt {}", show::relative(recipient.due, now))
            }
            RecipientState::InFlight => "is being tried now".to_owned(),
            RecipientState::Held => "held until released".to_owned(),
            RecipientState::Delivered | RecipientState::Failed => continue,
        };
        answer = answer.line(format!(
            "{}  {}: {state}",
            show::time(now),
            recipient.address
        ));
    }
    answer
}

/// `2026-11-21T10:00:00Z  bob@outlook.com: put off by mx.outlook.com [192.0.2.1], in clear, after 3s`.
fn line(event: &DeliveryEvent) -> String {
    let fate = match event.fate {
        Fate::Accepted => "accepted",
        Fate::Deferred => "put off",
        Fate::Refused => "refused, told its sender",
    };
    let mut text = format!("{}  {}: {fate}", show::time(event.at), event.recipient);
    let provider = provider::name(&event.provider);
    match &event.host {
        Some(host) => text.push_str(&format!(" by {host} ({provider})")),
        None => text.push_str(&format!(" ({provider})")),
    }
    if let Some(ip) = &event.ip {
        text.push_str(&format!(" [{ip}]"));
    }
    if event.relay.is_some() {
        text.push_str(", a relay");
    }
    if event.ip.is_some() {
        text.push_str(match event.tls {
            Some(_) => ", encrypted",
            None => ", in clear",
        });
    }
    text.push_str(&format!(", after {}", super::seconds(event.delay_millis)));
    text
}

fn describe(story: &Story) -> Value {
    let events = story.events.iter().map(|event| {
        json!({
            "at": show::time(event.at),
            "recipient": event.recipient.to_string(),
            "provider": event.provider,
            "host": event.host,
            "ip": event.ip,
            "from_ip": event.source,
            "relay": event.relay,
            "outcome": event.fate.as_str(),
            "class": event.class,
            "rule": event.rule,
            "reply": event.reply,
            "delay_millis": event.delay_millis,
            "encrypted": event.tls.is_some(),
        })
    });
    let waiting = story.waiting.iter().flat_map(|queued| &queued.recipients);
    let waiting = waiting
        .filter(|of| {
            matches!(
                of.state,
                RecipientState::Waiting | RecipientState::InFlight | RecipientState::Held
            )
        })
        .map(|of| json!({ "recipient": of.address.to_string(), "due": show::time(of.due) }));
    json!({
        "trace": story.trace.to_string(),
        "message_id": story.events.first().map(|event| event.message_id.as_str()),
        "events": events.collect::<Vec<_>>(),
        "waiting": waiting.collect::<Vec<_>>(),
    })
}
