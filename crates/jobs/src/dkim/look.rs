//! Looks for a key's record in the DNS and says whether receivers can use it.
//! It must carry our key byte for byte: one lost character, and every signature fails.

use std::net::IpAddr;

use store::{DkimKey, DkimRecord};
use world::{Answer, Dns, DnsError, Kind, Record, World};

use super::{limits, pair};

/// What a look found, in words for the operator where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub found: DkimRecord,
    pub words: String,
}

/// The name at which a key's record stands. RFC 6376 §3.6.2.1.
pub fn name(key: &DkimKey) -> String {
    format!("{}._domainkey.{}", key.selector, key.domain)
}

/// Asks the DNS. An error says that nobody knows now.
pub async fn look(dns: &dyn Dns, key: &DkimKey) -> Result<Look, DnsError> {
    let answer = dns.ask(&name(key), Kind::Txt).await?;
    Ok(judge(&answer, key))
}

/// Asks every name server of the key's zone itself, so that no cache and no server that lags hides that a record is
/// not everywhere yet. `None` where none can be asked: then what the resolver says must do.
pub async fn look_everywhere(world: &World, key: &DkimKey) -> Option<Look> {
    let mut found = None;
    for server in name_servers(&*world.dns, key.domain.as_str()).await {
        match world::ask_name_server(world, server, &name(key), Kind::Txt).await {
            Ok(answer) => {
                let look = judge(&answer, key);
                if look.found != DkimRecord::Right {
                    let words = format!("on the name server {server}: {}", look.words);
                    return Some(Look { words, ..look });
                }
                found = Some(look);
            }
            // It may be down, or this network lets nobody ask it.
            Err(error) => tracing::debug!(%server, %error, "a name server is not asked"),
        }
    }
    found
}

/// The addresses of the servers that are responsible for a name, up to a bound.
async fn name_servers(dns: &dyn Dns, domain: &str) -> Vec<IpAddr> {
    let mut zone = domain;
    loop {
        let hosts = match dns.ask(zone, Kind::Ns).await {
            Ok(answer) => answer.records,
            Err(_) => return Vec::new(),
        };
        if hosts.is_empty() {
            match zone.split_once('.') {
                Some((_, parent)) if parent.contains('.') => zone = parent,
                _ => return Vec::new(),
            }
            continue;
        }
        let mut servers = Vec::new();
        for host in &hosts {
            let Record::Ns(host) = host else { continue };
            for kind in [Kind::A, Kind::Aaaa] {
                if let Ok(answer) = dns.ask(host, kind).await {
                    servers.extend(answer.addresses());
                }
            }
        }
        servers.sort_unstable();
        servers.dedup();
        servers.truncate(limits::NAME_SERVERS_MAX);
        return servers;
    }
}

/// What an answer means for a key.
pub fn judge(answer: &Answer, key: &DkimKey) -> Look {
    let texts: Vec<Vec<u8>> = answer.texts().collect();
    let text = match texts.as_slice() {
        [] => {
            return Look {
                found: DkimRecord::Missing,
                words: "there is no TXT record".to_owned(),
            };
        }
        [text] => text,
        several => {
            // RFC 6376 §3.6.2.2: which one counts is anybody's guess.
            return wrong(format!(
                "there are {} TXT records instead of one",
                several.len()
            ));
        }
    };
    match fault(&String::from_utf8_lossy(text), key) {
        Some(words) => wrong(words),
        None => Look {
            found: DkimRecord::Right,
            words: String::new(),
        },
    }
}

/// Why receivers cannot use the record with our signatures. RFC 6376 §3.6.1.
fn fault(text: &str, key: &DkimKey) -> Option<String> {
    let Ok(ours) = pair::record(&key.private) else {
        return Some("our own key does not read".to_owned());
    };
    if tag(text, "v").is_some_and(|version| version != "DKIM1") {
        return Some("it does not begin with v=DKIM1".to_owned());
    }
    let kind = |record| tag(record, "k").unwrap_or_else(|| "rsa".to_owned());
    if kind(text) != kind(&ours) {
        return Some(format!(
            "it says k={} instead of k={}",
            kind(text),
            kind(&ours)
        ));
    }
    let lists = |name, wanted: &[&str]| {
        tag(text, name).is_none_or(|list| list.split(':').any(|item| wanted.contains(&item)))
    };
    if !lists("h", &["sha256"]) {
        return Some("its h= does not allow sha256".to_owned());
    }
    if !lists("s", &["*", "email"]) {
        return Some("its s= does not allow email".to_owned());
    }
    if tag(text, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y")) {
        return Some("its t=y tells receivers not to count on the signature".to_owned());
    }
    match tag(text, "p") {
        None => Some("it has no p=".to_owned()),
        Some(public) if public.is_empty() => {
            Some("its p= is empty, which revokes the key".to_owned())
        }
        found if found == tag(&ours, "p") => None,
        Some(public) => Some(format!(
            "its key is another one ({} instead of {} characters in p=)",
            public.len(),
            tag(&ours, "p").unwrap_or_default().len()
        )),
    }
}

/// The value of a tag without white space, which means nothing in any tag that we look at. RFC 6376 §3.2.
fn tag(record: &str, name: &str) -> Option<String> {
    record.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.split_ascii_whitespace().collect())
    })
}

fn wrong(words: String) -> Look {
    Look {
        found: DkimRecord::Wrong,
        words,
    }
}

#[cfg(test)]
mod tests;
