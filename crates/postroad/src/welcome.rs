//! What `quickstart` tells: everything a person needs next, and nothing else.

use std::net::SocketAddr;
use std::path::Path;

use doctor::RecordWish;
use mail::Address;
use serde_json::{Value, json};

use crate::config::Service;

pub struct Welcome<'a> {
    pub host: &'a str,
    pub address: &'a Address,
    pub password: &'a Password,
    pub services: &'a [(Service, SocketAddr)],
    pub data: &'a Path,
    pub config: &'a Path,
    pub self_signed: bool,
    pub records: Vec<RecordWish>,
}

/// The password of the first account.
pub enum Password {
    /// Set by the caller, who knows it.
    Given(String),
    /// Made here, to be shown once.
    Made(String),
    /// The account was there already.
    Kept,
}

/// The same for programs, on one line. The password only if it was made here.
pub fn json(welcome: &Welcome<'_>) -> Value {
    let services: serde_json::Map<String, Value> = Service::ALL
        .into_iter()
        .filter_map(|service| {
            let socket = at(welcome, service)?;
            Some((service.name().to_owned(), json!(socket)))
        })
        .collect();
    let password = match welcome.password {
        Password::Made(text) => Some(text),
        Password::Given(_) | Password::Kept => None,
    };
    json!({
        "hostname": welcome.host,
        "login": welcome.address.to_string(),
        "password": password,
        "services": services,
        "self_signed": welcome.self_signed,
        "data": welcome.data,
        "config": welcome.config,
        "records": welcome.records,
    })
}

/// The whole text.
pub fn text(welcome: &Welcome<'_>) -> String {
    let mut out = format!(
        "\nPostroad serves {} as {}.\n\n",
        welcome.address.domain(),
        welcome.host
    );
    out.push_str(&format!("  Login     {}\n", welcome.address));
    out.push_str(&format!("  Password  {}\n\n", password(welcome)));
    mail_program(welcome, &mut out);
    try_it(welcome, &mut out);
    records(welcome, &mut out);
    out.push_str(&format!("\nData      {}\n", welcome.data.display()));
    out.push_str(&format!("Settings  {}\n", welcome.config.display()));
    out.push_str("Stop with Ctrl-C. In another terminal: postroad account list, postroad queue list, postroad --help\n\n");
    out
}

fn password(welcome: &Welcome<'_>) -> String {
    let address = welcome.address;
    match welcome.password {
        Password::Made(text) => {
            format!("{text}   (shown only now; change it with: postroad account passwd {address})")
        }
        Password::Given(_) => "as you gave it".to_owned(),
        Password::Kept => format!("as before (a new one: postroad account passwd {address})"),
    }
}

fn mail_program(welcome: &Welcome<'_>, out: &mut String) {
    out.push_str("In your mail program (Thunderbird: set up manually):\n");
    let rows = [
        ("IMAP", Service::Imaps, "SSL/TLS, normal password"),
        ("IMAP", Service::Imap, "STARTTLS"),
        ("POP3", Service::Pop3s, "SSL/TLS"),
        ("POP3", Service::Pop3, "STARTTLS"),
        ("Outgoing", Service::Submissions, "SSL/TLS, normal password"),
        ("Outgoing", Service::Submission, "STARTTLS"),
    ];
    for (what, service, security) in rows {
        if let Some(socket) = at(welcome, service) {
            let server = socket.ip();
            out.push_str(&format!(
                "  {what:<9} server {server}  port {:<6} {security}\n",
                socket.port()
            ));
        }
    }
    if welcome.self_signed {
        out.push_str(
            "  The certificate is self-signed: let your mail program make an exception for it.\n",
        );
    }
}

fn try_it(welcome: &Welcome<'_>, out: &mut String) {
    if let Some(socket) = at(welcome, Service::Smtp) {
        out.push_str(&format!(
            "\nMail from the outside arrives on port {}. Send some:\n  swaks --server {} --port {} --from bob@elsewhere.test --to {}\n",
            socket.port(),
            socket.ip(),
            socket.port(),
            welcome.address
        ));
    }
    if let Some(socket) = at(welcome, Service::Submissions) {
        out.push_str(&format!(
            "Send as yourself (asks for the password):\n  swaks --server {} --port {} --tls-on-connect --auth-user {} --from {} --to {}\n",
            socket.ip(),
            socket.port(),
            welcome.address,
            welcome.address,
            welcome.address
        ));
    }
}

fn records(welcome: &Welcome<'_>, out: &mut String) {
    let domain = welcome.address.domain();
    out.push_str("\nDNS records for a real domain (not needed for a trial):\n");
    for record in &welcome.records {
        out.push_str(&format!(
            "  {:<44} {:<5} {}\n",
            record.name, record.kind, record.value
        ));
    }
    out.push_str(&format!("  With reasons: postroad dns show {domain}\n"));
}

fn at(welcome: &Welcome<'_>, service: Service) -> Option<SocketAddr> {
    welcome
        .services
        .iter()
        .find(|(of, _)| *of == service)
        .map(|(_, socket)| *socket)
}
