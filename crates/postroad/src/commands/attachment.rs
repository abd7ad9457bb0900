//! `postroad attachment`: what is done with dangerous attachments, for all domains or for one.

use clap::Subcommand;
use mail::Domain;
use mta::{AttachmentAction as Action, built_in_attachment_action as built_in};
use serde::{Deserialize, Serialize};
use serde_json::json;
use spam::attachments::Kind;
use store::{AttachmentRule, Durability};

use super::{Context, find};
use crate::nearest::nearest;
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List the kinds of attachments, and what is done with each
    List {
        /// As it is for the mail of this domain
        #[arg(long)]
        domain: Option<String>,
    },
    /// Choose what is done with a kind of attachment
    Set {
        /// Such as program, script, macros or locked-archive; see: postroad attachment list
        kind: String,
        /// allow (it only counts in the spam verdict), mark (a header field names it), junk, hold (in the quarantine) or refuse
        action: String,
        /// For the mail of this domain only
        #[arg(long)]
        domain: Option<String>,
    },
    /// Take choices back, all or that for one kind
    Reset {
        kind: Option<String>,
        /// Those of this domain
        #[arg(long)]
        domain: Option<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List {
        domain: Option<String>,
    },
    Set {
        kind: String,
        action: String,
        domain: Option<String>,
    },
    Reset {
        kind: Option<String>,
        domain: Option<String>,
    },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::List { domain } => Request::List { domain },
            Command::Set {
                kind,
                action,
                domain,
            } => Request::Set {
                kind,
                action,
                domain,
            },
            Command::Reset { kind, domain } => Request::Reset { kind, domain },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::List { domain } => list(context, parse(context, domain)?),
        Request::Set {
            kind,
            action,
            domain,
        } => set(
            context,
            kind_named(&kind)?,
            action_named(&action)?,
            parse(context, domain)?,
        ),
        Request::Reset { kind, domain } => {
            let kind = kind.map(|kind| kind_named(&kind)).transpose()?;
            reset(context, kind, parse(context, domain)?)
        }
    }
}

fn parse(context: &Context, domain: Option<String>) -> Result<Option<Domain>, Failure> {
    let Some(name) = domain else { return Ok(None) };
    let domain = find::parse_domain(&name)?;
    let asked = domain.clone();
    let local = context
        .store
        .read_blocking(move |view| view.is_local(&asked))?;
    match local {
        true => Ok(Some(domain)),
        false => Err(Failure::failed(format!(
            "{domain} is no domain of this server; see: postroad domain list"
        ))),
    }
}

fn list(context: &Context, domain: Option<Domain>) -> Result<Answer, Failure> {
    let rules = context
        .store
        .read_blocking(|view| view.attachment_rules())?;
    let choice = |kind: Kind, of: Option<&Domain>| {
        let of_kind =
            |rule: &&AttachmentRule| rule.kind == kind.name() && rule.domain.as_ref() == of;
        let rule = rules.iter().find(of_kind);
        rule.and_then(|rule| Action::from_name(&rule.action))
    };
    let mut values = Vec::new();
    let mut rows = Vec::new();
    for kind in Kind::ALL.iter().copied() {
        let own = domain
            .as_ref()
            .and_then(|domain| choice(kind, Some(domain)));
        let (action, by) = match (own, choice(kind, None)) {
            (Some(action), _) => (action, "this domain"),
            (None, Some(action)) => (action, "chosen"),
            (None, None) => (built_in(kind), "built in"),
        };
        values.push(
            json!({ "kind": kind.name(), "is": kind.words(), "action": action.name(), "by": by }),
        );
        rows.push(vec![
            kind.name().to_owned(),
            action.name().to_owned(),
            by.to_owned(),
            kind.words().to_owned(),
        ]);
    }
    let mut answer =
        Answer::new(json!({ "kinds": values })).table(&["kind", "action", "by", "is"], rows);
    if domain.is_none() {
        let own: Vec<&AttachmentRule> = rules.iter().filter(|rule| rule.domain.is_some()).collect();
        for rule in &own {
            let domain = rule
                .domain
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            answer = answer.line(format!("{domain}: {} {}", rule.kind, rule.action));
        }
    }
    Ok(answer.remark(
        "Change one with: postroad attachment set KIND allow|mark|junk|hold|refuse [--domain D]",
    ))
}

fn set(
    context: &Context,
    kind: Kind,
    action: Action,
    domain: Option<Domain>,
) -> Result<Answer, Failure> {
    let rule = AttachmentRule {
        domain: domain.clone(),
        kind: kind.name().to_owned(),
        action: action.name().to_owned(),
        changed: context.now(),
    };
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.set_attachment_rule(&rule)
        })?;
    let value = json!({ "kind": kind.name(), "action": action.name(), "domain": domain.as_ref().map(ToString::to_string) });
    let of = domain.map_or("all domains".to_owned(), |domain| domain.to_string());
    Ok(Answer::new(value).line(format!(
        "Attachments of the kind {} ({}): {}, for {of}.",
        kind.name(),
        kind.words(),
        action.name()
    )))
}

fn reset(context: &Context, kind: Option<Kind>, domain: Option<Domain>) -> Result<Answer, Failure> {
    let count = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.reset_attachment_rules(domain.as_ref(), kind.map(Kind::name))
        })?;
    let plural = if count == 1 { "" } else { "s" };
    Ok(Answer::new(json!({ "count": count })).line(format!("{count} choice{plural} taken back.")))
}

fn kind_named(name: &str) -> Result<Kind, Failure> {
    Kind::from_name(name).ok_or_else(|| {
        let guess = nearest(name, Kind::ALL.iter().map(|kind| kind.name()));
        let guess = guess.map_or(String::new(), |guess| format!(" did you mean {guess}?"));
        Failure::usage(format!(
            "{name:?} is no kind of attachment;{guess} see: postroad attachment list"
        ))
    })
}

fn action_named(name: &str) -> Result<Action, Failure> {
    Action::from_name(name).ok_or_else(|| {
        Failure::usage(format!(
            "{name:?} is none of allow, mark, junk, hold and refuse"
        ))
    })
}
