//! `postroad spam blocklist`: the lists in the DNS (RFC 5782) that mail which comes in is looked up in.

use clap::{Subcommand, ValueEnum};
use mail::Domain;
use serde::{Deserialize, Serialize};
use serde_json::json;
use spam::blocklist::{self, Blocklist, Inbound, ListWeight, Subjects};
use store::Durability;
use store::senders::BlocklistChoice;

use crate::commands::Context;
use crate::nearest::nearest;
use crate::output::{Answer, Failure};

/// What a listing weighs if nothing is said: with something else beside it that makes junk.
const WEIGHT: f32 = 2.0;

/// More than this no list is believed.
const WEIGHT_MAX: f32 = 6.0;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show the lists, and which of them are asked
    List,
    /// Ask a built-in list, or another one if --of says what it lists
    On {
        /// The zone of the list, such as zen.spamhaus.org
        zone: String,
        /// What a list that is not built in lists
        #[arg(long, value_name = "WHAT")]
        of: Option<Of>,
        /// What a listing weighs: junk is from 3 on [default: 2]
        #[arg(long, value_name = "WEIGHT", requires = "of")]
        weight: Option<f32>,
        /// It knows IPv6 addresses too
        #[arg(long, requires = "of")]
        ipv6: bool,
    },
    /// Do not ask a list
    Off {
        /// The zone of the list
        zone: String,
    },
    /// Back to what is built in
    Reset {
        /// The zone of the list
        zone: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// Hosts that send
    Addresses,
    /// Domains of senders and links
    Domains,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List,
    On {
        zone: String,
        of: Option<Of>,
        weight: Option<f32>,
        ipv6: bool,
    },
    Off {
        zone: String,
    },
    Reset {
        zone: String,
    },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::List => Self::List,
            Command::On {
                zone,
                of,
                weight,
                ipv6,
            } => Self::On {
                zone,
                of,
                weight,
                ipv6,
            },
            Command::Off { zone } => Self::Off { zone },
            Command::Reset { zone } => Self::Reset { zone },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::List => list(context),
        Request::On {
            zone,
            of,
            weight,
            ipv6,
        } => on(context, &zone, of, weight, ipv6),
        Request::Off { zone } => off(context, &zone),
        Request::Reset { zone } => reset(context, &zone),
    }
}

fn parse(zone: &str) -> Result<String, Failure> {
    Domain::parse(zone.trim_end_matches('.'))
        .map(|zone| zone.as_str().to_owned())
        .map_err(|_| Failure::usage(format!("{zone:?} is no zone, such as zen.spamhaus.org")))
}

fn known(zone: &str) -> Option<&'static Blocklist> {
    blocklist::inbound().find(|list| list.zone == zone)
}

/// What was said of a list that is not built in, on or off.
fn added(context: &Context, zone: &str) -> Result<Option<String>, Failure> {
    let choices = context
        .store
        .read_blocking(|view| view.blocklist_choices())?;
    let choice = choices.into_iter().find(|choice| choice.zone == zone);
    Ok(choice.and_then(|choice| choice.list))
}

fn set(context: &Context, zone: &str, is_on: bool, list: Option<String>) -> Result<(), Failure> {
    let choice = BlocklistChoice {
        zone: zone.to_owned(),
        is_on,
        list,
        changed: context.now(),
    };
    let work = move |change: &mut store::Change<'_>| change.set_blocklist(&choice);
    Ok(context.store.write_blocking(Durability::Durable, work)?)
}

fn on(
    context: &Context,
    zone: &str,
    of: Option<Of>,
    weight: Option<f32>,
    ipv6: bool,
) -> Result<Answer, Failure> {
    let zone = parse(zone)?;
    let list = match (of, known(&zone)) {
        (None, Some(_)) => None,
        (None, None) => Some(added(context, &zone)?.ok_or_else(|| {
            Failure::usage(format!(
                "{zone} is not built in; say what it lists: --of addresses or --of domains"
            ))
        })?),
        (Some(of), _) => {
            let weight = weight.unwrap_or(WEIGHT);
            if !(weight.is_finite() && 0.0 < weight && weight <= WEIGHT_MAX) {
                return Err(Failure::usage(format!(
                    "a weight is a number above 0 and up to {WEIGHT_MAX}"
                )));
            }
            let list = serde_json::to_string(&custom(&zone, of, weight, ipv6));
            Some(list.map_err(|error| Failure::failed(error.to_string()))?)
        }
    };
    set(context, &zone, true, list)?;
    Ok(Answer::new(json!({ "zone": zone, "on": true }))
        .line(format!("{zone} is asked."))
        .remark(
            "Each list is asked about itself first (RFC 5782): one that does not list 127.0.0.2, or lists 127.0.0.1, says nothing. \
             A running server follows within half a minute.",
        ))
}

fn custom(zone: &str, of: Of, weight: f32, ipv6: bool) -> Blocklist {
    let inbound = match of {
        Of::Addresses => Inbound {
            peer: weight,
            ..Inbound::default()
        },
        Of::Domains => Inbound {
            sender: weight,
            link: weight,
            ..Inbound::default()
        },
    };
    Blocklist {
        zone: zone.to_owned(),
        of: match of {
            Of::Addresses => Subjects::Addresses,
            Of::Domains => Subjects::Domains,
        },
        weight: ListWeight::Low,
        removal: String::new(),
        listed: Vec::new(),
        dynamic: Vec::new(),
        mask: None,
        // The names that RFC 5782 §5 gives to lists of domains.
        test: (of == Of::Domains).then(|| "test".to_owned()),
        clean: (of == Of::Domains).then(|| "invalid".to_owned()),
        fresh: false,
        ipv6,
        inbound,
    }
}

fn off(context: &Context, zone: &str) -> Result<Answer, Failure> {
    let zone = parse(zone)?;
    let added = added(context, &zone)?;
    if known(&zone).is_none() && added.is_none() {
        let guess = nearest(&zone, blocklist::inbound().map(|list| list.zone.as_str()));
        let guess = guess.map_or_else(String::new, |guess| format!(" (did you mean {guess}?)"));
        return Err(Failure::failed(format!(
            "{zone} is not asked anyway{guess}. Those that are: postroad spam blocklist list"
        )));
    }
    // What it lists is kept, so that it can be asked again.
    set(context, &zone, false, added)?;
    Ok(Answer::new(json!({ "zone": zone, "on": false }))
        .line(format!("{zone} is not asked any more.")))
}

fn reset(context: &Context, zone: &str) -> Result<Answer, Failure> {
    let zone = parse(zone)?;
    let typed = zone.clone();
    let changed: bool = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.forget_blocklist(&typed)
        })?;
    if !changed {
        return Err(Failure::failed(format!(
            "nothing was said of {zone}; see: postroad spam blocklist list"
        )));
    }
    let is_on = known(&zone).is_some();
    let words = if is_on {
        "asked, as built in"
    } else {
        "not asked any more"
    };
    Ok(Answer::new(json!({ "zone": zone, "on": is_on })).line(format!("{zone} is {words}.")))
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let choices = context
        .store
        .read_blocking(|view| view.blocklist_choices())?;
    let mut rows = Vec::new();
    for list in blocklist::inbound() {
        let said = choices.iter().find(|choice| choice.zone == list.zone);
        if said.is_none_or(|choice| choice.list.is_none()) {
            rows.push((
                list.clone(),
                said.is_none_or(|choice| choice.is_on),
                "built in",
            ));
        }
    }
    for choice in &choices {
        let own = choice
            .list
            .as_deref()
            .map(serde_json::from_str::<Blocklist>);
        if let Some(Ok(list)) = own {
            rows.push((list, choice.is_on, "added"));
        }
    }
    let value = rows.iter().map(|(list, is_on, from)| {
        json!({ "zone": list.zone, "of": list.of, "on": is_on, "from": from, "inbound": list.inbound })
    });
    let answer = Answer::new(value.collect());
    let cells = rows.iter().map(|(list, is_on, from)| {
        vec![
            list.zone.clone(),
            match list.of {
                Subjects::Addresses => "hosts that send".to_owned(),
                Subjects::Domains => "senders and links".to_owned(),
            },
            if *is_on { "asked" } else { "off" }.to_owned(),
            weights(&list.inbound),
            (*from).to_owned(),
        ]
    });
    Ok(answer
        .table(&["list", "of", "state", "weight", "from"], cells.collect())
        .remark("A list that fails its test, or refuses this server's resolver, says nothing; the operator is told of the latter."))
}

fn weights(inbound: &Inbound) -> String {
    let named = [
        ("host", inbound.peer),
        ("dynamic", inbound.dynamic),
        ("sender", inbound.sender),
        ("link", inbound.link),
    ];
    let said = named.iter().filter(|(_, weight)| *weight != 0.0);
    let said: Vec<String> = said
        .map(|(name, weight)| format!("{name} {weight:+.1}"))
        .collect();
    said.join(", ")
}
