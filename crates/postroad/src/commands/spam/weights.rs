//! `postroad spam weights`: how much each kind of reason counts, from where on mail is junk, and whether it is looked at at all.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spam::Weights;
use spam::limits::{MULTIPLIER_MAX, THRESHOLD_MAX, THRESHOLD_MIN};
use spam::reasons::Kind;
use store::Durability;
use store::lessons::{Choice, ChoiceChange, SpamChoices};

use super::scope::{self, ScopeArgs, ScopeName};
use crate::commands::{Context, show};
use crate::nearest::nearest;
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show what is in force
    Show {
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Multiply what one kind of reason weighs: 0 takes it away, 2 doubles it
    Set {
        /// A kind of reason, as `weights show` names it
        kind: String,
        #[arg(value_parser = number)]
        factor: f32,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// From which sum of weights on a message is junk: more lets more through
    Threshold {
        #[arg(value_parser = number)]
        sum: f32,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Look at mail, or do not
    Filter {
        /// on or off
        #[arg(value_parser = ["on", "off"])]
        state: String,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Take back what was set: one kind, `threshold`, `filter`, or all of it
    Reset {
        what: Option<String>,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Show what was changed, the newest first
    History,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Show(ScopeName),
    Set(ScopeName, String, f32),
    Threshold(ScopeName, f32),
    Filter(ScopeName, bool),
    Reset(ScopeName, Option<String>),
    History,
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Show { scope } => Self::Show(scope.into()),
            Command::Set {
                kind,
                factor,
                scope,
            } => Self::Set(scope.into(), kind, factor),
            Command::Threshold { sum, scope } => Self::Threshold(scope.into(), sum),
            Command::Filter { state, scope } => Self::Filter(scope.into(), state == "on"),
            Command::Reset { what, scope } => Self::Reset(scope.into(), what),
            Command::History => Self::History,
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Show(scope) => show_all(context, scope),
        Request::Set(scope, kind, factor) => {
            let kind = known_kind(&kind)?;
            if !(0.0..=MULTIPLIER_MAX).contains(&factor) {
                return Err(Failure::usage(format!(
                    "a factor is a number from 0 to {MULTIPLIER_MAX}"
                )));
            }
            set(context, scope, Choice::Weight(kind.id().to_owned(), factor))
        }
        Request::Threshold(scope, sum) => {
            if !(THRESHOLD_MIN..=THRESHOLD_MAX).contains(&sum) {
                return Err(Failure::usage(format!(
                    "a threshold is a number from {THRESHOLD_MIN} to {THRESHOLD_MAX}; built in is {}",
                    Weights::default().threshold
                )));
            }
            set(context, scope, Choice::Threshold(sum))
        }
        Request::Filter(scope, on) => set(context, scope, Choice::Filtering(on)),
        Request::Reset(scope, what) => reset(context, scope, what),
        Request::History => history(context),
    }
}

/// JSON, in which a running server is asked, has no word for infinity or what is no number.
fn number(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| "not a number".to_owned())
}

fn known_kind(id: &str) -> Result<Kind, Failure> {
    Kind::from_id(id).ok_or_else(|| {
        let guess = nearest(id, Kind::all().map(Kind::id))
            .map_or_else(String::new, |guess| format!(" (did you mean {guess}?)"));
        Failure::usage(format!(
            "{id:?} is no kind of reason{guess}. All of them: postroad spam weights show"
        ))
    })
}

fn set(context: &Context, scope: ScopeName, choice: Choice) -> Result<Answer, Failure> {
    let now = context.now();
    let name = choice.name();
    let whose = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            let scope = scope.find(change)?;
            change.set_spam_choice(&scope, &choice, now)?;
            scope::name(change, &scope)
        })?;
    Ok(Answer::new(json!({ "changed": name, "for": whose })).line(format!("Done, for {whose}.")))
}

fn reset(context: &Context, scope: ScopeName, what: Option<String>) -> Result<Answer, Failure> {
    let names = match what.as_deref() {
        None => None,
        Some("threshold") => Some("threshold".to_owned()),
        Some("filter") => Some("filtering".to_owned()),
        Some(kind) => Some(format!("weight:{}", known_kind(kind)?.id())),
    };
    let now = context.now();
    let (whose, count) = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            let scope = scope.find(change)?;
            let made = change.spam_choices_made()?;
            let mut count = 0;
            for choice in made {
                let meant = match &names {
                    Some(name) => choice.name == *name,
                    None => choice.name != "digest",
                };
                if choice.scope == scope && meant {
                    count += u32::from(change.reset_spam_choice(&scope, &choice.name, now)?);
                }
            }
            Ok::<_, Failure>((scope::name(change, &scope)?, count))
        })?;
    let said = match count {
        0 => format!("Nothing was set for {whose}."),
        count => format!("Took back {count} for {whose}."),
    };
    Ok(Answer::new(json!({ "reset": count, "for": whose })).line(said))
}

fn show_all(context: &Context, scope: ScopeName) -> Result<Answer, Failure> {
    let (whose, choices) = context.store.read_blocking(move |view| {
        let scope = scope.find(view)?;
        Ok::<_, Failure>((scope::name(view, &scope)?, view.spam_choices_of(&scope)?))
    })?;
    let threshold = choices
        .threshold
        .unwrap_or_else(|| Weights::default().threshold);
    let factor = |kind: Kind| factor_of(&choices, kind);
    let kinds = Kind::all()
        .map(|kind| json!({ "kind": kind.id(), "weight": kind.weight(), "factor": factor(kind) }));
    let value = json!({
        "for": whose, "filter": choices.filtering, "threshold": threshold, "kinds": kinds.collect::<Value>(),
    });
    let rows = Kind::all().map(|kind| {
        let factor = factor(kind);
        let shown = if factor == 1.0 {
            String::new()
        } else {
            format!("x {factor}")
        };
        vec![
            kind.id().to_owned(),
            format!("{:+.1}", kind.weight()),
            shown,
            kind.words(&["...".to_owned(), "...".to_owned()]),
        ]
    });
    let rows = rows.collect();
    let on = if choices.filtering { "on" } else { "off" };
    Ok(Answer::new(value)
        .line(format!(
            "For {whose}: the filter is {on}; junk from a sum of {threshold} on."
        ))
        .table(&["kind", "weighs at most", "factor", "words"], rows))
}

fn factor_of(choices: &SpamChoices, kind: Kind) -> f32 {
    let mut weights = choices.weights.iter();
    weights
        .find(|(id, _)| id == kind.id())
        .map_or(1.0, |(_, factor)| *factor)
}

fn history(context: &Context) -> Result<Answer, Failure> {
    let changes: Vec<(String, ChoiceChange)> = context.store.read_blocking(|view| {
        let changes = view.spam_choice_history()?;
        let named = changes
            .into_iter()
            .map(|change| Ok((scope::name(view, &change.scope)?, change)));
        named.collect::<Result<_, Failure>>()
    })?;
    let values = changes.iter().map(|(whose, change)| {
        json!({ "at": show::time(change.changed), "for": whose, "name": change.name, "value": change.value })
    });
    let rows = changes.iter().map(|(whose, change)| {
        vec![
            show::time(change.changed),
            whose.clone(),
            change.name.clone(),
            change
                .value
                .clone()
                .unwrap_or_else(|| "taken back".to_owned()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let answer = Answer::new(values.collect());
    Ok(match rows.is_empty() {
        true => answer.remark("Nothing was ever changed."),
        false => answer.table(&["at", "for", "what", "value"], rows),
    })
}
