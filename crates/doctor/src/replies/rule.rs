//! Rules and class defaults as the knowledge file writes them.

use serde::Deserialize;

use super::class::{Class, Helps, Next, Subject};
use super::provider::{Form, Provider};
use super::refusal::Phase;
use super::status::Pattern;
use super::wait::Wait;

/// `replies.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepliesFile {
    pub date: String,
    pub wait: Vec<Wait>,
    pub class: Vec<ClassWords>,
    pub marks: Marks,
    pub rule: Vec<Rule>,
}

/// `providers.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvidersFile {
    pub date: String,
    pub group: Vec<Provider>,
    pub form: Vec<Form>,
}

/// Expressions that find a provider's own mark in a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    pub patterns: Vec<String>,
}

/// What holds for a class where a rule does not say otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassWords {
    pub id: Class,
    pub subject: Subject,
    /// A 5xx of this class is about our address, not the message.
    #[serde(default)]
    pub hold: bool,
    pub wait: Option<String>,
    pub helps: Helps,
    pub means: String,
    pub todo: String,
    pub author: String,
}

/// One rule. It fits when everything it names fits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    pub class: Class,
    #[serde(default)]
    pub at: Vec<String>,
    #[serde(default)]
    pub only: bool,
    #[serde(default)]
    pub code: Vec<String>,
    #[serde(default)]
    pub status: Vec<Pattern>,
    #[serde(default)]
    pub tag: Vec<String>,
    #[serde(default)]
    pub text: Vec<String>,
    #[serde(default)]
    pub phase: Vec<Phase>,
    /// An enhanced code that leaves no doubt goes before any general text.
    #[serde(default)]
    pub sure: bool,
    #[serde(default)]
    pub weak: bool,
    #[serde(default)]
    pub basic: bool,
    pub subject: Option<Subject>,
    pub next: Option<Next>,
    pub wait: Option<String>,
    pub helps: Option<Helps>,
    pub form: Option<String>,
    pub means: Option<String>,
    pub todo: Option<String>,
    pub author: Option<String>,
}
