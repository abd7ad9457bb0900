//! The files as programs read them.

use mail::{Address, Domain};

use super::*;

fn services() -> ClientServices {
    ClientServices {
        host: Domain::parse("mail.example.org").unwrap(),
        imaps: Some(993),
        imap: None,
        pop3s: Some(995),
        submissions: Some(465),
        submission: Some(587),
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// All texts below tags of this name, in order.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut open, mut found) = (false, Vec::new());
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Start(tag) => open = tag.local_name().as_ref() == name,
            quick_xml::events::Event::Text(text) if open => {
                found.push(text.to_string());
            }
            quick_xml::events::Event::End(_) => open = false,
            quick_xml::events::Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn thunderbird_finds_all_ways() {
    let domain = Domain::parse("example.org").unwrap();
    let file = autoconfig(&services(), &domain, None);
    assert_eq!(texts(&file, "hostname"), ["mail.example.org"; 4]);
    assert_eq!(texts(&file, "port"), ["993", "995", "465", "587"]);
    assert_eq!(
        texts(&file, "socketType"),
        ["SSL", "SSL", "SSL", "STARTTLS"]
    );
    assert_eq!(texts(&file, "username"), ["%EMAILADDRESS%"; 4]);
    let file = autoconfig(&services(), &domain, Some(&address("ann@example.org")));
    assert_eq!(texts(&file, "username"), ["ann@example.org"; 4]);
}

#[test]
fn outlook_asks_and_is_answered() {
    let request = r#"<?xml version="1.0" encoding="utf-8"?>
        <Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>
        <EMailAddress>ann@example.org</EMailAddress>
        <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
        </Request></Autodiscover>"#;
    let asked = parse_autodiscover(request.as_bytes()).expect("an address");
    assert_eq!(
        (asked.address.to_string().as_str(), asked.discovery()),
        ("ann@example.org", Discovery::Settings)
    );
    let answer = autodiscover(&services(), &asked);
    assert_eq!(texts(&answer, "Type"), ["IMAP", "POP3", "SMTP"]);
    assert_eq!(texts(&answer, "Server"), ["mail.example.org"; 3]);
    assert_eq!(texts(&answer, "Port"), ["993", "995", "465"]);
    assert_eq!(texts(&answer, "LoginName"), ["ann@example.org"; 3]);
    let phone = request.replace(
        "outlook/responseschema/2006a",
        "mobilesync/responseschema/2006",
    );
    let asked = parse_autodiscover(phone.as_bytes()).expect("an address");
    assert_eq!(asked.discovery(), Discovery::NotOffered);
    assert_eq!(
        texts(&autodiscover(&services(), &asked), "ErrorCode"),
        ["601"]
    );
    for bad in [
        "",
        "<a",
        "<EMailAddress>nobody</EMailAddress>",
        "<EMailAddress/>",
        "{}",
    ] {
        assert_eq!(parse_autodiscover(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn apple_gets_a_profile_that_replaces_its_forerunner() {
    let ann = address("ann@example.org");
    let of = Profile {
        address: &ann,
        name: "Ann <3 & Co",
    };
    let file = profile(&services(), of).expect("a profile");
    assert_eq!(file, profile(&services(), of).expect("a profile"));
    let (keys, strings) = (texts(&file, "key"), texts(&file, "string"));
    for key in [
        "IncomingMailServerHostName",
        "OutgoingMailServerPortNumber",
        "PayloadUUID",
        "PayloadType",
    ] {
        assert!(keys.iter().any(|found| found == key), "{key}");
    }
    assert!(strings.iter().any(|text| text == "mail.example.org"));
    assert_eq!(texts(&file, "integer"), ["993", "465", "1", "1"]);
    assert!(file.contains("Ann &lt;3 &amp; Co"), "{file}");
    let without = ClientServices {
        submissions: None,
        submission: None,
        ..services()
    };
    assert_eq!(profile(&without, of), None);
}
