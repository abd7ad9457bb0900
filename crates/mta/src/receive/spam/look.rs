//! What a message itself shows, for all its recipients once: the model's opinion, what rules find, the features that
//! learning counts, and the domains to look up in lists. Computing only.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use mail::{Address, header, thread};
use spam::sight::Part;
use spam::{Envelope, Features, Finding, Model, Sight, brands, domains, origin};

use crate::limits;

/// How it came, owned: large messages are looked at elsewhere.
pub(super) struct Circumstances {
    pub(super) peer: IpAddr,
    pub(super) hello: String,
    /// Empty: it was looked for, and there is none.
    pub(super) reverse_name: Option<String>,
    pub(super) from: Option<Address>,
    pub(super) recipients: Vec<Address>,
    pub(super) own_domains: std::sync::Arc<Vec<String>>,
    pub(super) own_hosts: Vec<String>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// The model's log-odds.
    pub(super) base: f32,
    pub(super) findings: Vec<Finding>,
    /// For what was taught.
    pub(super) learning: Vec<u64>,
    /// The author, if there is a single one.
    pub(super) author: Option<Address>,
    /// Message-IDs of what it answers.
    pub(super) answered: Vec<String>,
    /// Registrable domains that links lead to, without the author's own.
    pub(super) link_domains: Vec<String>,
    /// It holds mail of others, or a report about some.
    pub(super) shows_mail: bool,
}

pub(super) fn look(message: &Bytes, sight: Option<Arc<Sight>>, how: &Circumstances) -> Looked {
    let sight = sight.unwrap_or_else(|| Arc::new(Sight::of(message)));
    let features = Features::of(&sight);
    let envelope = Envelope {
        peer: Some(how.peer),
        hello: &how.hello,
        reverse_name: how.reverse_name.as_deref(),
        from: how.from.as_ref(),
        recipients: &how.recipients,
        own_domains: &how.own_domains,
        own_hosts: &how.own_hosts,
    };
    let author = origin::author(message).and_then(|author| Address::parse(&author).ok());
    Looked {
        base: Model::built_in().log_odds(&features),
        findings: spam::rules(&sight, &envelope),
        learning: features.for_learning(),
        link_domains: link_domains(&sight, author.as_ref()),
        shows_mail: sight.parts.iter().any(shows_mail),
        author,
        answered: answered(message),
    }
}

fn shows_mail(part: &Part) -> bool {
    let media_type = part.media_type.as_str();
    media_type.starts_with("message/")
        || matches!(media_type, "multipart/report" | "text/rfc822-headers")
}

/// The newest first: what is answered comes last in References.
fn answered(message: &[u8]) -> Vec<String> {
    let mut ids = ids_in(message, "In-Reply-To");
    let references = ids_in(message, "References").into_iter().rev();
    ids.extend(references.take(limits::ANSWERED_LOOKED_UP_MAX));
    ids.dedup();
    ids.truncate(limits::ANSWERED_LOOKED_UP_MAX);
    ids
}

/// The message ids that stand in the first field of this name, without brackets.
pub(crate) fn ids_in(message: &[u8], field: &str) -> Vec<String> {
    header::first(message, field).map_or_else(Vec::new, thread::message_ids)
}

/// Known brands' own domains are left out. Of many the first and the last ones are taken: harmless links in front, or behind,
/// hide none.
pub(crate) fn link_domains(sight: &Sight, author: Option<&Address>) -> Vec<String> {
    let own = author.map(|author| domains::registrable(author.domain().as_str()).to_owned());
    let mut found: Vec<String> = Vec::new();
    for link in &sight.links {
        let host = spam::rules::browsed_host(link);
        let domain = domains::registrable(&host);
        let is_name = domain.contains('.') && host.parse::<IpAddr>().is_err();
        let is_told = own.as_deref() == Some(domain) || found.iter().any(|known| known == domain);
        if is_name && !is_told && brands::of_host(&host).owner().is_none() {
            found.push(domain.to_owned());
        }
    }
    let half = limits::LINK_DOMAINS_LOOKED_UP_MAX / 2;
    if limits::LINK_DOMAINS_LOOKED_UP_MAX < found.len() {
        found.drain(half..found.len() - half);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_domains_of_links_are_looked_up() {
        let links = |targets: &[String]| {
            let links: String = targets
                .iter()
                .map(|target| format!("<a href=\"{target}\">see</a>\n"))
                .collect();
            let message =
                format!("From: <a@own.example>\r\nContent-Type: text/html\r\n\r\n{links}");
            let author = Address::parse("a@own.example").unwrap();
            link_domains(&Sight::of(message.as_bytes()), Some(&author))
        };
        let one = |target: &str| links(&[target.to_owned()]);
        assert_eq!(one("https://www.evil.example/x"), ["evil.example"]);
        assert_eq!(
            one("http:/evil.example/?://www.paypal.com/"),
            ["evil.example"]
        );
        assert_eq!(one("http:\\\\evil.example\\x"), ["evil.example"]);
        assert!(one("https://news.own.example/x").is_empty());
        assert!(one("https://www.paypal.com/signin").is_empty());
        assert!(one("http://192.0.2.1/x").is_empty());
        let many: Vec<String> = (0..20).map(|n| format!("http://h{n}.example/")).collect();
        let first_and_last = [0, 1, 2, 3, 16, 17, 18, 19].map(|n| format!("h{n}.example"));
        assert_eq!(links(&many), first_and_last);
    }
}
