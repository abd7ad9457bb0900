//! Providers by MX group, and the forms by which their postmasters are asked, with the words filled in.

use serde::{Deserialize, Serialize};

/// Who answers for a set of MX hosts. Pauses, quotas and incidents are kept by group.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub mx: Vec<String>,
    pub domains: Vec<String>,
    pub postmaster: Option<String>,
    #[serde(default)]
    pub forms: Vec<String>,
    /// Filters for others: the domain behind it is somebody else's.
    #[serde(default)]
    pub gateway: bool,
    /// What it is known to bear.
    pub connections: Option<u16>,
    pub per_connection: Option<u16>,
    /// It demands TLS in practice.
    #[serde(default)]
    pub tls: bool,
    /// It refuses recipients of several domains in one transaction.
    #[serde(default)]
    pub one_domain: bool,
}

impl Provider {
    pub(super) fn has_host(&self, host: &str) -> bool {
        !host.is_empty() && self.mx.iter().any(|suffix| is_under(host, suffix))
    }

    pub(super) fn has_domain(&self, domain: &str) -> bool {
        !domain.is_empty() && self.domains.iter().any(|name| name == domain)
    }
}

fn is_under(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix)
        .is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// A form, or a mail address, where a provider is asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    pub id: String,
    pub name: String,
    pub url: Option<String>,
    pub mail: Option<String>,
    /// What it asks for.
    pub asks: Vec<String>,
    /// How long an answer takes.
    pub answer: String,
    pub note: Option<String>,
    pub words: String,
}

/// What fills a form in. All as text that a person would write.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// The address we sent from.
    pub ip: String,
    /// Our host name.
    pub hostname: String,
    /// The sender's domain.
    pub domain: String,
    /// Since when, with time zone.
    pub when: String,
    /// The operator's name and an address that is not on this server.
    pub contact: String,
    pub recipient: String,
}

/// A form ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filled {
    pub name: String,
    pub url: Option<String>,
    pub mail: Option<String>,
    pub asks: Vec<String>,
    pub answer: String,
    pub note: Option<String>,
    pub words: String,
}

impl Form {
    /// `reply` and `tag` come from the refusal. What is unknown stands in brackets for the operator.
    pub fn fill(&self, case: &Case, reply: &str, tag: &str) -> Filled {
        let values = [
            ("ip", case.ip.as_str()),
            ("hostname", &case.hostname),
            ("domain", &case.domain),
            ("reply", reply),
            ("tag", tag),
            ("when", &case.when),
            ("contact", &case.contact),
            ("recipient", &case.recipient),
        ];
        Filled {
            name: self.name.clone(),
            url: self.url.as_deref().map(|text| fill(text, &values)),
            mail: self.mail.clone(),
            asks: self.asks.clone(),
            answer: self.answer.clone(),
            note: self.note.as_deref().map(|text| fill(text, &values)),
            words: fill(&self.words, &values),
        }
    }
}

/// Replaces `{name}` once, from left to right: what is filled in is not looked at again.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        text.push_str(before);
        let end = from.find('}').unwrap_or(from.len());
        let name = from.get(1..end).unwrap_or_default();
        match values.iter().find(|(known, _)| *known == name) {
            Some((name, "")) => {
                text.push('[');
                text.push_str(name);
                text.push(']');
            }
            Some((_, value)) => text.push_str(value),
            None => text.push_str(from.get(..end + 1).unwrap_or(from)),
        }
        rest = from.get(end + 1..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}
