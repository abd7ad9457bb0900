//! What cannot be mended on this host, looked at first: the way out on port 25, the kind of its addresses, block lists, the
//! reverse name; and whether the ports are free. Nothing is changed here.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use doctor::checks::Listed;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use world::{DnsSettings, Kind, Record, World, reverse_name};

use super::Setup;
use super::kind::{self, AddressKind};
use crate::addresses;
use crate::config::Config;
use crate::output::Failure;
use crate::server::Server;

/// Big ones that take mail from everybody and tell the caller its address.
const PROBES: [&str; 3] = [
    "gmail-smtp-in.l.google.com:25",
    "mta5.am0.yahoodns.net:25",
    "mx00.gmx.net:25",
];

/// For one server to greet: a closed port 25 is silence more often than not.
const PROBE_PATIENCE: Duration = Duration::from_secs(8);

/// For all block lists together.
const LISTS_PATIENCE: Duration = Duration::from_secs(20);

/// Longest dialogue with a probed server.
const PROBE_BYTES_MAX: u64 = 16 * 1024;

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    /// Whether mail can leave directly; `None` where it does not have to.
    pub port_25: Option<bool>,
    /// The addresses under which the world sees this host.
    pub addresses: Vec<IpAddr>,
    /// They are on no interface: a router stands between.
    pub behind_router: bool,
    /// A name that the first address has and that leads back to it.
    pub reverse_name: Option<String>,
    /// What the operator must do elsewhere.
    pub left: Vec<String>,
}

pub(super) fn look(setup: &Setup<'_>, known: Option<&Config>) -> Result<Host, Failure> {
    let mut host = Host::default();
    let relayed =
        setup.args.relay.is_some() || known.is_some_and(|config| config.outbound.relay.is_some());
    on_network(setup, known, async |world| {
        let seen = port_25(setup, &world, relayed, &mut host).await;
        own_addresses(setup, known, seen, &mut host);
        for address in host.addresses.clone() {
            one_address(setup, &world, address, &mut host).await;
        }
        lists(setup, &world, &mut host).await;
    })?;
    Ok(host)
}

/// Binds every port and lets go of it again.
pub(super) fn ports_are_free(setup: &Setup<'_>, config: &Config) -> Result<(), Failure> {
    let bound = on_network(setup, Some(config), async |world| {
        Server::bind(world, config)
            .await
            .map(|bound| bound.addresses())
    })?;
    let ports = bound.map_err(|error| Failure::failed(error.to_string()))?;
    let mut numbers: Vec<u16> = ports.iter().map(|(_, socket)| socket.port()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
    setup
        .say
        .ok(format!("ports are free: {}", numbers.join(", ")));
    Ok(())
}

fn on_network<T>(
    setup: &Setup<'_>,
    known: Option<&Config>,
    work: impl AsyncFnOnce(World) -> T,
) -> Result<T, Failure> {
    let resolvers = match known {
        Some(config) => config.resolvers.clone(),
        None => setup.args.surroundings.resolvers.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime does not start: {error}")))?;
    Ok(runtime.block_on(async { work(World::real(DnsSettings::servers(resolvers))).await }))
}

/// Tries to reach mail servers; the address that one of them sees us at, if it tells.
async fn port_25(
    setup: &Setup<'_>,
    world: &World,
    relayed: bool,
    host: &mut Host,
) -> Option<IpAddr> {
    let given = &setup.args.surroundings.probes;
    let probes: Vec<&str> = match given.is_empty() {
        true => PROBES.to_vec(),
        false => given.iter().map(String::as_str).collect(),
    };
    let mut reached = None;
    let mut seen = None;
    for probe in probes {
        let deadline = world.now() + PROBE_PATIENCE;
        let tried = world.tasks.deadline(deadline, greet(world, probe)).await;
        if let Ok(Some(told)) = tried {
            reached.get_or_insert(probe);
            seen = told;
        }
        if seen.is_some() || (reached.is_some() && !given.is_empty()) {
            break;
        }
    }
    match reached {
        Some(probe) => {
            host.port_25 = Some(true);
            setup
                .say
                .ok(format!("port 25 is open on the way out ({probe} answers)"));
        }
        None if relayed => {
            setup
                .say
                .ok("port 25 is closed on the way out; mail leaves through the relay");
        }
        None => {
            host.port_25 = Some(false);
            let text = "port 25 is closed on the way out: ask the provider of this host to open it (many do on request), or send through a relay (--relay smtps://user@relay.example:465)";
            setup.say.trouble(text);
            host.left
                .push(format!("P{}.", text.get(1..).unwrap_or_default()));
        }
    }
    seen
}

/// `None` where nobody answers; inside, the address that the server saw.
async fn greet(world: &World, probe: &str) -> Option<Option<IpAddr>> {
    let at = resolve(world, probe).await?;
    let stream = world.net.connect(None, at).await.ok()?;
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader.take(PROBE_BYTES_MAX)).lines();
    if !lines.next_line().await.ok()??.starts_with("220") {
        return None;
    }
    writer.write_all(b"EHLO postroad.invalid\r\n").await.ok()?;
    writer.flush().await.ok()?;
    let mut seen = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let bracketed = || line.split_once('[')?.1.split_once(']')?.0.parse().ok();
        seen = seen.or_else(bracketed);
        if !line.starts_with("250-") && !line.starts_with("220-") {
            break;
        }
    }
    let _ = writer.write_all(b"QUIT\r\n").await;
    let _ = writer.flush().await;
    Some(seen)
}

async fn resolve(world: &World, probe: &str) -> Option<SocketAddr> {
    if let Ok(at) = probe.parse() {
        return Some(at);
    }
    let (name, port) = probe.rsplit_once(':')?;
    let answer = world.dns.ask(name, Kind::A).await.ok()?;
    let address = answer.addresses().next()?;
    Some(SocketAddr::new(address, port.parse().ok()?))
}

fn own_addresses(setup: &Setup<'_>, known: Option<&Config>, seen: Option<IpAddr>, host: &mut Host) {
    let surroundings = &setup.args.surroundings;
    let on_interfaces = match (known, surroundings.listen) {
        (Some(config), _) => addresses::public(config),
        (None, Some(address)) if !address.is_unspecified() => vec![address],
        (None, _) => addresses::public(&Config::new("localhost", &setup.place.data)),
    };
    let public = on_interfaces.iter().any(|one| addresses::is_public(*one));
    host.addresses = match (&surroundings.public_addresses, seen) {
        (given, _) if !given.is_empty() => given.clone(),
        (_, Some(seen)) if !public && addresses::is_public(seen) => vec![seen],
        _ => on_interfaces.clone(),
    };
    host.behind_router = !host.addresses.iter().any(|one| on_interfaces.contains(one));
}

async fn one_address(setup: &Setup<'_>, world: &World, address: IpAddr, host: &mut Host) {
    let names = match addresses::is_public(address) {
        true => reverse_names(world, address).await,
        false => Some(Vec::new()),
    };
    let first = names.as_ref().and_then(|names| names.first());
    let said = match kind::of(address, first.map(String::as_str)) {
        AddressKind::Fixed => {
            setup.say.ok(format!("address {address}"));
            None
        }
        AddressKind::Loopback => {
            setup
                .say
                .note(format!("address {address}: a trial on this machine"));
            return;
        }
        AddressKind::Private => Some(format!(
            "address {address} is of a private network: the world does not reach it; give the public one with --public-address, and let the router pass the ports on"
        )),
        AddressKind::Shared => Some(format!(
            "address {address} is shared with others by the provider (carrier-grade NAT): no mail arrives here; ask for an address of your own, or use another host"
        )),
        AddressKind::Home => Some(format!(
            "address {address} looks like one of a home ({}): many refuse mail from such; ask the provider for a fixed address with a reverse name, or send through a relay (--relay)",
            first.map(String::as_str).unwrap_or_default()
        )),
    };
    if let Some(text) = said {
        setup.say.trouble(&text);
        host.left.push(text);
        return;
    }
    reverse(setup, world, address, names, host).await;
}

/// `None` where the DNS does not tell.
async fn reverse_names(world: &World, address: IpAddr) -> Option<Vec<String>> {
    let answer = world
        .dns
        .ask(&reverse_name(address), Kind::Ptr)
        .await
        .ok()?;
    let names = answer
        .records
        .into_iter()
        .filter_map(|record| match record {
            Record::Ptr(name) => Some(name),
            _ => None,
        });
    Some(names.collect())
}

/// A reverse name is good when it leads back.
async fn reverse(
    setup: &Setup<'_>,
    world: &World,
    address: IpAddr,
    names: Option<Vec<String>>,
    host: &mut Host,
) {
    let Some(names) = names else {
        setup
            .say
            .note(format!("the reverse name of {address} is not known now"));
        return;
    };
    let kind = match address {
        IpAddr::V4(_) => Kind::A,
        IpAddr::V6(_) => Kind::Aaaa,
    };
    for name in &names {
        let forward = world.dns.ask(name, kind).await;
        if forward.is_ok_and(|answer| answer.addresses().any(|one| one == address)) {
            setup.say.ok(format!(
                "reverse name of {address}: {name}, which leads back"
            ));
            host.reverse_name.get_or_insert_with(|| name.clone());
            return;
        }
    }
    let text = match names.first() {
        None => format!(
            "address {address} has no reverse name: set it to the name of this host where the address was rented; many servers refuse mail without it"
        ),
        Some(name) => format!(
            "the reverse name of {address} is {name}, which does not lead back: set it to the name of this host where the address was rented"
        ),
    };
    // With a name in the DNS that leads here it may become right by itself; the end of the set-up looks again.
    setup.say.trouble(&text);
    host.left.push(text);
}

async fn lists(setup: &Setup<'_>, world: &World, host: &mut Host) {
    let public: Vec<IpAddr> = host
        .addresses
        .iter()
        .copied()
        .filter(|address| addresses::is_public(*address))
        .collect();
    if public.is_empty() {
        return;
    }
    let deadline = world.now() + LISTS_PATIENCE;
    let asking = jobs::doctor::listings(world, &public);
    let Ok(listings) = world.tasks.deadline(deadline, asking).await else {
        setup.say.note("the block lists did not answer in time");
        return;
    };
    let listed: Vec<_> = listings
        .iter()
        .filter(|one| one.answer == Listed::Yes)
        .collect();
    let asked = listings.iter().filter(|one| one.answer != Listed::Broken);
    if listed.is_empty() {
        setup
            .say
            .ok(format!("on no block list ({} told)", asked.count()));
    }
    for one in listed {
        let text = format!(
            "{} is on the block list {}; have it removed: {}",
            one.subject, one.list, one.removal
        );
        setup.say.trouble(&text);
        host.left.push(text);
    }
}
