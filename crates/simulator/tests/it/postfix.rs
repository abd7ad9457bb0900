//! Postfix's queue by its documented rules, for comparison in `month.rs`: a 5xx bounces at once, what is put
//! off is tried again with growing gaps for five days (qmgr(8), smtp(8), postconf(5), defaults of 3.9).
//! Not Postfix itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mailauth::dkim::{Algorithm, SigningKey, public_record, sign};
use simulator::{Internet, days};
use world::{Kind, Record, TlsClient, World};

use crate::ANN;
use crate::authors::{key, seconds};
use crate::month::{Month, OURS};

const NAME: &str = "mx.here.test";

/// `queue_run_delay`.
const RUN: Duration = Duration::from_secs(300);
/// `minimal_backoff_time`, `maximal_backoff_time`.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(4000));
/// `maximal_queue_lifetime`.
const LIFETIME: Duration = days(5);
/// `smtp_mx_session_limit`.
const SESSIONS: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Taken,
    /// It goes back to its sender.
    Bounced(String),
    Deferred(String),
}

/// What smtp(8) does with one message.
pub struct Client {
    world: World,
    tls: TlsClient,
    name: String,
    ip: IpAddr,
    port: u16,
}

impl Client {
    pub fn new(internet: &Internet, name: &str, ip: IpAddr) -> Self {
        Self {
            world: internet.world(name, vec![ip]),
            tls: internet.tls_client(),
            name: name.to_owned(),
            ip,
            port: internet.mx_port(),
        }
    }

    pub async fn send(&self, from: &str, to: &str, message: &str) -> Outcome {
        let domain = to.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mut last = Outcome::Deferred("no host".to_owned());
        for host in self.hosts(domain).await.into_iter().take(SESSIONS) {
            last = self.try_host(&host, from, to, message).await;
            // What is put off by one host is tried at the next.
            if !matches!(last, Outcome::Deferred(_)) {
                return last;
            }
        }
        last
    }

    async fn hosts(&self, domain: &str) -> Vec<String> {
        let answer = self.world.dns.ask(domain, Kind::Mx).await;
        let mut hosts: Vec<_> = answer
            .map(|answer| answer.records)
            .unwrap_or_default()
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
        hosts.into_iter().map(|(_, name)| name).collect()
    }

    async fn try_host(&self, host: &str, from: &str, to: &str, message: &str) -> Outcome {
        let later = |why: &str| Outcome::Deferred(why.to_owned());
        let answer = self.world.dns.ask(host, Kind::A).await;
        let Some(Record::A(address)) = answer.ok().and_then(|it| it.records.into_iter().next())
        else {
            return later("no address");
        };
        let at = SocketAddr::new(address.into(), self.port);
        let Ok(stream) = self.world.net.connect(Some(self.ip), at).await else {
            return later("no connection");
        };
        let mut client = simulator::Client::new(stream);
        match client.reply().await {
            Ok(greeting) if greeting.is_good() => {}
            // smtp_skip_5xx_greeting = yes: the next host, and later again.
            Ok(greeting) => return Outcome::Deferred(greeting.text),
            Err(_) => return later("no greeting"),
        }
        let hello = format!("EHLO {}", self.name);
        let offers = client.say(&hello).await;
        // smtp_tls_security_level = may.
        if offers.is_ok_and(|offers| offers.offers("STARTTLS")) {
            if client.start_tls(&self.tls, host).await.is_err() {
                return later("no TLS");
            }
            let _ = client.say(&hello).await;
        }
        let outcome = match client.transact(from, &[to], message).await {
            Ok(reply) if reply.is_good() => Outcome::Taken,
            Ok(reply) if reply.code < 500 => Outcome::Deferred(reply.text),
            Ok(reply) => Outcome::Bounced(reply.text),
            Err(_) => later("the line was cut"),
        };
        let _ = client.say("QUIT").await;
        outcome
    }
}

struct Waiting {
    number: usize,
    arrived: Duration,
    due: Duration,
    message: String,
}

/// The month's mail from a Postfix at our address, with OpenDKIM. Numbers of the messages that went back to
/// their senders, and when.
pub async fn run(month: &Month, until: Duration) -> BTreeMap<usize, Duration> {
    publish(&month.internet);
    let client = Client::new(&month.internet, NAME, OURS.parse().expect("an address"));
    let mut bounced = BTreeMap::new();
    let mut queue: Vec<Waiting> = Vec::new();
    let mut letters = month.letters.iter().peekable();
    loop {
        let due = queue.iter().map(|waiting| waiting.due).min();
        // Scans of the deferred queue come at their own pace.
        let scan = due.map(|due| RUN * (due.as_secs().div_ceil(RUN.as_secs()) as u32));
        let arrival = letters.peek().map(|letter| letter.at);
        let Some(next) = [scan, arrival].into_iter().flatten().min() else {
            month.pass_until(until).await;
            return bounced;
        };
        month.pass_until(next).await;
        let now = month.internet.elapsed();
        let mut ready: Vec<Waiting> = Vec::new();
        if scan.is_some_and(|scan| scan <= now) {
            let (due, rest) = queue.into_iter().partition(|waiting| waiting.due <= now);
            (ready, queue) = (due, rest);
        }
        if let Some(letter) = letters.next_if(|letter| letter.at <= now) {
            ready.push(Waiting {
                number: letter.number,
                arrived: now,
                due: now,
                message: signed(&month.internet, letter.number, &letter.text()),
            });
        }
        for mut waiting in ready {
            let to = &month.letters[waiting.number].to;
            let outcome = client.send(ANN, to, &waiting.message).await;
            let now = month.internet.elapsed();
            let age = now.saturating_sub(waiting.arrived);
            match outcome {
                Outcome::Taken => {}
                Outcome::Deferred(_) if age < LIFETIME => {
                    waiting.due = now + age.clamp(BACKOFF.0, BACKOFF.1);
                    queue.push(waiting);
                }
                Outcome::Bounced(_) | Outcome::Deferred(_) => {
                    bounced.insert(waiting.number, now);
                }
            }
        }
    }
}

fn publish(internet: &Internet) {
    let ip: IpAddr = OURS.parse().expect("an address");
    internet.zones().host(NAME, ip);
    let spf = format!("v=spf1 ip4:{OURS} -all");
    internet.domain("here.test").mx(NAME).txt(&spf);
    let record = public_record(key(Algorithm::RsaSha256)).expect("a key");
    internet.domain("r1._domainkey.here.test").txt(&record);
    internet
        .domain("_dmarc.here.test")
        .txt("v=DMARC1; p=quarantine");
}

fn signed(internet: &Internet, number: usize, text: &str) -> String {
    let message = format!(
        "From: <{ANN}>\r\nDate: Mon, 2 Mar 2026 09:00:00 +0000\r\nMessage-ID: <{number}@here.test>\r\n{text}"
    );
    let key = SigningKey::from_pkcs8("here.test", "r1", key(Algorithm::RsaSha256)).expect("a key");
    let fields = sign(message.as_bytes(), &[&key], seconds(internet)).expect("it can be signed");
    format!("{}{message}", String::from_utf8_lossy(&fields))
}
