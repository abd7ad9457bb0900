//! What this installation chose that decides over mail: each local domain's choice, and whom the
//! operator trusts. Read from the store, also through a running server; without either the defaults.

use mail::{Domain, UnixMillis};
use mta::WouldDo;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{DmarcChoice, Trust, TrustKind};

use crate::commands::{self, Context, find};
use crate::local;
use crate::output::{Answer, Failure};
use crate::place::Place;

/// Asks for the rules of one local domain, or of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    domain: Option<String>,
}

/// As they cross the admin socket.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Wire {
    choices: Vec<(String, String)>,
    /// Domain, whether as a list, whether trusted.
    trust: Vec<(String, bool, bool)>,
}

/// The rules in force.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// For which domains, and their choice; no domain stands for what a new one has.
    choices: Vec<(Option<String>, DmarcChoice)>,
    trust: Vec<Trust>,
    /// Why they are not those of an installation.
    pub remark: Option<String>,
}

/// What would become of a message to these domains.
pub(super) struct Fate {
    pub domains: Vec<String>,
    pub would: WouldDo,
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let wanted = match &request.domain {
        Some(name) => Some(find::parse_domain(name)?),
        None => None,
    };
    let wire = context.store.read_blocking(move |view| {
        let domains = match wanted.clone() {
            Some(domain) => {
                find::domain(view, &domain)?;
                vec![domain]
            }
            None => view
                .domains()?
                .into_iter()
                .map(|domain| domain.name)
                .collect(),
        };
        let mut wire = Wire::default();
        for domain in domains {
            let choice = commands::domain::choice_word(view.dmarc_choice(&domain)?);
            wire.choices.push((domain.to_string(), choice.to_owned()));
        }
        wire.trust = view
            .trust()?
            .into_iter()
            .map(|one| {
                let list = one.kind == TrustKind::MailingList;
                (one.domain.to_string(), list, one.trusted)
            })
            .collect();
        Ok::<_, Failure>(wire)
    })?;
    Ok(Answer::new(json!(wire)))
}

impl Rules {
    /// Those of the installation, if there is one; `domain` must be one of its own then.
    pub fn find(place: &Place, installed: bool, domain: Option<&str>) -> Result<Self, Failure> {
        if !installed {
            return Ok(Self::built_in(
                "There is no Postroad in the data directory, so this is what a new one would do.",
            ));
        }
        let request = Request {
            domain: domain.map(str::to_owned),
        };
        match local::run(place, commands::Request::AuthRules(request)) {
            Ok(answer) => Self::read(answer.value),
            Err(failure) if domain.is_some() => Err(failure),
            Err(failure) => Ok(Self::built_in(&format!(
                "The store could not be asked ({failure}), so this is what a new installation would do."
            ))),
        }
    }

    pub fn built_in(remark: &str) -> Self {
        Self {
            choices: vec![(None, DmarcChoice::default())],
            trust: Vec::new(),
            remark: Some(remark.to_owned()),
        }
    }

    fn read(value: serde_json::Value) -> Result<Self, Failure> {
        let bad = || Failure::failed("the server answered with rules that cannot be read");
        let wire: Wire = serde_json::from_value(value).map_err(|_| bad())?;
        if wire.choices.is_empty() {
            return Ok(Self::built_in(
                "There are no domains here yet, so this is what a new one has.",
            ));
        }
        let mut rules = Self {
            choices: Vec::new(),
            trust: Vec::new(),
            remark: None,
        };
        for (domain, word) in wire.choices {
            let choice = commands::domain::choice_of_word(&word).ok_or_else(bad)?;
            rules.choices.push((Some(domain), choice));
        }
        for (domain, list, trusted) in wire.trust {
            rules.trust.push(Trust {
                kind: match list {
                    true => TrustKind::MailingList,
                    false => TrustKind::ArcSealer,
                },
                domain: Domain::parse(&domain).map_err(|_| bad())?,
                trusted,
                changed: UnixMillis(0),
            });
        }
        Ok(rules)
    }

    /// What would be done, domains with the same fate together.
    pub fn apply(&self, verdict: &mailauth::verdict::Verdict, message: &[u8]) -> Vec<Fate> {
        let mut fates: Vec<Fate> = Vec::new();
        for (domain, choice) in &self.choices {
            let would = mta::would_do(verdict, message, *choice, &self.trust);
            match fates.iter_mut().find(|fate| fate.would == would) {
                Some(fate) => fate.domains.extend(domain.clone()),
                None => fates.push(Fate {
                    domains: domain.iter().cloned().collect(),
                    would,
                }),
            }
        }
        fates
    }
}
