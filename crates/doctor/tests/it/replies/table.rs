//! The project's own table of providers' replies: every row is understood as the table says.

use std::fs;

use doctor::replies::{Class, Next, Phase, Refusal, classify};

use super::corpus;

/// MX host that stands for a section's provider.
const HOSTS: [(&str, &str); 12] = [
    ("#### Gmail", "gmail-smtp-in.l.google.com"),
    ("#### Outlook.com", "hotmail-com.olc.protection.outlook.com"),
    (
        "#### Microsoft 365",
        "example-org.mail.protection.outlook.com",
    ),
    ("#### Yahoo", "mta5.am0.yahoodns.net"),
    ("#### Apple", "mx01.mail.icloud.com"),
    ("#### GMX", "mx00.gmx.net"),
    ("#### T-Online", "mx00.t-online.de"),
    ("#### Orange", "smtp-in.orange.fr"),
    ("#### Comcast", "mx1a1.comcast.net"),
    ("#### Russia", ""),
    ("#### Filter", ""),
    ("#### Generic", ""),
];

/// Words in a row that name another provider than its section.
const ROW_HOSTS: [(&str, &str); 16] = [
    ("(Free)", "mx1.free.fr"),
    ("(Mail.ru)", "mxs.mail.ru"),
    ("(Yandex)", "mx.yandex.ru"),
    ("(QQ)", "mx3.qq.com"),
    ("(163.com)", "163mx01.mxmail.netease.com"),
    ("(yahoo.co.jp)", "mx1.mail.yahoo.co.jp"),
    ("(Cisco)", "mx1.example.iphmx.com"),
    ("(Barracuda", "d1.ess.barracudanetworks.com"),
    ("(Mimecast)", "eu-smtp-inbound-1.mimecast.com"),
    ("(Rackspace)", "mx1.emailsrvr.com"),
    ("(GoDaddy)", "smtp.secureserver.net"),
    ("(bizsmtp)", "smtp.secureserver.net"),
    ("LPN", "smtpz4.laposte.net"),
    ("SFR_IN", "smtp-in.sfr.fr"),
    ("AT&T legacy", "ff-ip4-mx-vip1.prodigy.net"),
    ("ipcheck.proofpoint.com", "mx1.example.pphosted.com"),
];

/// Rows without a reply that could be understood.
const NO_REPLY: [&str; 2] = [
    // A range of codes that other servers' reports show to senders to us.
    "192", // A time-out, not a reply.
    "194",
];

fn class_of(name: &str) -> Class {
    match name {
        "REP" => Class::Reputation,
        "RATE" => Class::Rate,
        "AUTH" => Class::Authentication,
        "CONTENT" => Class::Content,
        "FULL" => Class::Full,
        "BADRCPT" => Class::NoSuchUser,
        "POLICY" => Class::Policy,
        "TLS" => Class::Tls,
        "DNS" => Class::Dns,
        "GREY" => Class::Greylisting,
        "SYS" => Class::Theirs,
        "PROTO" => Class::Protocol,
        other => panic!("{other} is no class of the table"),
    }
}

/// Every way of saying it that a row holds: codes times tags or texts.
fn replies(code: &str, tag: &str, text: &str) -> Vec<String> {
    let text = text.replace('…', " ").replace("(…)", " ");
    let text = match text.find(" (") {
        // A provider's name in brackets is not said by it.
        Some(at) if text.ends_with(')') && !text.contains("PTR") && !text.contains("blocked") => {
            text[..at].to_owned()
        }
        _ => text,
    };
    let statuses: Vec<&str> = tag
        .split(['/', ' ', ',', '('])
        .map(str::trim)
        .filter(|word| word.starts_with(['4', '5']) && word.matches('.').count() == 2)
        .map(|word| word.split('-').next().unwrap_or(word))
        .collect();
    let marks: String = tag
        .split(' ')
        .filter(|word| !statuses.iter().any(|status| word.starts_with(status)) && *word != "-")
        .collect::<Vec<_>>()
        .join(" ");
    let codes = code
        .split(['/', ' '])
        .map(|code| code.replace("xx", "50").replace('x', "0"))
        .filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let mut all = Vec::new();
    for code in codes {
        let first = code.chars().next().unwrap_or('5');
        let status = statuses.iter().find(|status| status.starts_with(first));
        let status = status.or(statuses.first()).map_or("", |status| status);
        let marks: Vec<&str> = marks.split(" / ").collect();
        for mark in marks {
            // The second half of "sending IP / domain" is no reply by itself.
            let whole = |words: &&str| words.len() > 9 || !text.contains(" / ");
            for alternative in text.split(" / ").filter(whole) {
                all.push(format!("{code} {status} {alternative} {mark}").replace("  ", " "));
            }
        }
    }
    all
}

#[test]
fn every_row_of_the_table_is_understood() {
    let Some(corpora) = corpus::folder("bounces") else {
        println!("skipped: DELIVERABILITY.md (194 rows)");
        return;
    };
    let path = corpora.join("../../DELIVERABILITY.md");
    let Ok(document) = fs::read_to_string(path) else {
        println!("skipped: DELIVERABILITY.md (194 rows)");
        return;
    };
    let (mut rows, mut said, mut wrong) = (0, 0, Vec::new());
    let mut host = "";
    for line in document.lines() {
        if let Some((_, known)) = HOSTS.iter().find(|(head, _)| line.starts_with(head)) {
            host = known;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let is_row = cells.len() > 9 && cells[1].parse::<u16>().is_ok();
        if !is_row || NO_REPLY.contains(&cells[1]) {
            continue;
        }
        rows += 1;
        let wanted = class_of(cells[5]);
        let special = ROW_HOSTS
            .iter()
            .find(|(word, _)| line.contains(word))
            .map(|(_, host)| *host);
        let host = special.unwrap_or(host);
        for reply in replies(cells[2], cells[3], cells[4]) {
            said += 1;
            let refusal = Refusal::read(host, "", Phase::Unknown, &reply);
            let answer = classify(&refusal);
            if answer.class != wanted {
                wrong.push(format!(
                    "row {}: {reply:?} is {wanted:?}, answered {:?} by {}",
                    cells[1], answer.class, answer.rule
                ));
            }
            let holds = cells[6].starts_with("hold") || cells[6] == "treat as hold";
            if holds && reply.starts_with('5') && answer.next != Next::Hold {
                wrong.push(format!(
                    "row {}: {reply:?} is held, answered {:?} by {}",
                    cells[1], answer.next, answer.rule
                ));
            }
        }
    }
    println!("{rows} rows, {said} replies, {} wrong", wrong.len());
    assert!(rows >= 190, "{rows} rows found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
