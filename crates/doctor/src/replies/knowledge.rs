//! The knowledge files, read and made ready. A newer file replaces the built-in one as a whole.

use std::collections::BTreeSet;

use super::class::Class;
use super::fault::BadKnowledge;
use super::matcher::Matcher;
use super::provider::{Form, Provider};
use super::rule::{ClassWords, ProvidersFile, RepliesFile, Rule};
use super::wait::Wait;

/// Rules, classes, reactions, providers and forms.
#[derive(Debug, Default)]
pub struct Knowledge {
    date: String,
    pub(super) rules: Vec<Rule>,
    pub(super) classes: Vec<ClassWords>,
    waits: Vec<Wait>,
    providers: Vec<Provider>,
    forms: Vec<Form>,
    pub(super) matcher: Matcher,
}

impl Knowledge {
    /// From the texts of `replies.toml` and `providers.toml`.
    pub fn parse(replies: &str, providers: &str) -> Result<Self, BadKnowledge> {
        let replies: RepliesFile = toml::from_str(replies)?;
        let providers: ProvidersFile = toml::from_str(providers)?;
        let matcher = Matcher::build(&replies.rule, &replies.marks.patterns)?;
        let knowledge = Self {
            date: replies.date.max(providers.date),
            rules: replies.rule,
            classes: replies.class,
            waits: replies.wait,
            providers: providers.group,
            forms: providers.form,
            matcher,
        };
        knowledge.check_names()?;
        Ok(knowledge)
    }

    /// Day of the newer of both files, `2026-11-21`.
    pub fn date(&self) -> &str {
        &self.date
    }

    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    pub fn rule_ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.id.as_str())
    }

    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// By MX host first: quotas and blocks belong to who answers. By recipient's domain when no host is known.
    pub fn provider_of(&self, host: &str, domain: &str) -> Option<&Provider> {
        let by_host = self
            .providers
            .iter()
            .find(|provider| provider.has_host(host));
        if by_host.is_some() || !host.is_empty() {
            return by_host;
        }
        self.providers
            .iter()
            .find(|provider| provider.has_domain(domain))
    }

    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == id)
    }

    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    pub fn wait(&self, id: &str) -> Option<&Wait> {
        self.waits.iter().find(|wait| wait.id == id)
    }

    pub(super) fn class(&self, class: Class) -> Option<&ClassWords> {
        self.classes.iter().find(|words| words.id == class)
    }

    fn check_names(&self) -> Result<(), BadKnowledge> {
        once("rule", self.rules.iter().map(|rule| &rule.id))?;
        once("wait", self.waits.iter().map(|wait| &wait.id))?;
        once("group", self.providers.iter().map(|group| &group.id))?;
        once("form", self.forms.iter().map(|form| &form.id))?;
        for class in Class::ALL {
            if self.class(class).is_none() {
                return Err(missing("class", class.as_str()));
            }
        }
        let waits = self.rules.iter().filter_map(|rule| rule.wait.as_deref());
        let waits = waits.chain(
            self.classes
                .iter()
                .filter_map(|class| class.wait.as_deref()),
        );
        for wait in waits {
            self.wait(wait).ok_or_else(|| missing("wait", wait))?;
        }
        let forms = self.rules.iter().filter_map(|rule| rule.form.as_ref());
        for form in forms.chain(self.providers.iter().flat_map(|group| &group.forms)) {
            self.form(form).ok_or_else(|| missing("form", form))?;
        }
        for group in self.rules.iter().flat_map(|rule| &rule.at) {
            self.provider(group)
                .ok_or_else(|| missing("group", group))?;
        }
        Ok(())
    }
}

fn missing(kind: &'static str, id: &str) -> BadKnowledge {
    BadKnowledge::Missing {
        kind,
        id: id.to_owned(),
    }
}

fn once<'a>(kind: &'static str, ids: impl Iterator<Item = &'a String>) -> Result<(), BadKnowledge> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(BadKnowledge::Twice {
                kind,
                id: id.clone(),
            });
        }
    }
    Ok(())
}
