//! The openspf.org test suite for RFC 7208, and pyspf's own cases, run from their files.

use std::fs;
use std::net::IpAddr;

use mail::ReversePath;
use mailauth::explain::Notes;
use mailauth::spf::{Sender, check_text};
use saphyr::{LoadableYamlNode, Yaml};
use world::{DnsError, Record};

use crate::shared::corpus;
use crate::zone::{Entry, Zone, now};

/// Tests whose result the RFC contradicts, each with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "default-modifier",
        "wants the modifier default= of drafts before RFC 4408 honoured; RFC 7208 §6 ignores \
         modifiers it does not know (rfc7208-tests.yml: default-modifier-obsolete2)",
    ),
    (
        "default-modifier-harsh",
        "wants the result `ambiguous`, which only pyspf in its strictest mode has",
    ),
];

#[test]
fn every_scenario_gives_its_results() {
    let Some(folder) = corpus("spf-openspf") else {
        return;
    };
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|name| name == "yml"))
        .collect();
    files.sort();
    let mut passed = 0;
    let mut wrong = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        for scenario in Yaml::load_from_str(&text).unwrap() {
            let zone = zone(&scenario["zonedata"]);
            for (name, test) in scenario["tests"].as_mapping().unwrap() {
                let name = name.as_str().unwrap();
                if let Some((_, why)) = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name) {
                    println!("left out: {name}: {why}");
                    continue;
                }
                match run(&zone, test) {
                    Ok(()) => passed += 1,
                    Err(why) => wrong.push(format!("{name}: {why}")),
                }
            }
        }
    }
    println!("{passed} SPF tests of {} files passed", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!files.is_empty() && 0 < passed);
}

fn run(zone: &Zone, test: &Yaml<'_>) -> Result<(), String> {
    let text = |key: &str| get(test, key).and_then(Yaml::as_str).unwrap_or_default();
    let ip: IpAddr = text("host").parse().unwrap();
    let sender = Sender {
        ip,
        helo: text("helo"),
        mail_from: &ReversePath::Null,
        receiver: "receiver.example.com",
        now: 1_000_000_000,
    };
    let mut notes = Notes::on();
    let found = now(check_text(zone, &sender, text("mailfrom"), &mut notes));
    let wanted: Vec<&str> = match test["result"].as_vec() {
        Some(several) => several.iter().filter_map(|one| one.as_str()).collect(),
        None => vec![text("result")],
    };
    let story = || {
        let steps = notes.into_steps();
        let steps = steps.iter().map(|step| format!("    {step:?}\n"));
        steps.collect::<String>()
    };
    if !wanted.contains(&found.result.as_str()) {
        return Err(format!("wants {wanted:?}: {found:?}\n{}", story()));
    }
    let explained = found.explanation.as_deref();
    match get(test, "explanation").and_then(Yaml::as_str) {
        Some("DEFAULT") if explained.is_some() => Err(format!("has an explanation: {found:?}")),
        Some("DEFAULT") | None => Ok(()),
        wanted if explained != wanted => Err(format!("wants {wanted:?}: {found:?}")),
        Some(_) => Ok(()),
    }
}

/// `SPF:` stands for TXT too, unless the name has a `TXT:` of its own.
fn zone(data: &Yaml<'_>) -> Zone {
    let mut zone = Zone::new();
    for (name, entries) in data.as_mapping().unwrap() {
        let name = scalar(name);
        let entries = entries.as_vec().unwrap();
        zone.entries(&name);
        let has_txt = entries.iter().any(|entry| get(entry, "TXT").is_some());
        for entry in entries {
            if let Some("TIMEOUT") = entry.as_str() {
                zone.put(&name, Entry::Error(DnsError::TimedOut));
                continue;
            }
            let (kind, value) = entry.as_mapping().unwrap().iter().next().unwrap();
            let record = match kind.as_str().unwrap() {
                "SPF" if has_txt => continue,
                "TXT" if value.as_str() == Some("NONE") => continue,
                "SPF" | "TXT" => Record::Txt(strings(value)),
                "A" => Record::A(scalar(value).parse().unwrap()),
                "AAAA" => Record::Aaaa(scalar(value).parse().unwrap()),
                "MX" => Record::Mx {
                    preference: scalar(&value[0]).parse().unwrap(),
                    exchange: scalar(&value[1]),
                },
                "PTR" => Record::Ptr(scalar(value)),
                "CNAME" => Record::Cname(scalar(value)),
                other => panic!("a record of kind {other}"),
            };
            zone.put(&name, Entry::Record(record));
        }
    }
    zone
}

fn get<'a, 'b>(value: &'a Yaml<'b>, key: &str) -> Option<&'a Yaml<'b>> {
    value.as_mapping_get(key)
}

fn strings(value: &Yaml<'_>) -> Vec<Vec<u8>> {
    match value.as_vec() {
        Some(several) => several.iter().map(|one| bytes(&scalar(one))).collect(),
        None => vec![bytes(&scalar(value))],
    }
}

/// The files write bytes as `\xNN`.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).expect("a byte"))
        .collect()
}

fn scalar(value: &Yaml<'_>) -> String {
    if let Some(number) = value.as_integer() {
        return number.to_string();
    }
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value:?}"))
        .to_owned()
}
