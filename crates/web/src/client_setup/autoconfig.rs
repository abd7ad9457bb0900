//! Thunderbird's autoconfig file, which many other programs read too
//! (<https://www.bucksch.org/1/projects/thunderbird/autoconfiguration/config-file-format.html>).

use std::fmt::Write as _;

use mail::{Address, Domain};

use super::xml::escaped;
use super::{ClientServices, Purpose, Security, Way, login};

/// The file for a domain. Without an address the program puts it in itself.
pub fn autoconfig(services: &ClientServices, domain: &Domain, address: Option<&Address>) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n",
    );
    let name = escaped(&domain.unicode());
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  <emailProvider id=\"{}\">", escaped(domain.as_str()));
    let _ = writeln!(out, "    <domain>{}</domain>", escaped(domain.as_str()));
    let _ = writeln!(
        out,
        "    <displayName>{name}</displayName>\n    <displayShortName>{name}</displayShortName>"
    );
    for way in services.ways() {
        server(&mut out, services, way, &login(address));
    }
    out.push_str("  </emailProvider>\n</clientConfig>\n");
    out
}

fn server(out: &mut String, services: &ClientServices, way: Way, login: &str) {
    let (tag, kind) = match way.purpose {
        Purpose::Imap => ("incomingServer", "imap"),
        Purpose::Pop3 => ("incomingServer", "pop3"),
        Purpose::Send => ("outgoingServer", "smtp"),
    };
    let security = match way.security {
        Security::Tls => "SSL",
        Security::StartTls => "STARTTLS",
    };
    let _ = writeln!(out, "    <{tag} type=\"{kind}\">");
    let _ = writeln!(
        out,
        "      <hostname>{}</hostname>",
        escaped(services.host.as_str())
    );
    let _ = writeln!(out, "      <port>{}</port>", way.port);
    let _ = writeln!(out, "      <socketType>{security}</socketType>");
    let _ = writeln!(out, "      <username>{}</username>", escaped(login));
    // The password itself, but only inside TLS.
    let _ = writeln!(
        out,
        "      <authentication>password-cleartext</authentication>"
    );
    let _ = writeln!(out, "    </{tag}>");
}
