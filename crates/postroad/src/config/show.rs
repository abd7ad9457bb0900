//! All settings with their values, as `config show` prints them.

use serde_json::{Value, json};

use super::{Config, Service};

/// Every key with its value in force. Passwords are not shown, only where they lie.
pub fn describe(config: &Config) -> Value {
    let listen: serde_json::Map<String, Value> = Service::ALL
        .into_iter()
        .map(|service| {
            let sockets = config.listen.services.get(&service);
            let value = match sockets {
                Some(sockets) => json!(sockets.iter().map(ToString::to_string).collect::<Vec<_>>()),
                None => json!(false),
            };
            (service.name().to_owned(), value)
        })
        .collect();
    let relays: serde_json::Map<String, Value> = config
        .outbound
        .relays
        .iter()
        .map(|(domain, relay)| (domain.clone(), json!({ "url": relay.to_string() })))
        .collect();
    json!({
        "hostname": config.hostname,
        "data": config.data,
        "user": config.user,
        "public_addresses": config.public_addresses,
        "doctor": config.doctor.daily,
        "listen": listen,
        "store": { "url": config.store_url.as_deref().map(without_password) },
        "dns": { "resolvers": config.resolvers },
        "tls": {
            "certificate": config.tls.files.as_ref().map(|(certificate, _)| certificate),
            "key": config.tls.files.as_ref().map(|(_, key)| key),
            "certificates": config.tls.certificates,
            "acme": config.tls.acme,
            "contact": config.tls.contact,
            "cleartext_login": config.tls.cleartext_login,
            "roots": config.tls.roots,
        },
        "outbound": {
            "port": config.outbound.port,
            "addresses": config.outbound.addresses,
            "relay": config.outbound.relay.as_ref().map(ToString::to_string),
            "relays": relays,
        },
        "limits": {
            "message_bytes": config.limits.message_bytes,
            "recipients": config.limits.recipients,
            "connections": config.limits.connections,
            "connections_per_address": config.limits.connections_per_address,
            "queue_days": config.limits.queue_days,
        },
        "bans": { "nftables": config.bans.nftables },
        "filters": super::filters::describe(&config.filters),
    })
}

/// `postgres://user:secret@host/db` with the secret hidden.
fn without_password(url: &str) -> String {
    let hidden = || {
        let (scheme, rest) = url.split_once("://")?;
        let (login, host) = rest.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    };
    hidden().unwrap_or_else(|| url.to_owned())
}
