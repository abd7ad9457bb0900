//! `postroad dkim`: the keys that sign outgoing mail, and how they are changed.

use clap::Subcommand;
use jobs::dkim::decide::{self, Reminder};
use mail::{Domain, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{DkimAlgorithm, DkimKey, DkimRecord, DkimRotation, DkimState, Durability};

use super::{Context, find, show};
use crate::output::{Answer, Failure};
use crate::signing_keys;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List the keys of all domains, or of one, and what is to be done about them (exit 3 if something is)
    List {
        /// Only this domain's
        domain: Option<String>,
    },
    /// Begin to change a domain's keys: new ones are made, and sign once their records are seen in the DNS
    Rotate {
        /// Such as example.org
        domain: String,
        /// Sign with the new keys at once, for when the old ones are in wrong hands. Until the new records are
        /// published, receivers cannot check the signatures
        #[arg(long)]
        now: bool,
    },
    /// Show or set how often keys are changed
    Schedule {
        /// Only for this domain; else for all that have no schedule of their own
        domain: Option<String>,
        /// Days, `never`, or `default` to take a schedule back
        #[arg(long, value_name = "DAYS")]
        every: Option<String>,
    },
    /// Forget a key that does not sign, whatever still depends on it
    Remove {
        /// Such as example.org
        domain: String,
        /// Such as pr2611r
        selector: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List {
        domain: Option<String>,
    },
    Rotate {
        domain: String,
        now: bool,
    },
    Schedule {
        domain: Option<String>,
        every: Option<String>,
    },
    Remove {
        domain: String,
        selector: String,
    },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::List { domain } => Request::List { domain },
            Command::Rotate { domain, now } => Request::Rotate { domain, now },
            Command::Schedule { domain, every } => Request::Schedule { domain, every },
            Command::Remove { domain, selector } => Request::Remove { domain, selector },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let parsed = |domain: Option<String>| domain.as_deref().map(find::parse_domain).transpose();
    match request {
        Request::List { domain } => list(context, parsed(domain)?),
        Request::Rotate { domain, now } => rotate(context, find::parse_domain(&domain)?, now),
        Request::Schedule { domain, every } => schedule(context, parsed(domain)?, every),
        Request::Remove { domain, selector } => {
            remove(context, find::parse_domain(&domain)?, selector)
        }
    }
}

/// The keys of one domain, with what is decided over them.
struct Held {
    domain: Domain,
    keys: Vec<DkimKey>,
    rotation: DkimRotation,
}

fn held(context: &Context, wanted: Option<Domain>) -> Result<Vec<Held>, Failure> {
    context.store.read_blocking(move |view| {
        let domains = match &wanted {
            Some(name) => vec![find::domain(view, name)?],
            None => view.domains()?,
        };
        let of = |domain: store::Domain| {
            Ok::<_, Failure>(Held {
                keys: view.dkim_keys(&domain.name)?,
                rotation: view.dkim_rotation(Some(&domain.name))?,
                domain: domain.name,
            })
        };
        domains.into_iter().map(of).collect()
    })
}

fn list(context: &Context, wanted: Option<Domain>) -> Result<Answer, Failure> {
    let now = context.now();
    let all = held(context, wanted)?;
    let mut values = Vec::new();
    let mut rows = Vec::new();
    let mut changes = Vec::new();
    let mut found = false;
    for of in &all {
        for key in &of.keys {
            let seen = Seen::of(key, &of.keys, now);
            found |= seen.is_finding;
            values.push(describe(key, &seen)?);
            rows.push(row(key, &seen));
        }
        if let Some(at) = decide::next_change(&of.keys, of.rotation) {
            let at = show::time(at.max(now));
            changes.push(format!("New keys of {} will be made at {at}.", of.domain));
        }
    }
    let mut answer = Answer::new(json!(values)).table(
        &[
            "domain",
            "selector",
            "algorithm",
            "state",
            "since",
            "last use",
            "record",
            "to do",
        ],
        rows,
    );
    for change in changes {
        answer = answer.remark(change);
    }
    let answer = answer.remark("The DNS records: postroad dns show DOMAIN");
    Ok(if found { answer.findings() } else { answer })
}

/// What a key's state means to the operator.
struct Seen {
    state: &'static str,
    since: Option<UnixMillis>,
    to_do: String,
    /// More than a reminder of something that can wait.
    is_finding: bool,
}

impl Seen {
    fn of(key: &DkimKey, all: &[DkimKey], now: UnixMillis) -> Self {
        let signs = store::signing(all).any(|signing| signing.selector == key.selector);
        let (state, since) = match key.state {
            DkimState::Coming => ("coming", Some(key.created)),
            DkimState::Active if signs => ("active", key.active),
            DkimState::Active => ("suspended", key.look.since),
            DkimState::Kept => ("kept", key.stopped),
            DkimState::Retired => ("retired", key.stopped),
        };
        let reminder = decide::to_do(key, now);
        let to_do = match (reminder, key.state) {
            (Some(Reminder::Publish), _) => "publish its record, it signs then".to_owned(),
            (Some(Reminder::Mend), _) => "mend its record".to_owned(),
            (Some(Reminder::PutBack), _) => "put its record back".to_owned(),
            (Some(Reminder::Remove), _) => "remove its record".to_owned(),
            (None, DkimState::Coming) if key.look.found == DkimRecord::Right => {
                "nothing, it signs soon".to_owned()
            }
            (None, DkimState::Coming) => "publish its record, it signs then".to_owned(),
            (None, DkimState::Kept) => {
                let until = decide::kept_until(key).map_or_else(String::new, show::time);
                format!("keep its record until {until}")
            }
            (None, _) => String::new(),
        };
        let is_finding = reminder.is_some_and(|reminder| reminder != Reminder::Remove);
        Seen {
            state,
            since,
            to_do,
            is_finding,
        }
    }
}

fn describe(key: &DkimKey, seen: &Seen) -> Result<Value, Failure> {
    let time = |at: Option<UnixMillis>| at.map(show::time);
    Ok(json!({
        "domain": key.domain.to_string(),
        "selector": key.selector,
        "algorithm": algorithm_text(key.algorithm),
        "state": seen.state,
        "created": show::time(key.created),
        "record_seen": time(key.seen),
        "active_since": time(key.active),
        "last_used": time(key.used),
        "stopped": time(key.stopped),
        "keep_until": time(decide::kept_until(key)),
        "record_state": record_text(key.look.found),
        "record_state_since": time(key.look.since),
        "record_looked_at": time(key.look.at),
        "to_do": seen.to_do,
        "record_name": format!("{}._domainkey.{}", key.selector, key.domain),
        "record": signing_keys::record(&key.private)?,
    }))
}

fn row(key: &DkimKey, seen: &Seen) -> Vec<String> {
    let time = |at: Option<UnixMillis>| at.map_or_else(String::new, show::time);
    vec![
        key.domain.to_string(),
        key.selector.clone(),
        algorithm_text(key.algorithm).to_owned(),
        seen.state.to_owned(),
        time(seen.since),
        time(key.used),
        record_text(key.look.found).to_owned(),
        seen.to_do.clone(),
    ]
}

/// Makes new keys unless some are coming already; with `at_once` they sign from now on.
fn rotate(context: &Context, domain: Domain, at_once: bool) -> Result<Answer, Failure> {
    let now = context.now();
    let known = held(context, Some(domain.clone()))?;
    let taken: Vec<String> = known
        .iter()
        .flat_map(|of| &of.keys)
        .map(|key| key.selector.clone())
        .collect();
    // Outside of the transaction, which others wait for; it may be in vain.
    let made =
        jobs::dkim::new_pair(DkimState::Coming, &taken, now).map_err(signing_keys::broken)?;
    let name = domain.clone();
    let (coming, existed) = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &name)?;
            let is_coming = |key: &DkimKey| key.state == DkimState::Coming;
            let keys = change.dkim_keys(&name)?;
            let missing = made.iter().filter(|new| {
                let same = |key: &DkimKey| is_coming(key) && key.algorithm == new.algorithm;
                !keys.iter().any(same)
            });
            let mut existed = true;
            for new in missing {
                change.add_dkim_key(&name, new, now)?;
                existed = false;
            }
            let keys = change.dkim_keys(&name)?;
            let mut coming: Vec<String> = Vec::new();
            for key in keys.iter().filter(|key| is_coming(key)) {
                coming.push(key.selector.clone());
                if at_once {
                    change.activate_dkim_key(&name, &key.selector, now)?;
                }
            }
            Ok::<_, Failure>((coming, existed))
        })?;
    Ok(tell_rotation(&domain, &coming, at_once, existed))
}

fn tell_rotation(domain: &Domain, coming: &[String], at_once: bool, existed: bool) -> Answer {
    let names = coming.join(" and ");
    let value = json!({
        "domain": domain.to_string(),
        "selectors": coming,
        "signing": at_once,
    });
    let answer = Answer::new(value);
    if at_once {
        return answer
            .line(format!("{names} of {domain} sign from now on."))
            .remark(format!(
                "Publish their records at once, until then signatures cannot be checked: postroad dns show {domain}"
            ))
            .remark("Old keys in wrong hands: remove their records from the DNS too.");
    }
    let line = if existed {
        format!("{names} of {domain} are coming already.")
    } else {
        format!("Made {names} for {domain}.")
    };
    answer
        .line(line)
        .remark(format!("Publish their records: postroad dns show {domain}"))
        .remark("When they have been seen in the DNS for an hour, the new keys sign. Until then the old ones do.")
}

fn schedule(
    context: &Context,
    domain: Option<Domain>,
    every: Option<String>,
) -> Result<Answer, Failure> {
    if let Some(text) = every {
        let rotation = parse_rotation(&text)?;
        let name = domain.clone();
        context
            .store
            .write_blocking(Durability::Durable, move |change| {
                if let Some(name) = &name {
                    find::domain(change, name)?;
                }
                Ok::<_, Failure>(change.set_dkim_rotation(name.as_ref(), rotation)?)
            })?;
    }
    let name = domain.clone();
    let rotation = context.store.read_blocking(move |view| {
        if let Some(name) = &name {
            find::domain(view, name)?;
        }
        Ok::<_, Failure>(view.dkim_rotation(name.as_ref())?)
    })?;
    let whose = match &domain {
        Some(domain) => format!("Keys of {domain}"),
        None => "Keys of domains without a schedule of their own".to_owned(),
    };
    let (line, days) = match rotation {
        DkimRotation::Never => (format!("{whose} are never changed by themselves."), None),
        DkimRotation::Every { days } => (
            format!("{whose} are changed every {days} days."),
            Some(days),
        ),
    };
    let domain = domain.map(|domain| domain.to_string());
    Ok(Answer::new(json!({ "domain": domain, "every_days": days })).line(line))
}

/// New keys are of no use before the old ones have gone.
const DAYS_MIN: u32 = 14;
/// Ten years are as good as never.
const DAYS_MAX: u32 = 3_650;

/// `None` is the default.
fn parse_rotation(text: &str) -> Result<Option<DkimRotation>, Failure> {
    match text.trim() {
        "never" => return Ok(Some(DkimRotation::Never)),
        "default" => return Ok(None),
        _ => {}
    }
    let days = text.trim().trim_end_matches('d').parse::<u32>();
    match days {
        Ok(days) if (DAYS_MIN..=DAYS_MAX).contains(&days) => Ok(Some(DkimRotation::Every { days })),
        _ => Err(Failure::usage(format!(
            "--every {text:?}: give a number of days from {DAYS_MIN} to {DAYS_MAX}, never, or default"
        ))),
    }
}

fn remove(context: &Context, domain: Domain, selector: String) -> Result<Answer, Failure> {
    let (name, wanted) = (domain.clone(), selector.clone());
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &name)?;
            let signs = |key: &DkimKey| key.selector == wanted && key.state == DkimState::Active;
            if change.dkim_keys(&name)?.iter().any(signs) {
                return Err(Failure::failed(format!(
                    "{wanted} of {name} signs; change the keys first: postroad dkim rotate {name}"
                )));
            }
            Ok(change.remove_dkim_key(&name, &wanted)?)
        })?;
    let record = format!("{selector}._domainkey.{domain}");
    let value = json!({ "domain": domain.to_string(), "selector": selector, "removed": true });
    Ok(Answer::new(value)
        .line(format!("Forgot {selector} of {domain}."))
        .remark(format!("Remove its record from the DNS: {record}")))
}

fn algorithm_text(algorithm: DkimAlgorithm) -> &'static str {
    match algorithm {
        DkimAlgorithm::RsaSha256 => "rsa-sha256",
        DkimAlgorithm::Ed25519Sha256 => "ed25519-sha256",
    }
}

fn record_text(record: DkimRecord) -> &'static str {
    match record {
        DkimRecord::Unknown => "not looked yet",
        DkimRecord::Right => "right",
        DkimRecord::Missing => "missing",
        DkimRecord::Wrong => "wrong",
    }
}
