//! Reports that somebody made to do harm, and wrappings that nobody would think of.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use mailauth::report::{Form, UnpackError, aggregate, compose, tls, unwrap};
use proptest::prelude::*;

const REPORT: &str = "<feedback><report_metadata><org_name>o</org_name><report_id>1</report_id><date_range><begin>1</begin><end>2</end></date_range></report_metadata>\
    <policy_published><domain>here.example</domain></policy_published>\
    <record><row><source_ip>192.0.2.1</source_ip><count>3</count></row></record></feedback>";

fn part(media_type: &str, extra: &str, bytes: &[u8]) -> String {
    let encoded = mail::transfer::encode_base64(bytes);
    format!(
        "--b\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n{extra}\r\n{encoded}\r\n"
    )
}

fn message(parts: &[String]) -> Vec<u8> {
    let parts = parts.concat();
    format!("From: a@there.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n")
        .into_bytes()
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[track_caller]
fn finds(bytes: &[u8], reports: usize) {
    let found = unwrap(bytes);
    let rows: usize = found
        .attachments
        .iter()
        .map(|found| aggregate::parse(&found.bytes).unwrap().rows.len())
        .sum();
    assert_eq!(
        (found.attachments.len(), rows),
        (reports, reports),
        "{:?}",
        found.refused
    );
}

#[test]
fn however_it_is_wrapped() {
    let plain = REPORT.as_bytes();
    let gzip = compose::gzip(plain);
    let zip = zipped(&[("x.xml", plain)]);
    finds(plain, 1);
    finds(&gzip, 1);
    finds(&zip, 1);
    finds(&zipped(&[("a.xml", plain), ("b.xml.gz", &gzip)]), 2);
    finds(&compose::gzip(&zip), 1);
    finds(&[b"\xef\xbb\xbf", plain].concat(), 1);
    for media_type in [
        "application/gzip",
        "text/plain",
        "application/octet-stream",
        "image/png",
        "nonsense",
    ] {
        finds(&message(&[part(media_type, "", &gzip)]), 1);
    }
    finds(&message(&[part("text/xml", "", plain)]), 1);
    finds(
        &message(&[
            part("text/plain", "", b"Hello, here it is."),
            part("application/zip", "", &zip),
            part("text/xml", "", plain),
        ]),
        2,
    );
    // Forwarded as an attachment, twice.
    let inner = message(&[part("application/gzip", "", &gzip)]);
    let forwarded = |inner: &[u8]| {
        let inner = String::from_utf8(inner.to_vec()).unwrap();
        message(&[format!(
            "--b\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n",
            inner
                .replace("--b", "--c")
                .replace("boundary=b", "boundary=c")
        )])
    };
    finds(&forwarded(&inner), 1);
    finds(
        &message(&[part(
            "application/octet-stream",
            "Content-Disposition: attachment; filename=report.eml\r\n",
            &inner,
        )]),
        1,
    );
    // A transfer encoding that got lost on the way.
    let bare = format!(
        "Content-Type: application/gzip\r\n\r\n{}",
        mail::transfer::encode_base64(&gzip)
    );
    finds(bare.as_bytes(), 1);
}

#[test]
fn damaged_wrappings_give_what_is_left() {
    let rows = "<record><row><source_ip>192.0.2.1</source_ip><count>3</count></row></record>"
        .repeat(2_000);
    let long = REPORT.replace("</feedback>", "") + &rows + "</feedback>";
    let gzip = compose::gzip(long.as_bytes());
    let found = unwrap(&gzip[..gzip.len() * 2 / 3]);
    assert!(found.attachments[0].damaged);
    let report = aggregate::parse(&found.attachments[0].bytes).unwrap();
    assert!(report.defects.contains(&aggregate::Defect::EndsEarly));
    assert!(500 < report.rows.len() && report.rows.len() < 2_000);
    // A zip file without its end.
    let zip = zipped(&[("x.xml", REPORT.as_bytes())]);
    let found = unwrap(&zip[..zip.len() - 40]);
    assert_eq!(found.attachments.len() + found.refused.len(), 1);
    // Nothing left at all.
    let found = unwrap(&gzip[..12]);
    assert_eq!(found.refused[0].why, UnpackError::Damaged);
}

#[test]
fn bombs_are_refused() {
    let bomb = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..512 {
            encoder.write_all(&zeros).unwrap();
        }
        encoder.finish().unwrap()
    };
    assert!(bomb.len() < 600_000);
    let found = unwrap(&bomb);
    assert!(matches!(
        found.refused[0].why,
        UnpackError::TooLarge | UnpackError::Bomb
    ));
    let found = unwrap(&message(&[
        part("application/gzip", "", &bomb),
        part("text/xml", "", REPORT.as_bytes()),
    ]));
    assert_eq!((found.attachments.len(), found.refused.len()), (1, 1));
    // Gzip within gzip within …
    let mut nested = REPORT.as_bytes().to_vec();
    for _ in 0..10 {
        nested = compose::gzip(&nested);
    }
    assert_eq!(unwrap(&nested).refused[0].why, UnpackError::Bomb);
    let many: Vec<(String, &[u8])> = (0..1_000)
        .map(|n| (format!("{n}.xml"), REPORT.as_bytes()))
        .collect();
    let many: Vec<(&str, &[u8])> = many
        .iter()
        .map(|(name, bytes)| (name.as_str(), *bytes))
        .collect();
    assert!(unwrap(&zipped(&many)).attachments.len() <= 20);
}

#[test]
fn no_more_rows_than_are_kept() {
    let rows = "<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>"
        .repeat(60_000);
    let report = aggregate::parse((REPORT.replace("</feedback>", "") + &rows).as_bytes()).unwrap();
    assert_eq!(report.rows.len(), 50_000);
    assert!(report.defects.contains(&aggregate::Defect::TooMany));
}

#[test]
fn what_is_no_report_is_refused_with_the_reason() {
    use aggregate::ParseError;
    let refused = |text: &str| aggregate::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused(" \r\n"), ParseError::Empty);
    assert_eq!(refused("<html><record/></html>"), ParseError::NoFeedback);
    assert_eq!(refused("<feedback/>"), ParseError::NoDomain);
    assert_eq!(
        refused(
            "<feedback><policy_published><domain>a.example</domain></policy_published></feedback>"
        ),
        ParseError::NoRows
    );
    assert_eq!(tls::parse(b"").unwrap_err(), tls::ParseError::Empty);
    assert_eq!(
        tls::parse(b"{\"policies\": [").unwrap_err(),
        tls::ParseError::NotJson
    );
    assert_eq!(tls::parse(b"{}").unwrap_err(), tls::ParseError::NoPolicies);
    let deep = "[".repeat(100_000);
    assert_eq!(
        tls::parse(deep.as_bytes()).unwrap_err(),
        tls::ParseError::NotJson
    );
}

#[test]
fn odd_rows_are_kept_and_marked() {
    use aggregate::Defect;
    let text = REPORT
        .replace("192.0.2.1", "somewhere")
        .replace(
            "<count>3</count>",
            "<policy_evaluated><disposition>perhaps</disposition></policy_evaluated>",
        )
        .replace("<report_id>1</report_id>", "");
    let report = aggregate::parse(text.as_bytes()).unwrap();
    let defects: Vec<_> = report.defects.iter().copied().collect();
    assert_eq!(
        defects,
        [
            Defect::NoReportId,
            Defect::BadSource,
            Defect::BadCount,
            Defect::UnknownWord
        ]
    );
    assert_eq!(report.messages(), 1);
}

#[test]
fn a_message_without_report_has_none() {
    let found = unwrap(b"From: a@there.example\r\nSubject: hello\r\n\r\nDear postmaster,\r\n");
    assert_eq!(found, mailauth::report::Unwrapped::default());
    let page = message(&[part(
        "text/html",
        "",
        b"<html><body>Your feedback, please</body></html>",
    )]);
    assert_eq!(unwrap(&page), mailauth::report::Unwrapped::default());
    let named = message(&[part(
        "text/xml",
        "Content-Disposition: attachment; filename=\"r.xml\"\r\n",
        b"what",
    )]);
    assert_eq!(unwrap(&named).attachments[0].form, Form::Aggregate);
}

/// A report with something of everything.
const FULL: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE a [<!ENTITY b \"c\">]><n:feedback xmlns:n=\"urn:x\"><!-- x -->\
    <report_metadata><org_name>a &amp; b</org_name><email><![CDATA[x@y.example]]></email><report_id>1</report_id>\
    <date_range><begin>1.0</begin><end>2</end></date_range><error>e</error></report_metadata>\
    <policy_published><domain>Here.Example.</domain><p>reject</p><testing>y</testing></policy_published>\
    <record><row><source_ip>2001:db8::1</source_ip><count>3</count><policy_evaluated><disposition>PASS</disposition><dkim>pass</dkim>\
    <spf>fail</spf><reason><type>other</type><comment>&#65;</comment></reason></policy_evaluated></row>\
    <identifiers><header_from>here.example</header_from><envelope_from/></identifiers>\
    <auth_results><dkim><domain>here.example</domain><selector>s</selector><result>pass</result></dkim>\
    <spf><domain>x.example</domain><scope>helo</scope><result>unknown</result></spf></auth_results></record></n:feedback>";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is left of a report after damage, what is read of it can be written and read again.
    #[test]
    fn damage_never_misleads(
        edits in proptest::collection::vec((0..FULL.len(), prop::sample::select(&b"<>/&;!?[]-\"'= \x00\x80\xff0a"[..]), any::<bool>()), 1..12),
    ) {
        let mut bytes = FULL.as_bytes().to_vec();
        for (at, byte, removes) in edits {
            let at = at.min(bytes.len() - 1);
            match removes {
                true => drop(bytes.remove(at)),
                false => bytes[at] = byte,
            }
        }
        if let Ok(report) = aggregate::parse(&bytes) {
            let again = aggregate::parse(report.write().as_bytes()).unwrap();
            prop_assert_eq!(again.rows.len(), report.rows.len());
            prop_assert_eq!(again.messages(), report.messages());
            prop_assert_eq!(again.policy.domain, report.policy.domain);
        }
        let _ = unwrap(&compose::gzip(&bytes));
    }
}
