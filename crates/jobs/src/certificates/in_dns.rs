//! Names proved by a record in the DNS (DNS-01, RFC 8555 §8.4), where a name server takes changes from us: works without
//! any open port.

use store::{Challenge, ChallengeKind};
use world::{Record, ZoneEdit, update_zone};

use crate::Desk;
use crate::publish::server_for;

/// Seconds: the record is looked at once.
const TTL_SECS: u32 = 60;

/// Whether a name server takes changes for all of these.
pub(super) async fn is_possible(desk: &Desk, names: &[String]) -> bool {
    for name in names {
        if server_for(desk, &place(name)).await.is_none() {
            return false;
        }
    }
    !names.is_empty()
}

/// The error is text for the operator.
pub(super) async fn publish(desk: &Desk, challenge: &Challenge) -> Result<(), String> {
    let name = place(&challenge.name);
    let server = server_for(desk, &name).await;
    let server = server.ok_or_else(|| format!("no name server takes changes for {name}"))?;
    let edit = ZoneEdit::Add {
        name,
        ttl_secs: TTL_SECS,
        record: text(challenge),
    };
    let updated = update_zone(&desk.world, &server, &[edit]).await;
    updated.map_err(|error| error.to_string())
}

/// What was published for these names; what stays for some trouble is harmless.
pub(super) async fn take_away(desk: &Desk, names: &[String]) {
    let published = desk
        .store
        .read(|view| view.acme_challenges(ChallengeKind::Dns01));
    for challenge in published.await.unwrap_or_default() {
        if !names.contains(&challenge.name) {
            continue;
        }
        let name = place(&challenge.name);
        let Some(server) = server_for(desk, &name).await else {
            continue;
        };
        let edit = ZoneEdit::Remove {
            name,
            record: text(&challenge),
        };
        if let Err(error) = update_zone(&desk.world, &server, &[edit]).await {
            tracing::warn!(name = challenge.name, %error, "a proof for an authority stays in the DNS");
        }
    }
}

fn place(name: &str) -> String {
    format!("_acme-challenge.{name}")
}

fn text(challenge: &Challenge) -> Record {
    Record::Txt(vec![challenge.answer.as_bytes().to_vec()])
}
