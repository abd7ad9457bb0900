//! Port 25 as a stranger meets it: greeting, TLS, recipients, and the tricks by which strangers get their mail relayed.
//! Nothing is ever sent: no conversation goes as far as DATA.

use std::net::{IpAddr, SocketAddr};

use doctor::checks::{Certificate, SmtpFacts};
use world::{TlsClient, World};

use super::dialogue::{self, Dialogue, Fault, Reply};
use super::zones::random_label;
use super::{Brief, limits, shown};

/// What port 25 showed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) smtp: SmtpFacts,
    pub(super) starttls: Option<bool>,
    pub(super) certificate: Option<Certificate>,
    pub(super) requiretls: Option<bool>,
    pub(super) injection: Option<bool>,
    /// A conversation broke: some of it is not known.
    pub(super) failed: bool,
}

/// What everybody offers.
const EXTENSIONS: [&str; 5] = [
    "PIPELINING",
    "8BITMIME",
    "ENHANCEDSTATUSCODES",
    "DSN",
    "CHUNKING",
];

/// Nobody's, for ever (RFC 2606).
const FOREIGN: &str = "example.com";

const ROLES: [&str; 2] = ["postmaster", "abuse"];

pub(super) async fn look(
    world: &World,
    tls: &TlsClient,
    brief: &Brief,
    address: IpAddr,
    port: u16,
) -> Seen {
    let at = SocketAddr::new(address, port);
    let mut seen = Seen::default();
    seen.failed |= greeting(world, tls, brief, at, &mut seen).await.is_err();
    seen.failed |= recipients(world, brief, at, &mut seen.smtp).await.is_err();
    seen.failed |= relaying(world, brief, at, &mut seen.smtp).await.is_err();
    if seen.starttls == Some(true) {
        seen.injection = injection(world, tls, brief, at).await.ok();
    }
    seen
}

async fn open<'w>(
    world: &'w World,
    brief: &Brief,
    at: SocketAddr,
) -> Result<(Dialogue<'w>, Reply, Reply), Fault> {
    let mut talk = Dialogue::new(world, dialogue::connect(world, at).await?);
    let banner = talk.reply().await?;
    if !banner.is_yes() {
        return Err(Fault::Broken);
    }
    let hello = talk.say(&format!("EHLO {}", brief.host)).await?;
    Ok((talk, banner, hello))
}

async fn greeting(
    world: &World,
    tls: &TlsClient,
    brief: &Brief,
    at: SocketAddr,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let begin = world.now();
    let mut talk = Dialogue::new(world, dialogue::connect(world, at).await?);
    let banner = talk.reply().await?;
    let millis = |since: std::time::Instant| {
        u32::try_from((world.now() - since).as_millis()).unwrap_or(u32::MAX)
    };
    seen.smtp.banner_millis = Some(millis(begin));
    let first = banner.lines.first().cloned().unwrap_or_default();
    seen.smtp.banner = Some(format!("{} {first}", banner.code));
    if !banner.is_yes() {
        return Err(Fault::Broken);
    }
    let hello = talk.say(&format!("EHLO {}", brief.host)).await?;
    seen.smtp.dialogue_millis = Some(millis(begin));
    let missing = EXTENSIONS.iter().filter(|name| !hello.offers(name));
    seen.smtp.missing_extensions = Some(missing.map(|&name| name.to_owned()).collect());
    seen.smtp.size = hello
        .argument("SIZE")
        .and_then(|size| size.trim().parse().ok())
        .filter(|size| *size != 0);
    seen.smtp.no_auth_on_25 = Some(!hello.offers("AUTH"));
    let offered = hello.offers("STARTTLS");
    seen.starttls = Some(offered);
    if !offered || !talk.say("STARTTLS").await?.is_yes() {
        let _ = talk.say("QUIT").await;
        return Ok(());
    }
    let facts = talk
        .start_tls(tls, &brief.host)
        .await
        .map_err(|_| Fault::Broken)?;
    seen.certificate = talk.certificate().and_then(|der| shown::read(der, &facts));
    let hello = talk.say(&format!("EHLO {}", brief.host)).await?;
    seen.requiretls = Some(hello.offers("REQUIRETLS"));
    if hello.offers("AUTH") {
        seen.smtp.no_auth_on_25 = Some(false);
    }
    let _ = talk.say("QUIT").await;
    Ok(())
}

async fn recipients(
    world: &World,
    brief: &Brief,
    at: SocketAddr,
    smtp: &mut SmtpFacts,
) -> Result<(), Fault> {
    let Some(domain) = brief.domains.first().map(|domain| &domain.domain) else {
        return Ok(());
    };
    let mut missing = Vec::new();
    for domain in brief.domains.iter().take(limits::ROLES_DOMAINS_MAX) {
        let (mut talk, ..) = open(world, brief, at).await?;
        let reply = talk.say("MAIL FROM:<>").await?;
        smtp.takes_null_sender = match reply.code {
            200..300 => Some(true),
            500..600 => Some(false),
            _ => None,
        };
        if !reply.is_yes() {
            return Ok(());
        }
        for role in ROLES {
            let address = format!("{role}@{}", domain.domain);
            let reply = talk.say(&format!("RCPT TO:<{address}>")).await?;
            if reply.is_final_no() {
                missing.push(address);
            }
        }
        let _ = talk.say("QUIT").await;
    }
    smtp.missing_roles = Some(missing);
    let (mut talk, ..) = open(world, brief, at).await?;
    if talk.say("MAIL FROM:<>").await?.is_yes() {
        let unknown = format!("RCPT TO:<{}@{domain}>", random_label(world));
        smtp.refuses_unknown = match talk.say(&unknown).await?.code {
            200..300 => Some(false),
            500..600 => Some(true),
            _ => None,
        };
    }
    // RFC 5321 §3.5.3: 252 says nothing.
    let reply = talk.say(&format!("VRFY postmaster@{domain}")).await?;
    smtp.vrfy_silent = Some(!matches!(reply.code, 250 | 251));
    let _ = talk.say("QUIT").await;
    Ok(())
}

/// Tries to get a foreign recipient accepted.
async fn relaying(
    world: &World,
    brief: &Brief,
    at: SocketAddr,
    smtp: &mut SmtpFacts,
) -> Result<(), Fault> {
    let Some(domain) = brief.domains.first().map(|domain| &domain.domain) else {
        return Ok(());
    };
    let foreign = format!("relay-test@{FOREIGN}");
    let ours = format!("postmaster@{domain}");
    let mut tricks = vec![
        ("an empty sender", String::new(), format!("<{foreign}>")),
        ("a sender of ours", ours, format!("<{foreign}>")),
        (
            "a source route",
            String::new(),
            format!("<@{domain}:{foreign}>"),
        ),
    ];
    // Where every local part is taken these look accepted, and are local.
    if smtp.refuses_unknown == Some(true) {
        let percent = format!("<relay-test%{FOREIGN}@{domain}>");
        let quoted = format!("<\"{foreign}\"@{domain}>");
        let bang = format!("<{FOREIGN}!relay-test@{domain}>");
        tricks.push(("a percent sign", String::new(), percent));
        tricks.push(("a quoted address", String::new(), quoted));
        tricks.push(("an exclamation mark", String::new(), bang));
    }
    let mut open_by = Vec::new();
    let (mut talk, ..) = open(world, brief, at).await?;
    for (name, from, to) in tricks {
        if talk.say(&format!("MAIL FROM:<{from}>")).await?.is_yes() {
            let reply = talk.say(&format!("RCPT TO:{to}")).await?;
            if reply.is_yes() {
                open_by.push(name.to_owned());
            }
        }
        talk.say("RSET").await?;
    }
    let _ = talk.say("QUIT").await;
    smtp.open_relay = Some(open_by);
    Ok(())
}

/// Sends a command in the clear right behind STARTTLS: whoever answers it under TLS can be lied to (CVE-2011-0411).
async fn injection(
    world: &World,
    tls: &TlsClient,
    brief: &Brief,
    at: SocketAddr,
) -> Result<bool, Fault> {
    let (mut talk, ..) = open(world, brief, at).await?;
    talk.send(b"STARTTLS\r\nNOOP\r\n").await?;
    let Ok(reply) = talk.reply().await else {
        return Ok(false);
    };
    if !reply.is_yes() {
        return Ok(false);
    }
    // A second answer in the clear, or no handshake: the command was not kept for later.
    if talk.start_tls(tls, &brief.host).await.is_err() {
        return Ok(false);
    }
    match talk.line_within(limits::SILENCE).await {
        Ok(line) => Ok(line.starts_with("250")),
        Err(_) => Ok(false),
    }
}
