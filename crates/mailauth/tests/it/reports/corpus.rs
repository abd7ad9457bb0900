//! The collected reports, file by file: the right number of rows and messages, the same as a second
//! parser found where there is one, and for the broken ones a reason. No file is passed over.

use std::fs;
use std::path::{Path, PathBuf};

use mailauth::report::aggregate::{self, Defect, Report};
use mailauth::report::{Form, Unwrapped, failure, tls, unwrap};
use serde_json::Value;

use crate::shared;

fn corpus() -> Option<PathBuf> {
    shared::corpus("dmarc-tlsrpt-arf-reports")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
    found.sort();
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// What is in a file, as one line: form, domain, rows, messages, defects; or why not.
fn told(bytes: &[u8]) -> String {
    let Unwrapped {
        attachments,
        refused,
    } = unwrap(bytes);
    let mut told: Vec<String> = refused
        .iter()
        .map(|refused| format!("refused: {}", refused.why))
        .collect();
    for found in attachments {
        told.push(match found.form {
            Form::Aggregate => match aggregate::parse(&found.bytes) {
                Ok(report) => format!(
                    "dmarc {} {} {} {:?}",
                    report.policy.domain,
                    report.rows.len(),
                    report.messages(),
                    report.defects
                ),
                Err(why) => format!("refused: {why}"),
            },
            Form::Tls => match tls::parse(&found.bytes) {
                Ok(report) => {
                    let details: usize = report.policies.iter().map(|p| p.details.len()).sum();
                    let (good, bad) = report.sessions();
                    format!("tls {} {details} {good} {bad}", report.policies.len())
                }
                Err(why) => format!("refused: {why}"),
            },
            Form::Failure => match failure::parse(&found.bytes) {
                Ok(report) => format!(
                    "failure {} {}",
                    report.domain().unwrap_or_default(),
                    report.kind.as_str()
                ),
                Err(why) => format!("refused: {why}"),
            },
        });
    }
    told.join("; ")
}

/// Rows and messages were counted by an XML parser, or by hand where there is no XML.
const WANTED: &[(&str, &str)] = &[
    ("001.xml", "dmarc example.com 1 123 {}"),
    ("004.xml", "dmarc example.com 1 123 {}"),
    ("005.xml", "dmarc example.com 1 1 {}"),
    ("100.eml", "dmarc stalw.art 1 1 {}"),
    ("101.eml", "dmarc stalw.art 1 1 {}"),
    ("103.eml", "dmarc stalw.art 1 1 {}"),
    ("test_dmarc.xml", "dmarc example.com 1 1 {}"),
    ("test_dmarc.xml.gz", "dmarc example.com 1 1 {}"),
    ("test_dmarc.xml.zip", "dmarc example.com 1 1 {}"),
    (
        "good.com!example.com!1337270400!1337356799.xml",
        "dmarc example.com 754 183934 {}",
    ),
    (
        "yeah.net!example.com!1337270400!1337356799.20120518.xml",
        "dmarc example.com 254 21679 {}",
    ),
    (
        "!example.com!1538204542!1538463818.xml",
        "dmarc example.com 1 1 {}",
    ),
    (
        "addisonfoods.com!example.com!1536105600!1536191999.xml",
        "dmarc example.com 1 1 {}",
    ),
    ("empty_reason.xml", "dmarc example.com 1 2 {}"),
    (
        "estadocuenta1.infonacot.gob.mx!example.com!1536853302!1536939702!2940.xml.zip",
        "dmarc example.com 1 1 {}",
    ),
    // An address and a domain with angle brackets that nobody escaped.
    ("invalid_xml.xml", "dmarc example.com 1 1 {NotWellFormed}"),
    // Line ends after the end of the gzip file.
    ("mimecast-weird-gzip.eml", "dmarc ab.id.au 1 1 {}"),
    ("rfc9990-sample.xml", "dmarc example.com 1 123 {}"),
    ("twilight.eml", "dmarc twlnet.com 1 1 {}"),
    (
        "usssa.com!example.com!1538784000!1538870399.xml",
        "dmarc example.com 2 2 {}",
    ),
    (
        "veeam.com!example.com!1530133200!1530219600.xml",
        "dmarc example.com 1 1 {}",
    ),
    (
        "report_with_upper_cased_pass.xml",
        "dmarc example.com 1 1 {}",
    ),
    ("changed-input.xml", "dmarc example.com 20 3047 {}"),
    ("nice-input.xml", "dmarc example.com 20 3047 {}"),
    ("nice-input.xml.gz", "dmarc example.com 20 3047 {}"),
    ("nice-input.xml.zip", "dmarc example.com 20 3047 {}"),
    // Nothing to find in it; see `an_empty_file_is_refused_with_the_reason`.
    ("empty.xml", ""),
    ("google.com_smtp_tls_report.eml", "tls 1 0 48 0"),
    ("mail.ru.json", "tls 1 2 0 1"),
    ("rfc8460.json", "tls 1 3 5326 303"),
    ("rpt03.json", "tls 2 0 2 0"),
    ("003.eml", "failure example.net auth-failure"),
    ("005.eml", "failure a.sender.example auth-failure"),
];

/// No reports: licences, notes, the schema, the second parser's answers.
fn is_report(path: &Path) -> bool {
    let name = name(path);
    let answer = path.with_extension("eml").exists() || path.with_extension("xml").exists();
    !(name.starts_with("LICENSE")
        || name.ends_with(".md")
        || name.ends_with(".xsd")
        || name.ends_with(".json") && answer)
}

#[test]
fn every_file_gives_its_rows_or_a_reason() {
    let Some(folder) = corpus() else { return };
    let mut found = Vec::new();
    files(&folder, &mut found);
    let mut counted = 0;
    for path in found.into_iter().filter(|path| is_report(path)) {
        let told = told(&fs::read(&path).unwrap());
        match WANTED.iter().find(|(file, _)| *file == name(&path)) {
            Some((file, want)) => assert_eq!(told, *want, "{file}"),
            // A file that came later: it is read, or something says why not.
            None => {
                assert!(!told.is_empty(), "{}: nothing was found", path.display());
                println!("no expectation: {}: {told}", path.display());
            }
        }
        counted += 1;
    }
    assert!(
        WANTED.len() <= counted,
        "{counted} files are fewer than expected"
    );
}

#[test]
fn an_empty_file_is_refused_with_the_reason() {
    let Some(folder) = corpus() else { return };
    let bytes = fs::read(folder.join("parsedmarc/empty.xml")).unwrap();
    let why = aggregate::parse(&bytes).unwrap_err();
    assert_eq!(why, aggregate::ParseError::Empty);
}

#[test]
fn upper_case_results_count_as_what_they_say() {
    let Some(folder) = corpus() else { return };
    let path = folder.join("parsedmarc/aggregate_invalid/report_with_upper_cased_pass.xml");
    let report = aggregate::parse(&fs::read(path).unwrap()).unwrap();
    assert!(report.rows[0].dkim_aligned && report.rows[0].spf_aligned);
    assert_eq!(report.rows[0].dkim[0].result, "pass");
}

#[test]
fn what_could_be_read_of_broken_xml_is_there() {
    let Some(folder) = corpus() else { return };
    let path = folder.join("parsedmarc/aggregate/invalid_xml.xml");
    let report = aggregate::parse(&fs::read(path).unwrap()).unwrap();
    assert!(report.defects.contains(&Defect::NotWellFormed));
    assert_eq!(report.metadata.org_name, "veeam.com");
    assert_eq!(
        report.rows[0].source,
        Some("199.230.200.36".parse().unwrap())
    );
    assert_eq!(report.metadata.end, 1_530_219_600);
}

#[test]
fn the_form_of_rfc_9990_is_read_with_its_new_elements() {
    let Some(folder) = corpus() else { return };
    let path = folder.join("parsedmarc/aggregate/rfc9990-sample.xml");
    let report = aggregate::parse(&fs::read(path).unwrap()).unwrap();
    assert_eq!(report.policy.np.as_deref(), Some("none"));
    assert_eq!(report.policy.discovery_method.as_deref(), Some("treewalk"));
    assert!(report.metadata.generator.is_some());
    assert_eq!(report.rows[0].disposition, aggregate::Disposition::Pass);
}

/// Each DMARC answer of the second parser, field by field.
#[test]
fn a_second_parser_found_the_same() {
    let Some(folder) = corpus() else { return };
    let mut found = Vec::new();
    files(&folder, &mut found);
    let mut compared = 0;
    for path in found {
        if !matches!(
            path.extension().and_then(|e| e.to_str()),
            Some("xml" | "eml")
        ) {
            continue;
        }
        let Ok(answer) = fs::read(path.with_extension("json")) else {
            continue;
        };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let found = unwrap(&fs::read(&path).unwrap());
        let bytes = &found.attachments.first().expect("a report").bytes;
        if answer.get("feedback_type").is_some() {
            same_failure(&failure::parse(bytes).unwrap(), &answer, &path);
        } else {
            same_aggregate(&aggregate::parse(bytes).unwrap(), &answer, &path);
        }
        compared += 1;
    }
    assert!(8 <= compared, "{compared} answers to compare with");
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_ascii_lowercase()
}

#[track_caller]
fn same_aggregate(report: &Report, answer: &Value, path: &Path) {
    let at = path.display();
    let metadata = &answer["report_metadata"];
    assert_eq!(
        report.metadata.org_name.to_ascii_lowercase(),
        word(&metadata["org_name"]),
        "{at}"
    );
    assert_eq!(report.metadata.report_id, metadata["report_id"], "{at}");
    assert_eq!(
        report.metadata.begin, metadata["date_range"]["begin"],
        "{at}"
    );
    assert_eq!(report.metadata.end, metadata["date_range"]["end"], "{at}");
    let policy = &answer["policy_published"];
    assert_eq!(report.policy.domain, policy["domain"], "{at}");
    assert_eq!(
        report.policy.p.clone().unwrap_or_default(),
        word(&policy["p"]).replace("unspecified", ""),
        "{at}"
    );
    assert_eq!(report.policy.testing, policy["testing"], "{at}");
    let rows = answer["record"].as_array().unwrap();
    assert_eq!(report.rows.len(), rows.len(), "{at}");
    for (row, answer) in report.rows.iter().zip(rows) {
        let evaluated = &answer["row"]["policy_evaluated"];
        assert_eq!(
            row.source.unwrap(),
            answer["row"]["source_ip"]
                .as_str()
                .unwrap()
                .parse::<std::net::IpAddr>()
                .unwrap(),
            "{at}"
        );
        assert_eq!(row.count, answer["row"]["count"], "{at}");
        assert_eq!(
            row.disposition.as_str(),
            word(&evaluated["disposition"]),
            "{at}"
        );
        assert_eq!(row.dkim_aligned, word(&evaluated["dkim"]) == "pass", "{at}");
        assert_eq!(row.spf_aligned, word(&evaluated["spf"]) == "pass", "{at}");
        assert_eq!(
            row.reasons.len(),
            evaluated["reason"].as_array().unwrap().len(),
            "{at}"
        );
        let identifiers = &answer["identifiers"];
        assert_eq!(row.header_from, identifiers["header_from"], "{at}");
        assert_eq!(
            row.envelope_from.clone().unwrap_or_default(),
            word(&identifiers["envelope_from"]),
            "{at}"
        );
        let results = &answer["auth_results"];
        let dkim: Vec<_> = row
            .dkim
            .iter()
            .map(|dkim| {
                let selector = dkim.selector.clone().unwrap_or_default();
                (dkim.domain.clone(), selector, dkim.result.clone())
            })
            .collect();
        let wanted: Vec<_> = results["dkim"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dkim| {
                (
                    word(&dkim["domain"]),
                    word(&dkim["selector"]),
                    word(&dkim["result"]),
                )
            })
            .collect();
        assert_eq!(dkim, wanted, "{at}");
        let spf: Vec<_> = row
            .spf
            .iter()
            .map(|spf| (spf.domain.clone(), spf.result.clone()))
            .collect();
        let wanted: Vec<_> = results["spf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|spf| (word(&spf["domain"]), word(&spf["result"])))
            .collect();
        assert_eq!(spf, wanted, "{at}");
    }
}

#[track_caller]
fn same_failure(report: &failure::Report, answer: &Value, path: &Path) {
    let at = path.display();
    let squeezed = |text: &str| text.replace(['-', '<', '>'], "").to_ascii_lowercase();
    let same = |ours: Option<&str>, name: &str| {
        let theirs = answer[name].as_str().unwrap_or_default();
        let theirs = if theirs == "Unspecified" { "" } else { theirs };
        assert_eq!(
            squeezed(ours.unwrap_or_default()),
            squeezed(theirs),
            "{at}: {name}"
        );
    };
    same(Some(report.kind.as_str()), "feedback_type");
    same(report.user_agent.as_deref(), "user_agent");
    same(report.original_mail_from.as_deref(), "original_mail_from");
    same(report.original_recipient.as_deref(), "original_rcpt_to");
    same(
        report.original_envelope_id.as_deref(),
        "original_envelope_id",
    );
    same(report.auth_failure.as_deref(), "auth_failure");
    same(report.delivery_result.as_deref(), "delivery_result");
    same(report.dkim_domain.as_deref(), "dkim_domain");
    same(report.dkim_identity.as_deref(), "dkim_identity");
    same(report.dkim_selector.as_deref(), "dkim_selector");
    let ip = report.source.map(|ip| ip.to_string());
    same(ip.as_deref(), "source_ip");
    assert_eq!(
        report.arrival.map(Value::from),
        answer
            .get("arrival_date")
            .cloned()
            .filter(|at| !at.is_null()),
        "{at}"
    );
    assert_eq!(report.incidents, answer["incidents"], "{at}");
    assert_eq!(
        Value::from(report.reported_domains.clone()),
        answer["reported_domain"],
        "{at}"
    );
    assert_eq!(
        Value::from(report.reported_uris.clone()),
        answer["reported_uri"],
        "{at}"
    );
    assert_eq!(
        report.authentication_results.len(),
        answer["authentication_results"].as_array().unwrap().len(),
        "{at}"
    );
}
