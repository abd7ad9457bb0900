//! `postroad ban`: who is shut out, and who never is.

use clap::{Args, Subcommand};
use mail::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::bans::{
    Allowance, BAN_STEPS, Ban, Banned, Cause, EXEMPT_BUILT_IN, Network, Scope, WORDS_BYTES_MAX,
};
use store::{Durability, StoreError};

use super::{Context, show};
use crate::output::{Answer, Failure};

/// More of them no screen shows; programs ask with `--json` and `--limit`.
const SHOWN: usize = 50;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Who is shut out now, since when, until when and why
    List {
        /// At most so many, the newest first
        #[arg(long, default_value_t = SHOWN, value_parser = at_least_one)]
        limit: usize,
    },
    /// Shut an address or a network out of all services
    Add(Add),
    /// Let an address or a network in again, and forget what it did
    Remove {
        /// As `postroad ban list` shows it; or an address within
        network: String,
    },
    /// Networks that are never banned by themselves: monitors, offices, proxies
    #[command(subcommand)]
    Allow(Allow),
}

#[derive(Clone, Debug, Args)]
pub struct Add {
    /// 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48
    network: String,
    /// How long: 30m, 2h, 7d, or ever
    #[arg(long = "for", value_name = "TIME", default_value = "7d")]
    span: String,
    /// What for; shown in the list
    #[arg(long, value_name = "WORDS", default_value = "")]
    why: String,
    /// Only from port 25: people there can still log in
    #[arg(long)]
    smtp_only: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Allow {
    /// Never ban this network, whatever its hosts do
    Add {
        /// 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48
        network: String,
        /// What it is; shown in the list
        #[arg(long, value_name = "WORDS", default_value = "")]
        why: String,
    },
    /// Those that are never banned
    List,
    /// Ban this network like any other; also one that is built in
    Remove { network: String },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List {
        limit: usize,
    },
    Add {
        network: String,
        millis: Option<i64>,
        why: String,
        smtp_only: bool,
    },
    Remove {
        network: String,
    },
    AllowAdd {
        network: String,
        why: String,
    },
    AllowList,
    AllowRemove {
        network: String,
    },
}

impl Command {
    pub fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Self::List { limit } => Request::List { limit },
            Self::Add(add) => Request::Add {
                millis: parse_span(&add.span)?,
                network: add.network,
                why: add.why,
                smtp_only: add.smtp_only,
            },
            Self::Remove { network } => Request::Remove { network },
            Self::Allow(Allow::Add { network, why }) => Request::AllowAdd { network, why },
            Self::Allow(Allow::List) => Request::AllowList,
            Self::Allow(Allow::Remove { network }) => Request::AllowRemove { network },
        })
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::List { limit } => list(context, limit),
        Request::Add {
            network,
            millis,
            why,
            smtp_only,
        } => {
            let scope = match smtp_only {
                true => Scope::Mx,
                false => Scope::Everything,
            };
            add(context, parse_narrow(&network)?, millis, why, scope)
        }
        Request::Remove { network } => remove(context, parse_network(&network)?),
        Request::AllowAdd { network, why } => allow(context, parse_narrow(&network)?, why),
        Request::AllowList => allow_list(context),
        Request::AllowRemove { network } => allow_remove(context, parse_network(&network)?),
    }
}

fn list(context: &Context, limit: usize) -> Result<Answer, Failure> {
    let now = context.now();
    let mut bans = context
        .store
        .read_blocking(move |view| view.bans(now, limit.saturating_add(1)))?;
    let more = limit < bans.len();
    bans.truncate(limit);
    let values: Vec<Value> = bans.iter().map(value).collect();
    if bans.is_empty() {
        return Ok(Answer::new(values.into()).line("Nobody is banned."));
    }
    let rows = bans.iter().map(|ban| row(ban, now)).collect();
    let answer =
        Answer::new(values.into()).table(&["network", "since", "ends", "doors", "why"], rows);
    let answer = match more {
        true => answer.remark(format!(
            "These are the newest {limit}; for more: postroad ban list --limit {}",
            limit.saturating_mul(10)
        )),
        false => answer,
    };
    Ok(answer.remark("Let in again with: postroad ban remove NETWORK"))
}

fn row(ban: &Ban, now: UnixMillis) -> Vec<String> {
    vec![
        ban.banned.network.to_string(),
        show::relative(ban.since, now),
        match ban.banned.until.0 {
            i64::MAX => "never".to_owned(),
            _ => show::relative(ban.banned.until, now),
        },
        match ban.banned.scope {
            Scope::Everything => "all".to_owned(),
            Scope::Mx => "port 25".to_owned(),
        },
        match ban.banned.level {
            0 => ban.words.clone(),
            before => format!("{} (time {})", ban.words, before + 1),
        },
    ]
}

fn value(ban: &Ban) -> Value {
    json!({
        "network": ban.banned.network.to_string(),
        "since": show::time(ban.since),
        "until": until(ban.banned.until),
        "doors": match ban.banned.scope { Scope::Everything => "all", Scope::Mx => "smtp" },
        "cause": ban.banned.cause.word(),
        "why": ban.words,
        "before": ban.banned.level,
    })
}

fn until(at: UnixMillis) -> Option<String> {
    (at.0 != i64::MAX).then(|| show::time(at))
}

fn add(
    context: &Context,
    network: Network,
    millis: Option<i64>,
    why: String,
    scope: Scope,
) -> Result<Answer, Failure> {
    let now = context.now();
    let ban = Ban {
        banned: Banned {
            network,
            until: UnixMillis(millis.map_or(i64::MAX, |millis| now.0.saturating_add(millis))),
            scope,
            cause: Cause::Operator,
            level: 0,
        },
        since: now,
        words: match why.trim() {
            "" => Cause::Operator.words().to_owned(),
            why => bounded(why),
        },
    };
    let row = ban.clone();
    let write = move |change: &mut store::Change<'_>| change.put_ban(&row, now);
    write_and_reread(context, write)?;
    let ends = match until(ban.banned.until) {
        Some(until) => format!("until {until}"),
        None => "for good".to_owned(),
    };
    let answer = Answer::new(value(&ban)).line(format!("{network} is banned {ends}."));
    let own = context.store.is_exempt_from_bans(network.first());
    Ok(match own {
        true => answer.remark(
            "It is among those that are never banned by themselves (postroad ban allow list).",
        ),
        false => answer,
    })
}

fn remove(context: &Context, network: Network) -> Result<Answer, Failure> {
    let now = context.now();
    let on = context
        .store
        .read_blocking(move |view| view.bans(now, usize::MAX))?;
    // The very one, those within, and those that it lies within.
    let meant: Vec<Network> = on
        .iter()
        .map(|ban| ban.banned.network)
        .filter(|one| one.overlaps(&network))
        .collect();
    if meant.is_empty() {
        return Err(Failure::failed(format!(
            "{network} is not banned; see: postroad ban list"
        )));
    }
    let lifted = meant.clone();
    write_and_reread(context, move |change| {
        for one in &lifted {
            change.lift_ban(one, now)?;
        }
        Ok(())
    })?;
    let mut answer = Answer::new(json!({
        "lifted": meant.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }));
    for one in &meant {
        context.store.forget_misdeeds(one);
        answer = answer.line(format!("{one} is let in again."));
    }
    Ok(answer)
}

fn allow(context: &Context, network: Network, why: String) -> Result<Answer, Failure> {
    let said = Allowance {
        network,
        allowed: true,
        words: bounded(&why),
        changed: context.now(),
    };
    let built_in = is_built_in(&network);
    let now = context.now();
    let fits = context
        .store
        .write_blocking(Durability::Durable, move |change| match built_in {
            true => change.forget_ban_allowance(&said.network).map(|_| true),
            false => change.put_ban_allowance(&said),
        })?;
    context.store.reread_bans_blocking(now)?;
    if !fits {
        return Err(Failure::failed(
            "there are too many of these already; remove some, or name a wider network",
        ));
    }
    let value = json!({ "network": network.to_string(), "allowed": true });
    let answer = Answer::new(value).line(format!("{network} is never banned by itself."));
    let on = context.store.banned(network.first(), now);
    Ok(match on {
        Some(banned) => answer.remark(format!(
            "It is banned now; to let it in: postroad ban remove {}",
            banned.network
        )),
        None => answer,
    })
}

fn allow_remove(context: &Context, network: Network) -> Result<Answer, Failure> {
    let now = context.now();
    let built_in = is_built_in(&network);
    let said = Allowance {
        network,
        allowed: false,
        words: String::new(),
        changed: now,
    };
    let done = context
        .store
        .write_blocking(Durability::Durable, move |change| match built_in {
            true => change.put_ban_allowance(&said),
            false => change.forget_ban_allowance(&said.network),
        })?;
    context.store.reread_bans_blocking(now)?;
    if !done {
        let covering = covering(context, &network)?;
        return Err(Failure::failed(match covering {
            Some(wider) => format!(
                "{network} is not on the list itself; it is covered by {wider}: postroad ban allow remove {wider}"
            ),
            None => format!("{network} is not on the list; see: postroad ban allow list"),
        }));
    }
    let value = json!({ "network": network.to_string(), "allowed": false });
    Ok(Answer::new(value).line(format!("{network} is banned like any other.")))
}

/// The entry of the list that a network lies in.
fn covering(context: &Context, network: &Network) -> Result<Option<Network>, Failure> {
    let said = context.store.read_blocking(|view| view.ban_allowances())?;
    let built_in = EXEMPT_BUILT_IN
        .iter()
        .filter_map(|(text, _)| text.parse().ok());
    let added = said.iter().filter(|one| one.allowed).map(|one| one.network);
    Ok(built_in.chain(added).find(|one| one.covers(network)))
}

fn allow_list(context: &Context) -> Result<Answer, Failure> {
    let said = context.store.read_blocking(|view| view.ban_allowances())?;
    let taken_back = |network: &Network| {
        said.iter()
            .any(|one| !one.allowed && one.network == *network)
    };
    let mut rows = Vec::new();
    for (text, words) in EXEMPT_BUILT_IN {
        let kept = text.parse().is_ok_and(|network| !taken_back(&network));
        if kept {
            rows.push([text.to_owned(), words.to_owned(), "built in".to_owned()]);
        }
    }
    for one in said.iter().filter(|one| one.allowed) {
        let from = format!("you, {}", show::time(one.changed));
        rows.push([one.network.to_string(), one.words.clone(), from]);
    }
    let values: Vec<Value> = rows
        .iter()
        .map(|[network, words, from]| json!({ "network": network, "words": words, "from": from }))
        .collect();
    let rows = rows.into_iter().map(Vec::from).collect();
    Ok(Answer::new(values.into()).table(&["network", "what", "said by"], rows))
}

fn write_and_reread(
    context: &Context,
    work: impl FnMut(&mut store::Change<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Result<(), Failure> {
    context.store.write_blocking(Durability::Durable, work)?;
    context.store.reread_bans_blocking(context.now())?;
    Ok(())
}

fn is_built_in(network: &Network) -> bool {
    let mut all = EXEMPT_BUILT_IN.iter();
    all.any(|(text, _)| text.parse() == Ok(*network))
}

fn parse_network(text: &str) -> Result<Network, Failure> {
    text.trim()
        .parse()
        .map_err(|error: store::bans::BadNetwork| Failure::usage(error.to_string()))
}

/// As [`parse_network`], for a network that is small enough to say something of it as a whole.
fn parse_narrow(text: &str) -> Result<Network, Failure> {
    let network = parse_network(text)?;
    if !network.is_too_wide() {
        return Ok(network);
    }
    Err(Failure::usage(format!(
        "{text:?} means {network}, a large part of the internet; name /8 (IPv4) or /32 (IPv6) at the widest"
    )))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        parsed => parsed.map_err(|error: std::num::ParseIntError| error.to_string()),
    }
}

fn bounded(words: &str) -> String {
    let words = words.trim();
    let end = words.floor_char_boundary(WORDS_BYTES_MAX);
    words.get(..end).unwrap_or_default().to_owned()
}

/// `30m`, `2h`, `7d`; `None` for `ever`.
fn parse_span(text: &str) -> Result<Option<i64>, Failure> {
    let text = text.trim();
    if matches!(text, "ever" | "never") {
        return Ok(None);
    }
    let split = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => 0,
    };
    let span = number.parse::<i64>().ok();
    let span = span.and_then(|number| number.checked_mul(seconds * 1_000));
    match span {
        Some(1..=SPAN_MAX) => Ok(span),
        _ => Err(Failure::usage(format!(
            "{text:?} is not a time, such as 30m, 2h, {}d or ever",
            BAN_STEPS.last().map_or(7, |step| step.as_secs() / 86_400)
        ))),
    }
}

/// Ten years; longer is for good.
const SPAN_MAX: i64 = 10 * 366 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let cases = [
            ("30m", Some(Some(1_800_000))),
            ("2h", Some(Some(7_200_000))),
            ("7d", Some(Some(604_800_000))),
            ("90 s", Some(Some(90_000))),
            ("ever", Some(None)),
            ("0h", None),
            ("h", None),
            ("2", None),
            ("-1h", None),
            ("99999999999999999999d", None),
            ("9000000w", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_span(text).ok(), expected, "{text}");
        }
    }
}
