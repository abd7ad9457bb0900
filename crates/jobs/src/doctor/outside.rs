//! Whether our mail gets out at all, and whether the big providers' servers take our connection: greeting, EHLO, QUIT.

use std::net::{IpAddr, SocketAddr};

use doctor::checks::{AddressFacts, ProviderFacts};
use futures_util::future::join_all;
use world::{AnswerStatus, Kind, Record, World};

use super::dialogue::{self, Dialogue, Fault};
use super::{Brief, limits};

/// Whose greeting tells: a domain and a name that people know.
const PROVIDERS: [(&str, &str); 5] = [
    ("gmail.com", "Gmail"),
    ("gmx.net", "GMX"),
    ("icloud.com", "Apple"),
    ("t-online.de", "T-Online (Telekom)"),
    ("yahoo.com", "Yahoo"),
];

#[derive(Debug, Default)]
pub(super) struct Outside {
    pub(super) addresses: Vec<AddressFacts>,
    pub(super) providers: Vec<ProviderFacts>,
}

/// What became of one attempt.
struct Tried {
    connected: Result<(), Fault>,
    /// Code and lines of the greeting.
    greeting: Option<(u16, String)>,
    seen_as: Option<IpAddr>,
}

pub(super) async fn look(world: &World, brief: &Brief) -> Outside {
    let tried = join_all(PROVIDERS.map(|(domain, _)| async move {
        let at = first_mx(world, domain).await?;
        Some(greet(world, brief, SocketAddr::new(at, brief.mx_port)).await)
    }))
    .await;
    let mut outside = Outside::default();
    for ((_, name), tried) in PROVIDERS.iter().zip(&tried) {
        let Some((code, _)) = tried.as_ref().and_then(|tried| tried.greeting.as_ref()) else {
            continue;
        };
        outside.providers.push(ProviderFacts {
            name: (*name).to_owned(),
            takes_connection: match code {
                200..300 => Some(true),
                500..600 => Some(false),
                _ => None,
            },
            ..ProviderFacts::default()
        });
    }
    let all: Vec<&Tried> = tried.iter().flatten().collect();
    let reached = all.iter().any(|tried| tried.connected.is_ok());
    let shut = all
        .iter()
        .filter(|tried| matches!(tried.connected, Err(Fault::Silent | Fault::Refused)))
        .count();
    for address in &brief.addresses {
        let mut facts = AddressFacts::new(*address);
        // These servers were asked over IPv4.
        if address.is_ipv4() {
            facts.port25_out = match (reached, shut) {
                (true, _) => Some(true),
                // Two big ones at once are not down.
                (false, 2..) => Some(false),
                _ => None,
            };
            let greetings = || all.iter().filter_map(|tried| tried.greeting.as_ref());
            if greetings().next().is_some() {
                // Boxes that rewrite mail traffic put asterisks over what they take away.
                facts.smtp_untouched = Some(!greetings().any(|(_, text)| text.contains("****")));
            }
            facts.seen_outside = all.iter().find_map(|tried| tried.seen_as);
        }
        outside.addresses.push(facts);
    }
    outside
}

async fn first_mx(world: &World, domain: &str) -> Option<IpAddr> {
    let answer = world.dns.ask(domain, Kind::Mx).await.ok()?;
    let mut hosts: Vec<(u16, String)> = answer
        .records
        .into_iter()
        .filter_map(|record| match record {
            Record::Mx {
                preference,
                exchange,
            } => Some((preference, exchange)),
            _ => None,
        })
        .collect();
    hosts.sort();
    let (_, host) = hosts.into_iter().next()?;
    let answer = world.dns.ask(&host, Kind::A).await.ok()?;
    if answer.status != AnswerStatus::Found {
        return None;
    }
    answer.addresses().next()
}

async fn greet(world: &World, brief: &Brief, at: SocketAddr) -> Tried {
    let mut tried = Tried {
        connected: Ok(()),
        greeting: None,
        seen_as: None,
    };
    let stream = match dialogue::connect(world, at).await {
        Ok(stream) => stream,
        Err(fault) => {
            tried.connected = Err(fault);
            return tried;
        }
    };
    let mut talk = Dialogue::new(world, stream);
    let deadline = world.now() + limits::TALK_PATIENCE;
    let talking = async {
        let greeting = talk.reply().await?;
        tried.greeting = Some((greeting.code, greeting.lines.join(" ")));
        if greeting.is_yes() {
            let hello = talk.say(&format!("EHLO {}", brief.host)).await?;
            tried.seen_as = hello.lines.first().and_then(|line| our_address(line));
        }
        talk.say("QUIT").await
    };
    let _ = world.tasks.deadline(deadline, talking).await;
    tried
}

/// `mx.google.com at your service, [192.0.2.1]`
fn our_address(line: &str) -> Option<IpAddr> {
    let (_, rest) = line.split_once('[')?;
    let (address, _) = rest.split_once(']')?;
    let address: IpAddr = address.parse().ok()?;
    address.is_ipv4().then_some(address)
}
