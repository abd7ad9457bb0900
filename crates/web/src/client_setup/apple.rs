//! Apple's configuration profile for mail (`.mobileconfig`), a property list. Signing it is done elsewhere.

use std::fmt::Write as _;

use mail::Address;

use super::xml::escaped;
use super::{ClientServices, Purpose, Security};

/// For whom a profile is.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    pub address: &'a Address,
    /// How the person is called; may be empty.
    pub name: &'a str,
}

/// The profile, or `None` where it could not work: without IMAP or POP3, or without a way to send.
pub fn profile(services: &ClientServices, of: Profile<'_>) -> Option<String> {
    let read = services
        .best(Purpose::Imap)
        .or_else(|| services.best(Purpose::Pop3))?;
    let send = services.best(Purpose::Send)?;
    let address = of.address.to_string();
    let domain = of.address.domain().as_str();
    let kind = match read.purpose {
        Purpose::Pop3 => "EmailTypePOP",
        _ => "EmailTypeIMAP",
    };
    let mut mail = Dictionary::new(4);
    mail.text("EmailAccountDescription", &address);
    if !of.name.is_empty() {
        mail.text("EmailAccountName", of.name);
    }
    mail.text("EmailAccountType", kind);
    mail.text("EmailAddress", &address);
    for (prefix, way) in [("IncomingMailServer", read), ("OutgoingMailServer", send)] {
        mail.text(&format!("{prefix}Authentication"), "EmailAuthPassword");
        mail.text(&format!("{prefix}HostName"), services.host.as_str());
        mail.number(&format!("{prefix}PortNumber"), way.port);
        // Apple's programs negotiate STARTTLS by themselves on a port that does not speak TLS at once.
        mail.truth(
            &format!("{prefix}UseSSL"),
            matches!(way.security, Security::Tls | Security::StartTls),
        );
        mail.text(&format!("{prefix}Username"), &address);
    }
    mail.truth("OutgoingPasswordSameAsIncomingPassword", true);
    mail.text("PayloadDisplayName", &format!("Mail for {address}"));
    mail.text(
        "PayloadIdentifier",
        &format!("{}.postroad.mail", reversed(domain)),
    );
    mail.text("PayloadType", "com.apple.mail.managed");
    mail.text("PayloadUUID", &uuid(&format!("mail {address}")));
    mail.number("PayloadVersion", 1);
    let mut whole = Dictionary::new(1);
    whole.raw(
        "PayloadContent",
        &format!("<array>\n\t\t<dict>\n{}\t\t</dict>\n\t</array>", mail.out),
    );
    whole.text(
        "PayloadDescription",
        &format!("Sets up mail for {address}."),
    );
    whole.text("PayloadDisplayName", &format!("Mail for {address}"));
    whole.text(
        "PayloadIdentifier",
        &format!("{}.postroad", reversed(domain)),
    );
    whole.text("PayloadOrganization", domain);
    whole.truth("PayloadRemovalDisallowed", false);
    whole.text("PayloadType", "Configuration");
    whole.text("PayloadUUID", &uuid(&format!("profile {address}")));
    whole.number("PayloadVersion", 1);
    Some(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n{}</dict>\n</plist>\n",
        whole.out
    ))
}

/// The keys and values of a `dict`.
struct Dictionary {
    out: String,
    indent: String,
}

impl Dictionary {
    fn new(depth: usize) -> Self {
        Self {
            out: String::new(),
            indent: "\t".repeat(depth.min(3)),
        }
    }

    fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &format!("<string>{}</string>", escaped(value)));
    }

    fn number(&mut self, key: &str, value: u16) {
        self.raw(key, &format!("<integer>{value}</integer>"));
    }

    fn truth(&mut self, key: &str, value: bool) {
        self.raw(key, if value { "<true/>" } else { "<false/>" });
    }

    fn raw(&mut self, key: &str, value: &str) {
        let indent = &self.indent;
        let _ = writeln!(self.out, "{indent}<key>{key}</key>\n{indent}{value}");
    }
}

/// `org.example` for `example.org`, as identifiers of profiles are written.
fn reversed(domain: &str) -> String {
    domain.rsplit('.').collect::<Vec<_>>().join(".")
}

/// The same for the same account, so that a profile that is fetched again replaces the one before.
fn uuid(what: &str) -> String {
    let hash = blake3::hash(what.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(hash.as_bytes().get(..16).unwrap_or(&[0; 16]));
    // RFC 9562 §5.8: version 8, made by a scheme of our own.
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
