//! Incidents: one per provider and cause, opened by the first refusal, closed by the first success; and what people
//! are told of them, once. What opens and closes one is decided in `doctor::replies`; here rows meet it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use doctor::replies::explain::{Delivery, OperatorWords};
use doctor::replies::{self, Case, Class, Classified, Phase, Refusal, incident};
use mail::{TraceId, UnixMillis};
use store::deliveries::{Incident, NewNotice};
use store::{Change, StoreError};

use crate::limits;
use crate::queue::Standing;

/// Who we are, as forms ask for it.
#[derive(Clone, Debug, Default)]
pub struct Us {
    pub hostname: String,
}

/// A refusal that may open an incident.
#[derive(Clone, Debug)]
pub(crate) struct Met {
    /// Group of mail hosts, or the recipient's domain.
    pub(crate) provider: String,
    pub(crate) classified: Classified<'static>,
    pub(crate) host: String,
    pub(crate) phase: Phase,
    /// All lines.
    pub(crate) reply: String,
    /// Our address.
    pub(crate) source: Option<IpAddr>,
    pub(crate) sender: String,
    pub(crate) sender_domain: String,
    pub(crate) recipient: String,
    pub(crate) trace: TraceId,
    pub(crate) at: UnixMillis,
}

/// Opens an incident or counts within one; puts a notice on the board where that is due.
pub(crate) fn note_refusal(us: &Us, change: &mut Change<'_>, met: &Met) -> Result<(), StoreError> {
    let now = seconds(met.at);
    let reopened = now.saturating_sub(limits::INCIDENT_REOPENED_WITHIN_SECS);
    let since = UnixMillis(i64::try_from(reopened).unwrap_or_default() * 1_000);
    let rows = change.incidents_since(Some(&met.provider), since)?;
    let mut known: Vec<incident::Incident> = Vec::new();
    // Newest first: one that came back counts as open.
    for row in &rows {
        if !known.iter().any(|one| one.key == row.cause) {
            known.extend(of_row(row).map(|one| incident::Incident {
                closed: None,
                ..one
            }));
        }
    }
    let said = incident::Met {
        at: now,
        sender: &met.sender,
        sender_domain: &met.sender_domain,
        reply: &met.reply,
    };
    let now_is = match incident::refused(&known, &met.classified, said) {
        None | Some(incident::Change::Closed(_)) => return Ok(()),
        Some(incident::Change::Opened(one) | incident::Change::Again(one)) => one,
    };
    let row = rows.iter().find(|row| row.cause == now_is.key);
    let mut row = row.cloned().unwrap_or_else(|| new_row(met, &now_is));
    row.last = met.at;
    row.closed = None;
    row.refusals = now_is.refusals;
    row.senders = now_is.senders.into_iter().collect();
    let tell = !row.told && is_worth_telling(&row, now);
    row.told |= tell;
    let Some(id) = change.keep_incident(&row)? else {
        return Ok(());
    };
    if tell {
        let words = explain(&row, us);
        let relay = change.provider_relay_host(&met.provider)?;
        let notice = NewNotice {
            kind: "incident-opened".to_owned(),
            topic: format!("incident/{}/opened", id.0),
            title: words.headline.clone(),
            fix: text_of(&words, relay.as_deref()),
            created: met.at,
        };
        change.add_notice(&notice)?;
    }
    Ok(())
}

/// A message went straight to the provider: what was open is over.
pub(crate) fn note_acceptance(
    change: &mut Change<'_>,
    provider: &str,
    sender_domain: &str,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let rows = change.open_incidents(Some(provider))?;
    let Some(name) = rows.first().map(|row| row.provider_name.clone()) else {
        return Ok(());
    };
    let known: Vec<incident::Incident> = rows.iter().filter_map(of_row).collect();
    for closed in incident::accepted(&known, &name, sender_domain, seconds(at)) {
        let incident::Change::Closed(closed) = closed else {
            continue;
        };
        let Some(row) = rows.iter().find(|row| row.cause == closed.key) else {
            continue;
        };
        let row = Incident {
            closed: Some(at),
            ..row.clone()
        };
        let Some(id) = change.keep_incident(&row)?.filter(|_| row.told) else {
            continue;
        };
        let notice = NewNotice {
            kind: "incident-closed".to_owned(),
            topic: format!("incident/{}/closed", id.0),
            title: format!("{name} takes our mail again"),
            fix: format!(
                "Refused since {}, {} times. Nothing is left to do.",
                mail::date::format(row.opened),
                row.refusals
            ),
            created: at,
        };
        change.add_notice(&notice)?;
    }
    Ok(())
}

/// What is only slowed down is told when it lasts.
fn is_worth_telling(row: &Incident, now: u64) -> bool {
    let age = now.saturating_sub(seconds(row.opened));
    row.class != Class::Rate.as_str() || age >= limits::RATE_NOTICE_AFTER_SECS
}

/// An incident in words, with the form filled in.
pub fn explain(row: &Incident, us: &Us) -> OperatorWords {
    let refusal = refusal_of(row);
    let classified = replies::classify(&refusal);
    let sender = row.senders.first().cloned().unwrap_or_default();
    let sender_domain = sender.rsplit('@').next().unwrap_or_default().to_owned();
    let case = Case {
        ip: row.ip.clone().unwrap_or_default(),
        hostname: us.hostname.clone(),
        domain: row.sender_domain.clone().unwrap_or(sender_domain.clone()),
        when: mail::date::format(row.opened),
        contact: match sender_domain.as_str() {
            "" => format!("postmaster@{}", us.hostname),
            domain => format!("postmaster@{domain}"),
        },
        recipient: row.recipient.clone(),
    };
    let delivery = Delivery {
        own_addresses: row
            .ip
            .iter()
            .filter_map(|ip| ip.parse::<IpAddr>().ok())
            .collect(),
        is_kept: true,
    };
    replies::built_in().for_operator(&classified, &refusal, &case, &delivery)
}

/// How a provider is treated now, from what the store keeps of it; nothing if nothing is held back.
pub fn treatment(state: &str, now: UnixMillis) -> Option<String> {
    let standing: Standing = serde_json::from_str(state).ok()?;
    let now = seconds(now);
    let time = |second: u64| {
        let millis = i64::try_from(second.saturating_mul(1_000)).unwrap_or(i64::MAX);
        mail::date::format(UnixMillis(millis))
    };
    let mut parts = Vec::new();
    if let Some(since) = standing.blocked_since() {
        parts.push(format!("our address is refused since {}", time(since)));
    }
    match standing.silent_until(now) {
        Some(until) if standing.is_blocked() => {
            parts.push(format!(
                "a single message tries again after {}",
                time(until)
            ));
        }
        Some(until) => parts.push(format!("nothing is sent until {}", time(until))),
        None if standing.is_limited(now, limits::CONNECTIONS_USUAL_MAX) => {
            parts.push("mail goes slowly until they take it as before".to_owned());
        }
        None => {}
    }
    if !standing.may_use_ipv6(now) {
        parts.push("only IPv4 is used, since IPv6 did not work".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The words as a text to read and to paste from.
pub fn text_of(words: &OperatorWords, relay: Option<&str>) -> String {
    let mut text = format!(
        "{}\n{}\n\nWhat to do: {}\n",
        words.means, words.waiting, words.todo
    );
    if let Some(relay) = relay {
        text.push_str(&format!(
            "Meanwhile its mail goes by the relay {relay}; straight sending is tried now and then.\n"
        ));
    }
    for note in &words.notes {
        text.push_str(&format!("{note}\n"));
    }
    if let Some(form) = &words.form {
        text.push_str(&format!("\nAsk here: {}\n", form.name));
        for way in form.url.iter().chain(&form.mail) {
            text.push_str(&format!("  {way}\n"));
        }
        if !form.asks.is_empty() {
            text.push_str(&format!("It asks for: {}.\n", form.asks.join(", ")));
        }
        text.push_str(&format!("Answer: {}.\n", form.answer));
        if let Some(note) = &form.note {
            text.push_str(&format!("{note}\n"));
        }
        text.push_str(&format!(
            "\nWith these words:\n\n{}\n",
            form.words.trim_end()
        ));
    }
    text.push_str(&format!("\n{}\n", words.technical));
    text
}

fn refusal_of(row: &Incident) -> Refusal {
    let domain = row.recipient.rsplit('@').next().unwrap_or_default();
    let host = row.host.as_deref().unwrap_or_default();
    let phase = serde_json::Value::String(row.phase.clone());
    let phase = serde_json::from_value(phase).unwrap_or(Phase::Unknown);
    Refusal::read(host, domain, phase, &row.sample)
}

/// As files and rows have it.
fn name_of(phase: Phase) -> String {
    let value = serde_json::to_value(phase).unwrap_or_default();
    value.as_str().unwrap_or("unknown").to_owned()
}

fn new_row(met: &Met, one: &incident::Incident) -> Incident {
    Incident {
        id: None,
        cause: one.key.clone(),
        provider: met.provider.clone(),
        provider_name: one.provider.clone(),
        class: one.class.as_str().to_owned(),
        rule: one.rule.clone(),
        sender_domain: one.sender_domain.clone(),
        opened: met.at,
        last: met.at,
        closed: None,
        refusals: one.refusals,
        senders: Vec::new(),
        tags: one.tags.clone(),
        sample: one.sample.clone(),
        phase: name_of(met.phase),
        host: Some(met.host.clone()).filter(|host| !host.is_empty()),
        ip: met.source.map(|ip| ip.to_string()),
        recipient: met.recipient.clone(),
        trace: met.trace.to_string(),
        told: false,
    }
}

fn of_row(row: &Incident) -> Option<incident::Incident> {
    // A class that this program does not know was written by a newer one.
    let class = Class::ALL
        .into_iter()
        .find(|class| class.as_str() == row.class)?;
    Some(incident::Incident {
        key: row.cause.clone(),
        provider: row.provider_name.clone(),
        class,
        rule: row.rule.clone(),
        sender_domain: row.sender_domain.clone(),
        opened: seconds(row.opened),
        last: seconds(row.last),
        closed: row.closed.map(seconds),
        refusals: row.refusals,
        senders: row.senders.iter().cloned().collect::<BTreeSet<_>>(),
        tags: row.tags.clone(),
        sample: row.sample.clone(),
    })
}

fn seconds(at: UnixMillis) -> u64 {
    u64::try_from(at.0 / 1_000).unwrap_or_default()
}
