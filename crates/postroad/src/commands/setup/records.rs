//! The DNS records: published by ourselves where there is a key, else shown to be entered; and the checklist that turns green.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::say::Item;
use super::{Setup, own::Said};
use crate::output::{Exit, Failure};

/// Between two looks: name servers are not to be flooded by somebody who waits.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// The first looks come sooner: what was just published is there at once.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What `dns check --json` says of a record, as far as it is used here.
#[derive(Clone, Debug, Deserialize)]
struct Record {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    state: String,
    tenure: String,
}

impl Record {
    /// Whether what depends on us and the domain's owner is done. Reverse names are set by others and take days; hosts beside
    /// ours are the owner's business.
    fn holds_up(&self) -> bool {
        self.state != "right" && self.kind != "PTR" && self.tenure != "foreign"
    }

    fn item(&self) -> Item {
        Item {
            what: format!("{:<5} {}", self.kind, self.name),
            mark: match self.state.as_str() {
                "right" => "ok",
                "missing" => "missing",
                "wrong" => "wrong",
                "extra" => "remove",
                _ => "?",
            },
        }
    }
}

/// Gives the key to the server and publishes; false where there is no key.
pub(super) fn publish(setup: &Setup<'_>) -> Result<bool, Failure> {
    let (args, own) = (setup.args, &setup.own);
    let domain = setup.address.domain().to_string();
    let known = own.must(&["dns", "server", "list"], "")?;
    let zone_is_known = known.as_array().into_iter().flatten().any(|one| {
        let zone = one.get("zone").and_then(Value::as_str).unwrap_or_default();
        domain == zone || domain.ends_with(&format!(".{zone}"))
    });
    if let (Some(server), false) = (&args.dns_server, zone_is_known) {
        let mut command = vec!["dns", "server", "add", &domain, server];
        if let Some(name) = &args.tsig_key {
            command.extend(["--tsig-key", name]);
        }
        let file = args.tsig_file.as_ref().map(|file| file.to_string_lossy());
        if let Some(file) = &file {
            command.extend(["--tsig-file", file]);
        }
        own.must(&command, "")?;
        setup.say.ok(format!(
            "records of {domain} are published at {server} by this server"
        ));
    } else if !zone_is_known {
        return Ok(false);
    }
    publish_now(setup)?;
    Ok(true)
}

/// Whether anything had to be changed; what cannot be is seen by the checklist.
fn publish_now(setup: &Setup<'_>) -> Result<(), Failure> {
    let domain = setup.address.domain().to_string();
    let mut command = vec!["dns", "publish", &domain];
    if setup.args.take_over {
        command.push("--take-over");
    }
    let said = setup.own.run(&command, "")?;
    if said.code != i32::from(Exit::Done.code()) && said.code != i32::from(Exit::Findings.code()) {
        setup
            .say
            .trouble(format!("not published: {}", said.problem));
        return Ok(());
    }
    let changed = said.value.get("edits").and_then(Value::as_array);
    match changed.map_or(0, Vec::len) {
        0 => setup.say.ok("the records are published already"),
        count => setup.say.ok(format!("{count} changes made in the DNS")),
    }
    Ok(())
}

/// Waits until the records are there, as far as they must be; whether they are.
pub(super) fn wait(setup: &Setup<'_>, published: bool) -> Result<bool, Failure> {
    let mut records = check(setup)?;
    let open = |records: &[Record]| records.iter().any(Record::holds_up);
    if !published && open(&records) {
        show(setup)?;
    }
    let until = setup.own.now() + setup.patience;
    let mut pause = FIRST_PAUSE;
    loop {
        let items: Vec<Item> = records.iter().map(Record::item).collect();
        setup.say.checklist(&items);
        if !open(&records) {
            setup.say.checklist_done();
            setup.say.ok("the records are right at every name server");
            return Ok(true);
        }
        if until <= setup.own.now() {
            setup.say.checklist_done();
            setup.say.trouble("not all records are there yet");
            return Ok(false);
        }
        setup
            .own
            .rest(pause.min(until.saturating_duration_since(setup.own.now())));
        pause = (pause * 2).min(LOOK_PAUSE);
        records = check(setup)?;
    }
}

/// The pins of the certificate's key, which is known only now.
pub(super) fn pins(setup: &Setup<'_>, published: bool) -> Result<bool, Failure> {
    let records = check(setup)?;
    if !records.iter().any(Record::holds_up) {
        return Ok(true);
    }
    if published {
        publish_now(setup)?;
    }
    wait(setup, published)
}

fn show(setup: &Setup<'_>) -> Result<(), Failure> {
    let domain = setup.address.domain().to_string();
    setup.say.note(format!(
        "enter these records where the DNS of {domain} is kept (as a table: postroad dns show {domain})"
    ));
    let said = setup.own.must(&["dns", "show", &domain], "")?;
    let wishes: Vec<doctor::RecordWish> =
        serde_json::from_value(said).map_err(|error| Failure::failed(error.to_string()))?;
    setup
        .say
        .block(doctor::zone::text(&domain, &wishes).trim_end());
    Ok(())
}

fn check(setup: &Setup<'_>) -> Result<Vec<Record>, Failure> {
    let domain = setup.address.domain().to_string();
    let servers: Vec<String> = setup
        .args
        .surroundings
        .name_servers
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut command = vec!["dns", "check", domain.as_str()];
    for server in &servers {
        command.extend(["--name-server", server.as_str()]);
    }
    let Said { value, problem, .. } = setup.own.run(&command, "")?;
    let records = value
        .get("records")
        .cloned()
        .ok_or_else(|| Failure::failed(problem))?;
    serde_json::from_value(records).map_err(|error| Failure::failed(error.to_string()))
}
