//! Tells the operator what stands on the notice board: by mail to an address elsewhere, by a webhook, by ntfy. What a
//! channel does not take is tried again; what one takes is not told again because another did not.

use std::time::Duration;

use aws_lc_rs::hmac;
use mail::compose::{Person, TextMessage};
use mail::{Address, Domain, UnixMillis};
use serde_json::{Value, json};
use store::deliveries::Notice;
use store::findings::{Channel, ChannelKind, Post as Waiting};
use store::{Durability, StoreError};
use world::BoxFuture;
use world::http::Request;

use super::limits;
use crate::{Desk, Job, JobError, OwnMessage, Run, schedule};

pub(crate) struct Tell;

/// How it went with one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Yes,
    No(String),
}

impl Job for Tell {
    fn name(&self) -> &'static str {
        "operator"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        // It is woken; this is for what was missed.
        schedule::every(Duration::from_secs(86_400), last, started)
    }

    fn woken<'a>(&'a self, desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            loop {
                desk.world.clock.after(limits::TELL_LOOK).await;
                let now = desk.now();
                let due = desk.store.read(move |view| view.has_operator_posts(now));
                if let Ok(true) = due.await {
                    return;
                }
            }
        })
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            hand_out(desk).await?;
            write_to_postmaster(desk).await?;
            deliver(desk).await?;
            Ok(())
        })
    }
}

/// Who named no channel yet reads the postmaster's mail. The doctor's findings are left out: on a new server they are many, and
/// `postroad doctor` shows them.
async fn write_to_postmaster(desk: &Desk) -> Result<(), StoreError> {
    let due = desk
        .store
        .read(|view| match view.operator_channels()?.is_empty() {
            true => Ok::<_, StoreError>((view.urgent_notices_to_tell()?, view.domains()?)),
            false => Ok((Vec::new(), Vec::new())),
        });
    let (notices, domains) = due.await?;
    let Some(domain) = domains.first().filter(|_| !notices.is_empty()) else {
        return Ok(());
    };
    let mut body = body(&desk.settings.host, desk.now(), &notices);
    body["hint"] = json!(
        "Nobody is named yet who hears of such things outside this server: postroad doctor notify add mail you@elsewhere.example"
    );
    let postmaster = format!("postmaster@{}", domain.name);
    if let Told::No(problem) = by_mail(desk, &postmaster, &body).await {
        tracing::warn!(problem, "the operator is not told");
        return Ok(());
    }
    let now = desk.now();
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            let mut ids = notices.iter().map(|notice| notice.id);
            ids.try_for_each(|id| change.note_told(id, now))
        })
        .await
}

/// From the board to the channels, in one transaction: nothing is lost, and nothing told twice.
async fn hand_out(desk: &Desk) -> Result<(), StoreError> {
    let (host, now) = (desk.settings.host.clone(), desk.now());
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            let channels = change.operator_channels()?;
            let notices = change.notices_to_tell()?;
            if channels.is_empty() || notices.is_empty() {
                return Ok::<_, StoreError>(());
            }
            let body = body(&host, now, &notices).to_string();
            for channel in &channels {
                change.post_to_operator(channel.id, &body, now)?;
            }
            for notice in &notices {
                change.note_told(notice.id, now)?;
            }
            Ok(())
        })
        .await
}

/// What a webhook gets, and what the other channels' texts are made of.
fn body(host: &str, now: UnixMillis, notices: &[Notice]) -> Value {
    let title = match notices {
        [only] => only.title.clone(),
        [first, ..] => format!("{} (and {} more)", first.title, notices.len() - 1),
        [] => String::new(),
    };
    let notices: Vec<Value> = notices
        .iter()
        .map(|notice| {
            json!({
                "kind": notice.kind,
                "topic": notice.topic,
                "title": notice.title,
                "fix": notice.fix,
                "since": notice.created.0.div_euclid(1000),
            })
        })
        .collect();
    json!({
        "host": host,
        "at": now.0.div_euclid(1000),
        "title": title,
        "notices": notices,
    })
}

async fn deliver(desk: &Desk) -> Result<(), StoreError> {
    let now = desk.now();
    let (posts, channels) = desk
        .store
        .read(move |view| {
            Ok::<_, StoreError>((view.operator_posts(now)?, view.operator_channels()?))
        })
        .await?;
    for post in posts {
        let channel = channels.iter().find(|channel| channel.id == post.channel);
        let told = match channel {
            Some(channel) => {
                let body = serde_json::from_str(&post.body).unwrap_or_default();
                tell(desk, channel, &body).await
            }
            // It was removed meanwhile.
            None => Told::Yes,
        };
        note(desk, post, told).await?;
    }
    Ok(())
}

async fn note(desk: &Desk, post: Waiting, told: Told) -> Result<(), StoreError> {
    let now = desk.now();
    desk.store
        .write_bulk(Durability::Durable, move |change| match &told {
            Told::Yes => change.operator_post_done(&post, now),
            Told::No(problem) => {
                tracing::warn!(
                    problem,
                    attempts = post.attempts,
                    "the operator is not told"
                );
                let due = again(post.attempts, now);
                change.operator_post_failed(&post, problem, due)
            }
        })
        .await
}

/// When it is tried again after so many failures; never, when that is enough.
fn again(attempts: u32, now: UnixMillis) -> Option<UnixMillis> {
    if limits::TELL_ATTEMPTS_MAX <= attempts {
        return None;
    }
    let factor = 2_u32.checked_pow(attempts).unwrap_or(u32::MAX);
    let pause = limits::TELL_RETRY_FIRST.saturating_mul(factor);
    Some(now.plus(pause.min(limits::TELL_RETRY_MAX)))
}

/// What is sent to try a channel: goes to [`store::Change::post_to_operator`].
pub fn trial(host: &str, now: UnixMillis) -> String {
    let notice = Notice {
        id: 0,
        kind: "test".to_owned(),
        topic: "test".to_owned(),
        title: format!("a trial from {host}"),
        fix: "Nothing is wrong. Messages of this server to its operator reach you here.".to_owned(),
        created: now,
        told: None,
    };
    body(host, now, &[notice]).to_string()
}

async fn tell(desk: &Desk, channel: &Channel, body: &Value) -> Told {
    match channel.channel.kind {
        ChannelKind::Mail => by_mail(desk, &channel.channel.target, body).await,
        ChannelKind::Webhook => {
            let text = body.to_string();
            let mut request = Request::post(
                &channel.channel.target,
                "application/json",
                text.clone().into_bytes(),
            );
            if let Some(secret) = &channel.channel.secret {
                let signature = format!("sha256={}", signature(secret, text.as_bytes()));
                request = request.header("X-Postroad-Signature", &signature);
            }
            by_http(desk, request).await
        }
        ChannelKind::Ntfy => {
            let urgent = words(body).contains("error: ");
            let mut request = Request::post(
                &channel.channel.target,
                "text/plain; charset=utf-8",
                words(body).into_bytes(),
            )
            .header("Title", &ascii(&subject(body)))
            .header("Priority", if urgent { "high" } else { "default" });
            if let Some(token) = &channel.channel.secret {
                let token = String::from_utf8_lossy(token);
                request = request.header("Authorization", &format!("Bearer {}", token.trim()));
            }
            by_http(desk, request).await
        }
    }
}

async fn by_http(desk: &Desk, request: Request) -> Told {
    let Some(http) = &desk.http else {
        return Told::No("there is no web client".to_owned());
    };
    let request = request
        .allow_plain()
        .within(limits::PAGE_PATIENCE)
        .body_bytes_max(limits::PAGE_BYTES_MAX);
    match http.fetch(request).await {
        Ok(response) if (200..300).contains(&response.status) => Told::Yes,
        Ok(response) => Told::No(format!("the server answered {}", response.status)),
        Err(error) => Told::No(error.to_string()),
    }
}

async fn by_mail(desk: &Desk, target: &str, body: &Value) -> Told {
    let Ok(to) = Address::parse(target) else {
        return Told::No(format!("{target} is no mail address"));
    };
    let domains = match desk.store.read(|view| view.domains()).await {
        Ok(domains) => domains,
        Err(error) => return Told::No(error.to_string()),
    };
    let host = &desk.settings.host;
    let is_above = |domain: &&Domain| {
        host.strip_suffix(domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let names: Vec<Domain> = domains.into_iter().map(|domain| domain.name).collect();
    let Some(domain) = names.iter().find(is_above).or(names.first()).cloned() else {
        return Told::No("there is no domain to write from".to_owned());
    };
    let Ok(from) = Address::new("postmaster", domain.clone()) else {
        return Told::No("there is no address to write from".to_owned());
    };
    let mut unique = [0; 12];
    desk.world.random.branch("operator").fill(&mut unique);
    let unique: String = unique.iter().map(|byte| format!("{byte:02x}")).collect();
    let person = |address: &Address, name: &str| Person {
        name: (!name.is_empty()).then(|| name.to_owned()),
        address: address.clone(),
    };
    let bytes = TextMessage {
        from: person(&from, "Postroad"),
        to: vec![person(&to, "")],
        subject: &subject(body),
        date: desk.now(),
        message_id: &format!("{unique}@{host}"),
        fields: vec![("Auto-Submitted", "auto-generated".to_owned())],
        text: &words(body),
    }
    .write();
    let message = OwnMessage {
        from: None,
        to: vec![to],
        bytes,
        sign_as: domain,
    };
    match desk.post.post(message).await {
        Ok(()) => Told::Yes,
        Err(error) => Told::No(error.to_string()),
    }
}

fn subject(body: &Value) -> String {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("[{}] {}", text("host"), text("title"))
}

/// All notices as text.
fn words(body: &Value) -> String {
    let mut text = String::new();
    let notices = body.get("notices").and_then(Value::as_array);
    for notice in notices.into_iter().flatten() {
        for name in ["title", "fix"] {
            text.push_str(notice.get(name).and_then(Value::as_str).unwrap_or_default());
            text.push('\n');
        }
        text.push('\n');
    }
    if let Some(hint) = body.get("hint").and_then(Value::as_str) {
        text.push_str(hint);
        text.push('\n');
    }
    text.push_str("More on this server: postroad doctor\n");
    text
}

/// Header fields take no other letters.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| if (' '..='~').contains(&c) { c } else { '?' })
        .collect()
}

fn signature(secret: &[u8], text: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, text);
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
