//! Outlook's autodiscover: the POX request and answer ([MS-OXDSCLI]), and the JSON that newer programs ask for first.

use std::fmt::Write as _;

use mail::Address;
use quick_xml::events::Event;

use super::xml::escaped;
use super::{ClientServices, Purpose, Security, Way};

/// What a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub address: Address,
    /// The form that the program can read; only one of several is ours.
    pub schema: Option<String>,
}

/// What we can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    Settings,
    /// A form for telephones (ActiveSync) that we do not speak.
    NotOffered,
}

const RESPONSE: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const OUTLOOK: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
/// Longest request that is read: real ones have some hundred bytes.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

impl Asked {
    pub fn discovery(&self) -> Discovery {
        match &self.schema {
            Some(schema) if schema.contains("mobilesync") => Discovery::NotOffered,
            _ => Discovery::Settings,
        }
    }
}

/// Reads a request; `None` if it names no address.
pub fn parse(body: &[u8]) -> Option<Asked> {
    let body = body.get(..REQUEST_BYTES_MAX.min(body.len()))?;
    let body = String::from_utf8_lossy(body);
    let mut reader = quick_xml::Reader::from_str(&body);
    let (mut address, mut schema, mut open) = (None, None, String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => open = tag.local_name().as_ref().to_ascii_lowercase(),
            Event::Text(text) => {
                let text = text.trim().to_owned();
                match open.as_str() {
                    "emailaddress" => address = Address::parse(&text).ok(),
                    "acceptableresponseschema" => schema = Some(text),
                    _ => {}
                }
            }
            Event::End(_) => open.clear(),
            Event::Eof => break,
            _ => {}
        }
    }
    address.map(|address| Asked { address, schema })
}

/// The answer for an address of ours.
pub fn autodiscover(services: &ClientServices, asked: &Asked) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"{RESPONSE}\">\n"
    );
    match asked.discovery() {
        Discovery::Settings => {
            let _ = writeln!(
                out,
                "  <Response xmlns=\"{OUTLOOK}\">\n    <User>\n      <DisplayName>{}</DisplayName>\n    </User>",
                escaped(&asked.address.to_string())
            );
            out.push_str("    <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n");
            for purpose in [Purpose::Imap, Purpose::Pop3, Purpose::Send] {
                if let Some(way) = services.best(purpose) {
                    protocol(&mut out, services, way, &asked.address);
                }
            }
            out.push_str("    </Account>\n  </Response>\n");
        }
        Discovery::NotOffered => {
            out.push_str("  <Response>\n    <Error Time=\"00:00:00\" Id=\"0\">\n      <ErrorCode>601</ErrorCode>\n");
            out.push_str("      <Message>Schema version not supported</Message>\n    </Error>\n  </Response>\n");
        }
    }
    out.push_str("</Autodiscover>\n");
    out
}

fn protocol(out: &mut String, services: &ClientServices, way: Way, address: &Address) {
    let kind = match way.purpose {
        Purpose::Imap => "IMAP",
        Purpose::Pop3 => "POP3",
        Purpose::Send => "SMTP",
    };
    let (ssl, encryption) = match way.security {
        Security::Tls => ("on", "SSL"),
        Security::StartTls => ("on", "TLS"),
    };
    let _ = writeln!(
        out,
        "      <Protocol>\n        <Type>{kind}</Type>\n        <Server>{}</Server>\n        <Port>{}</Port>",
        escaped(services.host.as_str()),
        way.port
    );
    let _ = writeln!(
        out,
        "        <DomainRequired>off</DomainRequired>\n        <LoginName>{}</LoginName>",
        escaped(&address.to_string())
    );
    let _ = writeln!(
        out,
        "        <SPA>off</SPA>\n        <SSL>{ssl}</SSL>\n        <Encryption>{encryption}</Encryption>\n        <AuthRequired>on</AuthRequired>"
    );
    if way.purpose == Purpose::Send {
        out.push_str("        <UsePOPAuth>off</UsePOPAuth>\n        <SMTPLast>off</SMTPLast>\n");
    }
    out.push_str("      </Protocol>\n");
}

/// The answer to `autodiscover.json`: where the XML is found.
pub fn redirect_json(host: &str) -> String {
    format!(
        "{{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"https://{host}/autodiscover/autodiscover.xml\"}}\n"
    )
}
