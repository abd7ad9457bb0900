//! `postroad dns check`: what each name server says, held against what should be there.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};

use doctor::compare::{Row, Seen, State, compare, is_right};
use doctor::{Action, RecordWish, zone};
use jobs::publish::{NameServers, look, server_of};
use mail::Domain;
use serde::{Deserialize, Serialize};
use serde_json::json;
use world::{DnsSettings, UpdateServer, World};

use super::wishes;
use crate::commands::{Context, find};
use crate::output::{Answer, Failure};

/// Where name servers listen.
const PORT: u16 = 53;

/// Whom to ask instead of the zone's own name servers.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
pub struct NameServerArgs {
    /// Ask only this name server, by address and port, instead of those of the zone; may be given several times
    #[arg(long = "name-server", value_name = "ADDRESS[:PORT]", value_parser = parse_server)]
    pub name_servers: Vec<SocketAddr>,
}

fn parse_server(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, PORT));
    }
    text.parse()
        .map_err(|_| "use an address, or an address and a port, such as 192.0.2.53:53".to_owned())
}

/// What was asked, and what came of it.
pub(super) struct Compared {
    pub rows: Vec<Row>,
    pub seen: Vec<Seen>,
}

pub(super) fn run(
    context: &Context,
    domain: &str,
    name_servers: &NameServerArgs,
) -> Result<Answer, Failure> {
    let domain = find::parse_domain(domain)?;
    let records = wishes(context, &domain)?;
    let compared = on_network(context, async |world| {
        let servers = update_servers(context, &world).await?;
        Ok(compare_now(&world, &records, &servers, name_servers).await)
    })?;
    Ok(answer(&domain, &compared))
}

/// Runs what asks the network. Commands are on a thread of their own, in the server too.
pub(super) fn on_network<T, F>(
    context: &Context,
    work: impl FnOnce(World) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime does not start: {error}")))?;
    let resolvers = context.config.resolvers.clone();
    runtime.block_on(async { work(World::real(DnsSettings::servers(resolvers))).await })
}

/// The name servers that take changes from us.
pub(super) async fn update_servers(
    context: &Context,
    world: &World,
) -> Result<Vec<UpdateServer>, Failure> {
    let stored = context.store.read(|view| view.dns_servers()).await?;
    let mut servers = Vec::new();
    for one in &stored {
        let server = server_of(&*world.dns, one).await;
        servers.push(server.map_err(|problem| {
            Failure::failed(format!("the name server of {}: {problem}", one.zone))
        })?);
    }
    Ok(servers)
}

pub(super) async fn compare_now(
    world: &World,
    records: &[RecordWish],
    servers: &[UpdateServer],
    name_servers: &NameServerArgs,
) -> Compared {
    let whom = if name_servers.name_servers.is_empty() {
        NameServers::OfTheZones {
            and: servers.iter().map(|server| server.at).collect(),
        }
    } else {
        NameServers::These(name_servers.name_servers.clone())
    };
    let seen = look(world, records, &whom).await;
    Compared {
        rows: compare(records, &seen),
        seen,
    }
}

fn answer(domain: &Domain, compared: &Compared) -> Answer {
    let rows = &compared.rows;
    let right = is_right(rows);
    let mut answer = Answer::new(json!({
        "domain": domain.to_string(),
        "right": right,
        "servers": compared.seen.iter().map(|one| &one.server).collect::<Vec<_>>(),
        "silent": silent(&compared.seen),
        "records": rows,
    }));
    let table = rows.iter().map(|row| {
        vec![
            mark(row.state).to_owned(),
            row.wish.name.clone(),
            row.wish.kind.to_string(),
            row.wish.why.clone(),
        ]
    });
    answer = answer.table(&["", "name", "type", "why"], table.collect());
    for line in differences(rows) {
        answer = answer.line(line);
    }
    for server in silent(&compared.seen) {
        answer = answer.remark(format!("The name server {server} gave no answer."));
    }
    if right {
        return answer.line(format!("All records of {domain} are as they should be."));
    }
    answer
        .remark(format!(
            "As a zone file to import: postroad dns show {domain} --format bind"
        ))
        .findings()
}

pub(super) fn mark(state: State) -> &'static str {
    match state {
        State::Right => "ok",
        State::Unknown => "?",
        State::Extra => "remove",
        State::Missing => "missing",
        State::Wrong => "wrong",
    }
}

/// Each difference: what it is, what is there, what should be.
pub(super) fn differences(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    let unknown: Vec<&Row> = rows
        .iter()
        .filter(|row| row.state == State::Unknown)
        .collect();
    if let Some(first) = unknown.first() {
        lines.push(String::new());
        lines.push(format!(
            "{} records could not be looked up: {}",
            unknown.len(),
            first.difference
        ));
    }
    let known = |row: &&Row| !matches!(row.state, State::Right | State::Unknown);
    for row in rows.iter().filter(known) {
        let wish = &row.wish;
        let on = match row.servers.as_slice() {
            [] => String::new(),
            servers => format!(" On {}:", servers.join(", ")),
        };
        lines.push(String::new());
        lines.push(format!(
            "{} {}:{on} {}",
            wish.name, wish.kind, row.difference
        ));
        for found in row.found.iter().filter(|_| row.state == State::Wrong) {
            lines.push(format!("  there  {found}"));
        }
        let verb = match wish.action {
            Action::Publish => "should",
            Action::Remove => "remove",
        };
        lines.push(format!("  {verb} {}", zone::line(wish)));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// Servers that answered nothing at all.
fn silent(seen: &[Seen]) -> Vec<&str> {
    let nothing = |one: &&Seen| one.answers.values().all(Result::is_err);
    seen.iter()
        .filter(nothing)
        .map(|one| one.server.as_str())
        .collect()
}
