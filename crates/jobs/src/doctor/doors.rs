//! The other ports, from outside: whether they can be reached, which certificate they show, and whether they let
//! people log in before TLS.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use doctor::checks::PortFacts;
use futures_util::future::join_all;
use world::{TlsClient, World};

use super::brief::{Door, Service};
use super::dialogue::{self, Dialogue, Fault};
use super::{Brief, shown};

/// What one door showed.
#[derive(Debug, Default)]
struct Seen {
    facts: PortFacts,
    /// The hash of the key in its certificate.
    key_hash: Option<[u8; 32]>,
}

#[derive(Debug, Default)]
pub(super) struct Doors {
    pub(super) ports: BTreeMap<u16, PortFacts>,
    /// Keys shown, by port.
    pub(super) keys: BTreeMap<u16, [u8; 32]>,
}

impl Doors {
    /// No login in the clear where mail is submitted; unknown where no such port was reached.
    pub(super) fn no_auth_before_tls(&self) -> Option<bool> {
        let clear = self.ports.get(&587)?.login_in_clear?;
        Some(!clear)
    }
}

/// Ports that people leave open and should not.
const NOT_FOR_THE_WORLD: [u16; 9] = [3306, 5432, 6379, 8080, 9090, 9100, 11_211, 11_334, 27_017];

pub(super) async fn look(world: &World, tls: &TlsClient, brief: &Brief) -> Doors {
    let mut doors = Doors::default();
    let wanted = brief.doors.iter().map(|door| one(world, tls, brief, *door));
    for (door, seen) in brief.doors.iter().zip(join_all(wanted).await) {
        let port = door.service.standard_port();
        if let Some(hash) = seen.key_hash {
            doors.keys.insert(port, hash);
        }
        doors.ports.insert(port, seen.facts);
    }
    // An open port is no fault of this machine when it is another machine's, behind the same router.
    let own: Vec<_> = brief
        .addresses
        .iter()
        .filter(|address| brief.own.contains(address))
        .collect();
    if let Some(address) = own.first() {
        let tried = NOT_FOR_THE_WORLD.iter().map(|port| {
            let at = SocketAddr::new(**address, *port);
            async move { dialogue::connect(world, at).await.is_ok() }
        });
        for (port, open) in NOT_FOR_THE_WORLD.iter().zip(join_all(tried).await) {
            let facts = PortFacts {
                reachable_v4: address.is_ipv4().then_some(open),
                reachable_v6: address.is_ipv6().then_some(open),
                ..PortFacts::default()
            };
            doors.ports.entry(*port).or_insert(facts);
        }
    }
    doors
}

async fn one(world: &World, tls: &TlsClient, brief: &Brief, door: Door) -> Seen {
    let mut seen = Seen::default();
    seen.facts.wanted = true;
    let mut talked = false;
    for address in &brief.addresses {
        let stream = dialogue::connect(world, SocketAddr::new(*address, door.port)).await;
        let reached = match &stream {
            Ok(_) => Some(true),
            // From inside we may not see what the world sees.
            Err(Fault::Here) => None,
            Err(_) if !brief.own.contains(address) => None,
            Err(_) => Some(false),
        };
        let of_family = match address.is_ipv4() {
            true => &mut seen.facts.reachable_v4,
            false => &mut seen.facts.reachable_v6,
        };
        // One address of a family that answers is enough.
        if *of_family != Some(true) {
            *of_family = reached.or(*of_family);
        }
        if let (Ok(stream), false) = (stream, talked) {
            talked = true;
            let mut talk = Dialogue::new(world, stream);
            if let Err(fault) = converse(&mut talk, tls, brief, door, &mut seen).await {
                tracing::debug!(port = door.port, ?fault, "a conversation with our own port");
            }
        }
    }
    seen
}

async fn converse(
    talk: &mut Dialogue<'_>,
    tls: &TlsClient,
    brief: &Brief,
    door: Door,
    seen: &mut Seen,
) -> Result<(), Fault> {
    if door.service.is_tls() {
        if let Ok(facts) = talk.start_tls(tls, &brief.host).await {
            let certificate = talk.certificate().and_then(|der| shown::read(der, &facts));
            seen.key_hash = certificate.map(|certificate| certificate.key_hash);
        }
        return Ok(());
    }
    match door.service {
        Service::Imap => {
            talk.line().await?;
            talk.send(b"a CAPABILITY\r\n").await?;
            let capabilities = talk.line().await?.to_ascii_uppercase();
            talk.send(b"b LOGOUT\r\n").await?;
            let offers = capabilities.contains("AUTH=PLAIN")
                || (capabilities.contains("IMAP4REV1") && !capabilities.contains("LOGINDISABLED"));
            seen.facts.login_in_clear = Some(offers);
        }
        Service::Pop3 => {
            talk.line().await?;
            talk.send(b"CAPA\r\n").await?;
            let mut offers = false;
            if talk.line().await?.starts_with("+OK") {
                for _ in 0..super::limits::LINES_MAX {
                    let line = talk.line().await?.to_ascii_uppercase();
                    if line == "." {
                        break;
                    }
                    offers |=
                        line == "USER" || (line.starts_with("SASL") && line.contains("PLAIN"));
                }
            }
            talk.send(b"QUIT\r\n").await?;
            seen.facts.login_in_clear = Some(offers);
        }
        Service::Submission => {
            talk.reply().await?;
            let hello = talk.say(&format!("EHLO {}", brief.host)).await?;
            let _ = talk.say("QUIT").await;
            seen.facts.login_in_clear = Some(hello.offers("AUTH"));
        }
        _ => {}
    }
    Ok(())
}
