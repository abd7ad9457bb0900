//! The answer: what a refusal means and what to do. Borrows its words from the knowledge.

use std::net::IpAddr;

use serde::Serialize;

use super::class::{Class, Helps, Next, Subject};
use super::wait::{Scope, Wait};

/// What the class was read from, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The provider's own mark of the case.
    Tag,
    /// A text of this very provider.
    Home,
    /// A text that servers in general use.
    Text,
    /// An enhanced code.
    Status,
    /// A text said for many reasons.
    WeakText,
    /// An enhanced code that says little.
    WeakStatus,
    /// The three digits alone.
    Code,
    /// Nothing: a reply to be shown and taught.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Classified<'k> {
    pub class: Class,
    /// Rule of the knowledge file that said so; stable, for the store and for incidents.
    pub rule: &'k str,
    pub evidence: Evidence,
    /// MX group; none for servers that no list names.
    pub group: Option<&'k str>,
    /// Name of the provider, or the host or domain when no list names it.
    pub provider: String,
    pub subject: Subject,
    pub next: Next,
    /// What to keep still, and how.
    pub wait: Option<&'k Wait>,
    pub scope: Scope,
    pub helps: Helps,
    /// What it means, in a sentence.
    pub means: &'k str,
    /// What the operator can do.
    pub todo: &'k str,
    /// Words for the author, with `{provider}` and `{recipient}`.
    pub author: &'k str,
    /// Form to ask by.
    pub form: Option<&'k str>,
    /// Marks the provider put into the text, as they stand there in lower case.
    pub tags: Vec<String>,
    /// Addresses that the text names.
    pub addresses: Vec<IpAddr>,
}

impl Classified<'_> {
    /// Keeps one incident per provider and cause: two refusals with the same key belong together.
    pub fn incident_key(&self) -> String {
        format!("{}/{}/{}", self.provider, self.class.as_str(), self.rule)
    }

    /// Whether the destination as a whole should pause.
    pub fn pauses_destination(&self) -> bool {
        self.scope == Scope::Provider && self.wait.is_some_and(|wait| wait.pause > 0)
    }
}
