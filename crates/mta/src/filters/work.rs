//! A message as a milter is told of it, with the macros that Postfix and sendmail give.

use bytes::Bytes;
use mail::ReversePath;
use store::queue::{RecipientDsn, Ret};
use wire::milter::{Connection, Macros, Origin, Recipient, Work};
use wire::smtp::encode_xtext;

use super::{Case, Way};
use crate::Inner;
use crate::envelope::Routed;

pub(super) fn of(
    inner: &Inner,
    case: &Case<'_>,
    from: &ReversePath,
    recipients: &[Routed],
    message: &Bytes,
) -> Work {
    Work {
        connection: connection(case),
        sender: format!("<{}>", shown(from)),
        parameters: parameters(case, message.len()),
        recipients: recipients.iter().map(recipient).collect(),
        message: message.clone(),
        macros: macros(inner, case, from),
    }
}

fn connection(case: &Case<'_>) -> Connection {
    let name = match (case.reverse_name, case.peer) {
        (Some(name), _) if !name.is_empty() => name.to_owned(),
        (_, Some(peer)) => format!("[{peer}]"),
        (_, None) => "localhost".to_owned(),
    };
    Connection {
        name,
        origin: match case.peer {
            // The port of the peer is of no use to anybody, and not known here.
            Some(address) => Origin::Internet { address, port: 0 },
            None => Origin::Local("local".to_owned()),
        },
        hello: case.hello.to_owned(),
    }
}

fn shown(from: &ReversePath) -> String {
    from.address().map(ToString::to_string).unwrap_or_default()
}

/// Of MAIL, as the peer gave them. The size is that of what is shown.
fn parameters(case: &Case<'_>, size: usize) -> Vec<String> {
    let mut parameters = vec![format!("SIZE={size}")];
    if case.smtputf8 {
        parameters.push("SMTPUTF8".to_owned());
    }
    if let Some(ret) = case.dsn.ret {
        let word = match ret {
            Ret::Full => "FULL",
            Ret::Headers => "HDRS",
        };
        parameters.push(format!("RET={word}"));
    }
    if let Some(id) = &case.dsn.envelope_id {
        parameters.push(format!("ENVID={}", encode_xtext(id)));
    }
    parameters
}

/// Of RCPT.
fn wishes(dsn: &RecipientDsn) -> Vec<String> {
    let mut parameters = Vec::new();
    if let Some(notify) = dsn.notify {
        let all = [
            (notify.success, "SUCCESS"),
            (notify.failure, "FAILURE"),
            (notify.delay, "DELAY"),
        ];
        let wanted: Vec<&str> = all
            .iter()
            .filter(|(is_wanted, _)| *is_wanted)
            .map(|(_, word)| *word)
            .collect();
        parameters.push(match wanted.as_slice() {
            [] => "NOTIFY=NEVER".to_owned(),
            words => format!("NOTIFY={}", words.join(",")),
        });
    }
    // As it is kept: its type, and the address without its wrapping.
    if let Some((kind, address)) = dsn
        .original_recipient
        .as_deref()
        .and_then(|one| one.split_once(';'))
    {
        parameters.push(format!("ORCPT={kind};{}", encode_xtext(address)));
    }
    parameters
}

fn recipient(to: &Routed) -> Recipient {
    let mailer = if to.stays_here() { "local" } else { "esmtp" };
    Recipient {
        address: format!("<{}>", to.address),
        parameters: wishes(&to.dsn),
        macros: vec![
            ("{rcpt_addr}", to.address.to_string()),
            ("{rcpt_host}", to.address.domain().to_string()),
            ("{rcpt_mailer}", mailer.to_owned()),
        ],
    }
}

fn macros(inner: &Inner, case: &Case<'_>, from: &ReversePath) -> Macros {
    let host = inner.settings.hostname.to_string();
    let mut macros = Macros::from([
        ("j", host.clone()),
        ("{if_name}", host),
        ("v", "Postroad".to_owned()),
        ("i", case.trace.to_string()),
        ("b", mail::date::format(case.now)),
        ("{mail_addr}", shown(from)),
        ("{mail_mailer}", "esmtp".to_owned()),
        (
            "{daemon_name}",
            match case.way {
                Way::Inbound => "MTA",
                Way::Submission => "MSA",
            }
            .to_owned(),
        ),
    ]);
    if let Some(address) = from.address() {
        macros.insert("{mail_host}", address.domain().to_string());
    }
    if let Some(peer) = case.peer {
        let name = case.reverse_name.filter(|name| !name.is_empty());
        macros.insert("{client_addr}", peer.to_string());
        macros.insert("{client_name}", name.unwrap_or("unknown").to_owned());
        macros.insert("{client_ptr}", name.unwrap_or("unknown").to_owned());
        macros.insert("_", format!("{} [{peer}]", name.unwrap_or("unknown")));
    }
    if let Some((_, user)) = case.user {
        macros.insert("{auth_authen}", user.to_string());
        macros.insert("{auth_author}", user.to_string());
        // Filters ask only whether there was one.
        macros.insert("{auth_type}", "PLAIN".to_owned());
    }
    if let Some((version, cipher)) = case.tls.and_then(|tls| tls.split_once(' ')) {
        macros.insert("{tls_version}", version.to_owned());
        macros.insert("{cipher}", cipher.to_owned());
        let bits = if cipher.contains("128") { "128" } else { "256" };
        macros.insert("{cipher_bits}", bits.to_owned());
    }
    macros
}

#[cfg(test)]
mod tests;
