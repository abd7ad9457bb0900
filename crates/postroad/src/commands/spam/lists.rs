//! `postroad spam allow` and `spam block`: senders whose mail is always wanted, or never.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Durability;
use store::lessons::{BadRule, StoredRule, Wish};

use super::scope::{self, ScopeArgs, ScopeName};
use crate::commands::{Context, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Put a sender on the list (and off the opposite one)
    Add {
        /// An address, a domain (with those below it), or a network such as 192.0.2.0/24
        entry: String,
        #[command(flatten)]
        scope: ScopeArgs,
        /// Of an allow list: let it count also where nothing proves that the author sent it. Forgers can use it then
        #[arg(long)]
        even_unproven: bool,
    },
    /// Show the list; without an option those of all accounts and domains too
    List {
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Take a sender off the list
    Remove {
        /// As it stands on the list
        entry: String,
        #[command(flatten)]
        scope: ScopeArgs,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    block: bool,
    scope: ScopeName,
    act: Act,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Add { entry: String, even_unproven: bool },
    List,
    Remove { entry: String },
}

impl Command {
    pub fn into_request(self, wish: Wish) -> Request {
        let (scope, act) = match self {
            Self::Add {
                entry,
                scope,
                even_unproven,
            } => (
                scope,
                Act::Add {
                    entry,
                    even_unproven,
                },
            ),
            Self::List { scope } => (scope, Act::List),
            Self::Remove { entry, scope } => (scope, Act::Remove { entry }),
        };
        Request {
            block: wish == Wish::Block,
            scope: scope.into(),
            act,
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let wish = match request.block {
        true => Wish::Block,
        false => Wish::Allow,
    };
    match request.act {
        Act::Add {
            entry,
            even_unproven,
        } => add(context, wish, request.scope, &entry, even_unproven),
        Act::List => list(context, wish, request.scope),
        Act::Remove { entry } => remove(context, wish, request.scope, &entry),
    }
}

fn add(
    context: &Context,
    wish: Wish,
    scope: ScopeName,
    entry: &str,
    even_unproven: bool,
) -> Result<Answer, Failure> {
    let (typed, now) = (entry.to_owned(), context.now());
    let opposite = match wish {
        Wish::Allow => Wish::Block,
        Wish::Block => Wish::Allow,
    };
    let (written, whose, was_opposite) =
        context
            .store
            .write_blocking(Durability::Durable, move |change| {
                let scope = scope.find(change)?;
                let before = change.sender_rules_of(Some(&scope), opposite)?;
                let written = change.add_sender_rule(&scope, wish, &typed, even_unproven, now)?;
                let was_opposite = before.iter().any(|rule| rule.entry == written);
                Ok::<_, Failure>((written, scope::name(change, &scope)?, was_opposite))
            })?;
    let value = json!({
        "entry": written, "list": wish.to_string(), "for": whose, "was_on_the_other": was_opposite,
    });
    let off = match was_opposite {
        true => format!(", and off the {opposite} list"),
        false => String::new(),
    };
    let answer = Answer::new(value).line(format!(
        "{written} is on the {wish} list of {}{off}.",
        words(&whose)
    ));
    let needs_proof = wish == Wish::Allow && !even_unproven && !written.contains('/');
    Ok(match needs_proof {
        true => answer.remark(
            "It counts for mail that proves to be theirs (SPF, DKIM or DMARC); forged mail in their name is looked at as ever.",
        ),
        false => answer,
    })
}

fn remove(context: &Context, wish: Wish, scope: ScopeName, entry: &str) -> Result<Answer, Failure> {
    let typed = entry.to_owned();
    let (removed, whose) = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            let scope = scope.find(change)?;
            let removed = change.remove_sender_rule(&scope, wish, &typed)?;
            Ok::<_, Failure>((removed, scope::name(change, &scope)?))
        })?;
    if !removed {
        return Err(Failure::failed(format!(
            "{entry} is not on the {wish} list of {}; see: postroad spam {wish} list",
            words(&whose)
        )));
    }
    Ok(
        Answer::new(json!({ "entry": entry, "removed": true, "for": whose })).line(format!(
            "{entry} is off the {wish} list of {}.",
            words(&whose)
        )),
    )
}

fn list(context: &Context, wish: Wish, scope: ScopeName) -> Result<Answer, Failure> {
    let rules: Vec<(String, StoredRule)> = context.store.read_blocking(move |view| {
        let scope = scope.find(view)?;
        // The whole server's list is shown with those of its accounts and domains.
        let only = Some(&scope).filter(|scope| **scope != store::lessons::Scope::Server);
        let rules = view.sender_rules_of(only, wish)?;
        let named = rules
            .into_iter()
            .map(|rule| Ok((scope::name(view, &rule.scope)?, rule)));
        named.collect::<Result<_, Failure>>()
    })?;
    let values = rules.iter().map(|(whose, rule)| {
        json!({
            "entry": rule.entry, "for": whose, "even_unproven": rule.even_unproven, "created": show::time(rule.created),
        })
    });
    let answer = Answer::new(values.collect());
    if rules.is_empty() {
        return Ok(answer.remark(format!(
            "The {wish} list is empty. Put somebody on it with: postroad spam {wish} add example.org"
        )));
    }
    let row = |(whose, rule): &(String, StoredRule)| {
        let proof = match (wish, rule.even_unproven) {
            (Wish::Allow, true) => "not needed",
            (Wish::Allow, false) if !rule.entry.contains('/') => "needed",
            _ => "",
        };
        vec![
            rule.entry.clone(),
            whose.clone(),
            proof.to_owned(),
            show::time(rule.created),
        ]
    };
    let rows = rules.iter().map(row).collect();
    Ok(answer.table(&["entry", "for", "proof", "since"], rows))
}

fn words(whose: &str) -> &str {
    match whose {
        "all" => "the server",
        whose => whose,
    }
}

impl From<BadRule> for Failure {
    fn from(error: BadRule) -> Self {
        match error {
            BadRule::NotASender(_) | BadRule::TooWide(_) => Failure::usage(error.to_string()),
            BadRule::TooMany | BadRule::Store(_) => Failure::failed(error.to_string()),
        }
    }
}
