//! Finds the rule that fits a refusal. All expressions are compiled once and looked for in one pass.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::class::{Next, Subject};
use super::classified::{Classified, Evidence};
use super::fault::BadKnowledge;
use super::knowledge::Knowledge;
use super::limits::{CACHE_MAX, EXPRESSIONS_MAX};
use super::provider::Provider;
use super::refusal::Refusal;
use super::rule::Rule;
use super::wait::Scope;

/// Compiled expressions; entry n of `owners` says whose the n-th is.
#[derive(Debug, Default)]
pub struct Matcher {
    set: RegexSet,
    owners: Vec<Owner>,
    marks: Option<Regex>,
}

#[derive(Clone, Copy, Debug)]
struct Owner {
    rule: usize,
    is_tag: bool,
}

/// What the text told of one rule.
#[derive(Clone, Copy, Default)]
struct Heard {
    tag: bool,
    text: bool,
}

impl Matcher {
    pub fn build(rules: &[Rule], marks: &[String]) -> Result<Self, BadKnowledge> {
        let mut owners = Vec::new();
        let mut expressions = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            check(rule)?;
            for (list, is_tag) in [(&rule.tag, true), (&rule.text, false)] {
                if !list.is_empty() {
                    owners.push(Owner { rule: at, is_tag });
                    expressions.push(either(list));
                }
            }
        }
        let set = RegexSetBuilder::new(&expressions)
            .unicode(false)
            .size_limit(EXPRESSIONS_MAX)
            .dfa_size_limit(CACHE_MAX)
            .build()?;
        let marks = if marks.is_empty() {
            None
        } else {
            let one = RegexBuilder::new(&either(marks)).unicode(false).build()?;
            Some(one)
        };
        Ok(Self { set, owners, marks })
    }

    fn hear(&self, text: &str, rules: usize) -> Vec<Heard> {
        let mut heard = vec![Heard::default(); rules];
        for hit in self.set.matches(text.as_bytes()) {
            let Some(owner) = self.owners.get(hit) else {
                continue;
            };
            if let Some(entry) = heard.get_mut(owner.rule) {
                entry.tag |= owner.is_tag;
                entry.text |= !owner.is_tag;
            }
        }
        heard
    }

    fn tags(&self, text: &str) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for found in self
            .marks
            .iter()
            .flat_map(|marks| marks.find_iter(text.as_bytes()))
        {
            let tag = String::from_utf8_lossy(found.as_bytes());
            let tag = tag.trim_matches(['(', ')', '[', ']', '-', ' ']).to_owned();
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }
}

fn either(list: &[String]) -> String {
    let parts: Vec<String> = list.iter().map(|one| format!("(?:{one})")).collect();
    parts.join("|")
}

fn check(rule: &Rule) -> Result<(), BadKnowledge> {
    let fault = |what: &str| BadKnowledge::Rule {
        rule: rule.id.clone(),
        what: what.to_owned(),
    };
    let names_nothing = rule.tag.is_empty()
        && rule.text.is_empty()
        && rule.status.is_empty()
        && rule.code.is_empty();
    if names_nothing {
        return Err(fault("names nothing to be known by"));
    }
    if rule.only && rule.at.is_empty() {
        return Err(fault("`only` without `at`"));
    }
    if rule
        .code
        .iter()
        .any(|code| code.is_empty() || code.len() > 3)
    {
        return Err(fault("a code has one to three digits"));
    }
    Ok(())
}

impl Knowledge {
    /// What `refusal` means. Always answers; the less is known, the less `evidence` says.
    pub fn classify(&self, refusal: &Refusal) -> Classified<'_> {
        let text = refusal.normal();
        let provider = self.provider_of(&refusal.host, &refusal.domain);
        let heard = self.matcher.hear(&text, self.rules.len());
        let best = self
            .rules
            .iter()
            .zip(&heard)
            .filter_map(|(rule, heard)| Some((fits(rule, *heard, refusal, provider)?, rule)))
            // The first of equals, as the file orders them.
            .min_by_key(|(evidence, _)| *evidence);
        let tags = self.matcher.tags(&text);
        match best {
            Some((evidence, rule)) => self.answer(rule, evidence, refusal, provider, tags),
            None => self.unknown(refusal, provider, tags),
        }
    }

    fn answer<'k>(
        &'k self,
        rule: &'k Rule,
        evidence: Evidence,
        refusal: &Refusal,
        provider: Option<&'k Provider>,
        tags: Vec<String>,
    ) -> Classified<'k> {
        let class = self.class(rule.class);
        let subject = rule
            .subject
            .or(class.map(|class| class.subject))
            .unwrap_or(Subject::Message);
        let hold = class.is_some_and(|class| class.hold);
        let next = match rule.next {
            Some(Next::Hold) if refusal.is_temporary() => Next::Retry,
            Some(next) => next,
            None if refusal.is_temporary() => Next::Retry,
            None if hold => Next::Hold,
            None => Next::Bounce,
        };
        let wait = match next {
            Next::Bounce | Next::Ipv4 => None,
            Next::Retry | Next::Hold => {
                let named = rule
                    .wait
                    .as_deref()
                    .or(class.and_then(|class| class.wait.as_deref()));
                self.wait(named.unwrap_or("usual"))
            }
        };
        let from_class = |pick: fn(&super::rule::ClassWords) -> &str| class.map_or("", pick);
        Classified {
            class: rule.class,
            rule: &rule.id,
            evidence,
            group: provider.map(|provider| provider.id.as_str()),
            provider: name_of(provider, refusal),
            subject,
            next,
            wait,
            scope: Scope::from(subject),
            helps: rule
                .helps
                .or(class.map(|class| class.helps))
                .unwrap_or(super::class::Helps::Perhaps),
            means: rule
                .means
                .as_deref()
                .unwrap_or_else(|| from_class(|class| &class.means)),
            todo: rule
                .todo
                .as_deref()
                .unwrap_or_else(|| from_class(|class| &class.todo)),
            author: rule
                .author
                .as_deref()
                .unwrap_or_else(|| from_class(|class| &class.author)),
            form: rule.form.as_deref(),
            tags,
            addresses: refusal.addresses(),
        }
    }

    /// Nothing fits: no code, no known word.
    fn unknown<'k>(
        &'k self,
        refusal: &Refusal,
        provider: Option<&'k Provider>,
        tags: Vec<String>,
    ) -> Classified<'k> {
        let temporary = refusal.is_temporary();
        Classified {
            class: if temporary {
                super::class::Class::Theirs
            } else {
                super::class::Class::Policy
            },
            rule: "unknown",
            evidence: Evidence::Nothing,
            group: provider.map(|provider| provider.id.as_str()),
            provider: name_of(provider, refusal),
            subject: Subject::Message,
            next: if temporary { Next::Retry } else { Next::Bounce },
            wait: self.wait("usual").filter(|_| temporary),
            scope: Scope::Message,
            helps: super::class::Helps::Perhaps,
            means: "A reply that no rule knows.",
            todo: "Read the reply itself; if it comes often, a rule for it can be added to the knowledge file.",
            author: "The mail server of {recipient} did not accept your message.",
            form: None,
            tags,
            addresses: refusal.addresses(),
        }
    }
}

fn name_of(provider: Option<&Provider>, refusal: &Refusal) -> String {
    match provider {
        Some(provider) => provider.name.clone(),
        None if refusal.domain.is_empty() && refusal.host.is_empty() => {
            "the other server".to_owned()
        }
        None if refusal.domain.is_empty() => refusal.host.clone(),
        None => refusal.domain.clone(),
    }
}

/// Whether everything that the rule names fits, and how much that tells.
fn fits(
    rule: &Rule,
    heard: Heard,
    refusal: &Refusal,
    provider: Option<&Provider>,
) -> Option<Evidence> {
    let at_home = provider.is_some_and(|provider| rule.at.contains(&provider.id));
    let wrong_place = rule.only && !at_home;
    let wrong_text = (!rule.tag.is_empty() && !heard.tag) || (!rule.text.is_empty() && !heard.text);
    let wrong_phase = !rule.phase.is_empty() && !rule.phase.contains(&refusal.phase);
    if wrong_place || wrong_text || wrong_phase {
        return None;
    }
    if !rule.code.is_empty() {
        let code = refusal.code.map(|code| code.to_string());
        let code = code.or(refusal.enhanced.map(|status| status.class.to_string()))?;
        // Without three digits the enhanced code's first one must do, but not for rules on digits alone.
        let fitting = |wanted: &String| {
            code.starts_with(wanted.as_str()) || (!rule.basic && wanted.starts_with(&code))
        };
        rule.code.iter().any(fitting).then_some(())?;
    }
    if !rule.status.is_empty() {
        let status = refusal.enhanced?;
        let fitting = |pattern: &super::status::Pattern| pattern.fits(status);
        rule.status.iter().any(fitting).then_some(())?;
    }
    Some(if rule.basic {
        Evidence::Code
    } else if !rule.tag.is_empty() {
        Evidence::Tag
    } else if at_home || rule.sure {
        Evidence::Home
    } else if !rule.text.is_empty() {
        if rule.weak {
            Evidence::WeakText
        } else {
            Evidence::Text
        }
    } else if rule.weak {
        Evidence::WeakStatus
    } else {
        Evidence::Status
    })
}
