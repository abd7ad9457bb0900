//! Makes edits where the operator gave a key: each zone's edits in one update, which happens whole or not at all.

use std::collections::BTreeMap;

use doctor::compare::Edit;
use world::{UpdateError, UpdateServer, World, ZoneEdit, update_zone};

use super::text;
use crate::limits;

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("the zone {zone} was not changed: {source}")]
    Update { zone: String, source: UpdateError },
    #[error("{0} is not a record that can be published")]
    BadRecord(String),
}

/// Makes the edits for whose zones there is a server; gives back those that are left.
pub async fn publish(
    world: &World,
    servers: &[UpdateServer],
    edits: &[Edit],
) -> Result<Vec<Edit>, PublishError> {
    let mut left = Vec::new();
    let mut by_zone: BTreeMap<&str, (&UpdateServer, Vec<ZoneEdit>)> = BTreeMap::new();
    for edit in edits {
        let Some(server) = server_of(servers, edit.name()) else {
            left.push(edit.clone());
            continue;
        };
        let zone = by_zone
            .entry(server.zone.as_str())
            .or_insert_with(|| (server, Vec::new()));
        zone.1.push(wire(edit)?);
    }
    for (zone, (server, edits)) in by_zone {
        for some in edits.chunks(limits::EDITS_AT_ONCE) {
            update_zone(world, server, some)
                .await
                .map_err(|source| PublishError::Update {
                    zone: zone.to_owned(),
                    source,
                })?;
        }
    }
    Ok(left)
}

/// That of the zone in which the name lies: the longest one.
fn server_of<'s>(servers: &'s [UpdateServer], name: &str) -> Option<&'s UpdateServer> {
    let within = |zone: &str| {
        name.strip_suffix(zone)
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    };
    servers
        .iter()
        .filter(|server| within(&server.zone))
        .max_by_key(|server| server.zone.len())
}

fn wire(edit: &Edit) -> Result<ZoneEdit, PublishError> {
    let record = |kind, value: &str| {
        text::to_record(kind, value)
            .ok_or_else(|| PublishError::BadRecord(format!("{} {kind} {value}", edit.name())))
    };
    Ok(match edit {
        Edit::Add {
            name,
            kind,
            ttl,
            value,
        } => ZoneEdit::Add {
            name: name.clone(),
            ttl_secs: *ttl,
            record: record(*kind, value)?,
        },
        Edit::Remove { name, kind, value } => ZoneEdit::Remove {
            name: name.clone(),
            record: record(*kind, value)?,
        },
    })
}
