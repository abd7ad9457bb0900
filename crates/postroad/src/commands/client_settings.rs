//! `postroad account settings`: what to type into a mail program, in words, and as a code for telephones.

use mail::Address;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use web::client_setup::{ClientServices, PROFILE_PATH, Purpose, Security, Way};

use super::Context;
use crate::config::Service;
use crate::output::{Answer, Failure};
use crate::server::settings;

pub fn answer(context: &Context, address: &Address) -> Result<Answer, Failure> {
    let services = settings::web(&context.config)
        .map_err(|error| Failure::failed(error.to_string()))?
        .services;
    let ways = services.ways();
    let profile = profile_url(context, &services, address);
    let value = json!({
        "address": address.to_string(),
        "user": address.to_string(),
        "host": services.host.as_str(),
        "ways": ways.iter().map(|way| json!({
            "purpose": purpose(way.purpose),
            "port": way.port,
            "security": security(way.security),
        })).collect::<Vec<_>>(),
        "profile": profile,
    });
    let rows = ways
        .iter()
        .map(|way| row(&services, way, address))
        .collect();
    let mut answer = Answer::new(value)
        .line(format!("Settings for {address}"))
        .table(&["To", "Server", "Port", "Security", "User name"], rows)
        .line("The password is the one of the account; sign-in is \"normal password\".")
        .remark(format!(
            "Most programs find this by themselves from the address, once the records of `postroad dns show {}` are published.",
            address.domain()
        ));
    if let Some(url) = &profile {
        answer = answer.line(format!("iPhone, iPad and Mac: open {url}"));
        if let Ok(code) = QrCode::new(url.as_bytes()) {
            answer = answer.remark(code.render::<Dense1x2>().quiet_zone(true).build());
        }
    }
    Ok(answer)
}

/// Where an Apple device finds its profile, if it could work.
fn profile_url(context: &Context, services: &ClientServices, address: &Address) -> Option<String> {
    let https = context
        .config
        .listen
        .port(Service::Https)
        .filter(|port| *port != 0)?;
    services.best(Purpose::Send)?;
    services
        .best(Purpose::Imap)
        .or_else(|| services.best(Purpose::Pop3))?;
    let port = if https == Service::Https.standard_port() {
        String::new()
    } else {
        format!(":{https}")
    };
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("emailaddress", &address.to_string())
        .finish();
    Some(format!(
        "https://{}{port}{PROFILE_PATH}?{query}",
        services.host
    ))
}

fn row(services: &ClientServices, way: &Way, address: &Address) -> Vec<String> {
    vec![
        purpose(way.purpose).to_owned(),
        services.host.unicode(),
        way.port.to_string(),
        security(way.security).to_owned(),
        address.to_string(),
    ]
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Imap => "read (IMAP)",
        Purpose::Pop3 => "fetch (POP3)",
        Purpose::Send => "send (SMTP)",
    }
}

fn security(security: Security) -> &'static str {
    match security {
        Security::Tls => "SSL/TLS",
        Security::StartTls => "STARTTLS",
    }
}
