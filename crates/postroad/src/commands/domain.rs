//! `postroad domain`: the domains whose mail this server keeps.

use clap::{Subcommand, ValueEnum};
use mail::Domain;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{DmarcChoice, Durability, MtaStsMode};

use super::{Context, find, show};
use crate::output::{Answer, Failure};
use crate::signing_keys;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Add a domain, with fresh DKIM keys
    Add {
        /// Such as example.org
        domain: String,
    },
    /// List the domains
    List,
    /// Show one domain
    Show {
        /// Such as example.org
        domain: String,
    },
    /// Remove a domain that has no accounts left
    Remove {
        /// Such as example.org
        domain: String,
    },
    /// Say what is done with mail to a domain that fails the DMARC policy of its author
    Dmarc {
        /// Such as example.org
        domain: String,
        #[arg(value_enum)]
        choice: Choice,
    },
    /// Say how strict others shall be with TLS when they send to a domain (MTA-STS)
    MtaSts {
        /// Such as example.org
        domain: String,
        /// Begin with testing; enforce when the TLS reports show no failures
        #[arg(value_enum)]
        mode: PolicyMode,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Do as its author's domain wishes, refusing included
    Reject,
    /// Put it into the junk folder (what is done unless you say otherwise)
    Junk,
    /// Deliver it as ever; only the header says what was found
    Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyMode {
    /// Others report what fails, and deliver all the same
    Testing,
    /// Others do not deliver without a valid certificate
    Enforce,
    /// Others forget the policy
    None,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add { domain: String },
    List,
    Show { domain: String },
    Remove { domain: String },
    MtaSts { domain: String, mode: PolicyMode },
    Dmarc { domain: String, choice: Choice },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Add { domain } => Request::Add { domain },
            Command::List => Request::List,
            Command::Show { domain } => Request::Show { domain },
            Command::Remove { domain } => Request::Remove { domain },
            Command::MtaSts { domain, mode } => Request::MtaSts { domain, mode },
            Command::Dmarc { domain, choice } => Request::Dmarc { domain, choice },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add { domain } => add(context, find::parse_domain(&domain)?),
        Request::List => list(context),
        Request::Show { domain } => show_one(context, find::parse_domain(&domain)?),
        Request::Remove { domain } => remove(context, find::parse_domain(&domain)?),
        Request::MtaSts { domain, mode } => mta_sts(context, find::parse_domain(&domain)?, mode),
        Request::Dmarc { domain, choice } => dmarc(context, find::parse_domain(&domain)?, choice),
    }
}

/// Adds the domain with a key of each kind, in one transaction.
pub fn add(context: &Context, domain: Domain) -> Result<Answer, Failure> {
    let now = context.now();
    let keys = signing_keys::generate(now)?;
    let selectors: Vec<String> = keys.iter().map(|key| key.selector.clone()).collect();
    let name = domain.clone();
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.add_domain(&name, now)?;
            for key in &keys {
                change.add_dkim_key(&name, key, now)?;
            }
            Ok::<_, Failure>(())
        })?;
    Ok(
        Answer::new(json!({ "domain": domain.to_string(), "dkim_selectors": selectors }))
            .line(format!("Added {domain}."))
            .remark(format!("Next: postroad account add you@{domain}"))
            .remark(format!("DNS records it needs: postroad dns show {domain}")),
    )
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let domains = context.store.read_blocking(|view| view.domains())?;
    let value = domains.iter().map(describe).collect();
    let rows = domains
        .iter()
        .map(|domain| {
            vec![
                domain.name.to_string(),
                domain.accounts.to_string(),
                domain.aliases.to_string(),
            ]
        })
        .collect::<Vec<_>>();
    let answer = Answer::new(value);
    if rows.is_empty() {
        return Ok(answer.remark("No domains yet. Add one with: postroad domain add example.org"));
    }
    Ok(answer.table(&["domain", "accounts", "aliases"], rows))
}

fn describe(domain: &store::Domain) -> serde_json::Value {
    json!({
        "domain": domain.name.to_string(),
        "accounts": domain.accounts,
        "aliases": domain.aliases,
        "created": show::time(domain.created),
    })
}

fn show_one(context: &Context, name: Domain) -> Result<Answer, Failure> {
    let (domain, keys, choice, mode) = context.store.read_blocking(move |view| {
        let domain = find::domain(view, &name)?;
        let keys = view.dkim_keys(&name)?;
        let mode = view.mta_sts_mode(&name)?;
        Ok::<_, Failure>((domain, keys, view.dmarc_choice(&name)?, mode))
    })?;
    let choice = choice_word(choice);
    let mut value = describe(&domain);
    let signing: Vec<String> = store::signing(&keys)
        .map(|key| key.selector.clone())
        .collect();
    value["dkim_selectors"] = json!(signing);
    value["dmarc"] = json!(choice);
    value["mta_sts"] = json!(mode.name());
    Ok(Answer::new(value)
        .line(format!("domain    {}", domain.name))
        .line(format!("created   {}", show::time(domain.created)))
        .line(format!("accounts  {}", domain.accounts))
        .line(format!("aliases   {}", domain.aliases))
        .line(format!("signs as  {}", signing.join(", ")))
        .line(format!("dmarc     {choice} what fails"))
        .line(format!("mta-sts   {}", mode.name())))
}

fn remove(context: &Context, name: Domain) -> Result<Answer, Failure> {
    let removed = name.clone();
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &name)?;
            change.remove_domain(&name)?;
            Ok::<_, Failure>(())
        })?;
    Ok(
        Answer::new(json!({ "domain": removed.to_string(), "removed": true }))
            .line(format!("Removed {removed}.")),
    )
}

fn dmarc(context: &Context, name: Domain, choice: Choice) -> Result<Answer, Failure> {
    let choice = match choice {
        Choice::Reject => DmarcChoice::Reject,
        Choice::Junk => DmarcChoice::Junk,
        Choice::Mark => DmarcChoice::Mark,
    };
    let (domain, now) = (name.clone(), context.now());
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &domain)?;
            Ok::<_, Failure>(change.set_dmarc_choice(&domain, choice, now)?)
        })?;
    let value = json!({ "domain": name.to_string(), "dmarc": choice_word(choice) });
    let said = match choice {
        DmarcChoice::Reject => {
            "is treated as its author's domain wishes, and refused if that is the wish"
        }
        DmarcChoice::Junk => "goes into the junk folder",
        DmarcChoice::Mark => "is delivered, marked in its header",
    };
    Ok(Answer::new(value).line(format!("Mail to {name} that fails DMARC {said}.")))
}

pub(super) fn choice_word(choice: DmarcChoice) -> &'static str {
    match choice {
        DmarcChoice::Reject => "reject",
        DmarcChoice::Junk => "junk",
        DmarcChoice::Mark => "mark",
    }
}

pub(super) fn choice_of_word(word: &str) -> Option<DmarcChoice> {
    [DmarcChoice::Reject, DmarcChoice::Junk, DmarcChoice::Mark]
        .into_iter()
        .find(|choice| choice_word(*choice) == word)
}

fn mta_sts(context: &Context, name: Domain, mode: PolicyMode) -> Result<Answer, Failure> {
    let mode = match mode {
        PolicyMode::Testing => MtaStsMode::Testing,
        PolicyMode::Enforce => MtaStsMode::Enforce,
        PolicyMode::None => MtaStsMode::None,
    };
    let (domain, now) = (name.clone(), context.now());
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &domain)?;
            Ok::<_, Failure>(change.set_mta_sts_mode(&domain, mode, now)?)
        })?;
    let value = json!({ "domain": name.to_string(), "mta_sts": mode.name() });
    Ok(Answer::new(value)
        .line(format!("The MTA-STS policy of {name} says {}.", mode.name()))
        .remark(format!(
            "Its id has changed: publish the new record _mta-sts.{name}, see postroad dns show {name}"
        )))
}
