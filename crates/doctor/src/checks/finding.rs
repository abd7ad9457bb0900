//! What a check says: finding, remedy, and the description of the check itself.

use serde::Serialize;

use super::facts::Facts;
use crate::records::Kind;

/// Chapter of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    Dns,
    Address,
    Ports,
    Tls,
    Smtp,
    Authentication,
    Reputation,
    Content,
    Clients,
    Health,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Mail is, or will be, refused or lost.
    Error,
    /// Likely harm.
    Warning,
    /// Could be better.
    Improvement,
}

impl Severity {
    /// Points taken from 100.
    pub fn points(self) -> u32 {
        match self {
            Self::Error => 15,
            Self::Warning => 5,
            Self::Improvement => 1,
        }
    }
}

/// The question behind it: one number for all would mislead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Light {
    /// Can we send?
    Send,
    /// Are we trusted?
    Trusted,
    /// Can we receive?
    Receive,
    /// Is the server itself well, and do its users get on?
    Running,
}

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// This program or its operator on this machine.
    Server,
    /// Whoever edits the DNS zone.
    Dns,
    Hoster,
    Registrar,
    /// The provider that receives.
    Receiver,
    /// Whoever writes the mail.
    User,
}

/// A check: its id stays the same for ever.
pub struct Check {
    pub id: &'static str,
    pub group: Group,
    /// The usual one; a finding may be milder or harder by degree.
    pub severity: Severity,
    pub light: Light,
    pub who: Who,
    /// What is looked at, in a few words.
    pub title: &'static str,
    /// Why it matters, in one sentence.
    pub why: &'static str,
    pub(super) run: fn(&Facts, &mut Found),
}

/// A step that a program could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// These values, and no others, at this name.
    Publish {
        name: String,
        kind: Kind,
        values: Vec<String>,
    },
    /// Nothing at this name.
    Remove { name: String, kind: Kind },
    /// A command of this program.
    Run { command: String },
}

/// The remedy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What to do; with the records or commands to paste.
    pub text: String,
    /// The same for machines, where a machine can do it.
    pub changes: Vec<Change>,
}

impl Fix {
    /// Words only.
    pub fn say(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            changes: Vec::new(),
        }
    }

    /// Records to have at one name.
    pub fn publish(say: &str, name: &str, kind: Kind, values: &[String]) -> Self {
        let mut text = say.to_owned();
        for value in values {
            text.push_str(&format!("\n{name}. 3600 IN {kind} {}", quoted(kind, value)));
        }
        Self {
            text,
            changes: vec![Change::Publish {
                name: name.to_owned(),
                kind,
                values: values.to_vec(),
            }],
        }
    }

    /// Records that must go.
    pub fn remove(say: &str, name: &str, kind: Kind) -> Self {
        Self {
            text: format!("{say}\nRemove: {name}. {kind}"),
            changes: vec![Change::Remove {
                name: name.to_owned(),
                kind,
            }],
        }
    }

    /// A command of this program.
    pub fn run(say: &str, command: impl Into<String>) -> Self {
        let command = command.into();
        Self {
            text: format!("{say}\n{command}"),
            changes: vec![Change::Run { command }],
        }
    }
}

fn quoted(kind: Kind, value: &str) -> String {
    if kind == Kind::Txt {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        value.to_owned()
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub id: &'static str,
    pub group: Group,
    pub severity: Severity,
    pub light: Light,
    /// Domain, address, port, account: whatever it is about.
    pub about: String,
    /// What was observed.
    pub seen: String,
    pub why: &'static str,
    pub fix: Fix,
    pub who: Who,
    /// Points it takes.
    pub cost: u32,
}

/// Collects the findings of one examination.
#[derive(Default)]
pub struct Found {
    current: Option<&'static Check>,
    findings: Vec<Finding>,
}

impl Found {
    pub(super) fn start(&mut self, check: &'static Check) {
        self.current = Some(check);
    }

    /// A finding of the running check with its usual severity.
    pub(super) fn add(&mut self, about: impl Into<String>, seen: impl Into<String>, fix: Fix) {
        if let Some(check) = self.current {
            self.add_as(check.severity, about, seen, fix);
        }
    }

    pub(super) fn add_as(
        &mut self,
        severity: Severity,
        about: impl Into<String>,
        seen: impl Into<String>,
        fix: Fix,
    ) {
        let Some(check) = self.current else {
            return;
        };
        self.findings.push(Finding {
            id: check.id,
            group: check.group,
            severity,
            light: check.light,
            about: about.into(),
            seen: seen.into(),
            why: check.why,
            fix,
            who: check.who,
            cost: severity.points(),
        });
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}
