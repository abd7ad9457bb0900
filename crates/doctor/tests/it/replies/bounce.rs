//! Bounce messages of other servers: recipients and refusals, and what is no bounce at all.

use std::fs;

use doctor::replies::{Class, Phase, bounce, classify};

use super::corpus;

#[test]
fn a_report_gives_each_recipient_its_refusal() {
    let message = b"From: MAILER-DAEMON@example.net\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
Final-Recipient: rfc822; a@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\nRemote-MTA: dns; mx1.example.org\r\n\
Diagnostic-Code: smtp; 550-5.1.1 no such\r\n 550 5.1.1 user here\r\n\r\n\
Final-Recipient: rfc822; b@example.org\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n\
Final-Recipient: rfc822; c@example.org\r\nAction: delayed\r\nStatus: 4.2.2\r\nDiagnostic-Code: smtp; 452 4.2.2 over quota\r\n--b--\r\n";
    let returned = bounce::read(message);
    let seen: Vec<_> = returned
        .iter()
        .map(|one| {
            (
                one.recipient.as_str(),
                one.refusal.host.as_str(),
                one.refusal.code,
                classify(&one.refusal).class,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                "a@example.org",
                "mx1.example.org",
                Some(550),
                Class::NoSuchUser
            ),
            ("c@example.org", "", Some(452), Class::Full),
        ]
    );
    assert!(bounce::is_bounce(message));
}

#[test]
fn free_texts_are_read() {
    // qmail, Exim, sendmail without a report.
    let table: [(&str, &str, Class, Phase); 3] = [
        (
            "Hi. This is the qmail-send program at q.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<who@example.org>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 <who@example.org>: User unknown\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nSubject: virus\n",
            "who@example.org",
            Class::NoSuchUser,
            Phase::Unknown,
        ),
        (
            "This message was created automatically by mail delivery software.\n\nThe following address(es) failed:\n\n  who@example.org\n    SMTP error from remote mail server after RCPT TO:<who@example.org>:\n    host mx.example.org [192.0.2.1]: 552 mailbox is full\n\n------ This is a copy of the message ------\n",
            "who@example.org",
            Class::Full,
            Phase::Rcpt,
        ),
        (
            "   ----- Transcript of session follows -----\n... while talking to mx.example.org.:\n>>> DATA\n<<< 554 5.7.1 message rejected as spam\n554 5.0.0 <who@example.org>... Service unavailable\n",
            "who@example.org",
            Class::Content,
            Phase::Unknown,
        ),
    ];
    for (text, recipient, class, phase) in table {
        let message = format!("From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n{text}");
        let returned = bounce::read(message.as_bytes());
        assert_eq!(returned.len(), 1, "{text}");
        assert_eq!(returned[0].recipient, recipient);
        assert_eq!(returned[0].refusal.phase, phase, "{text}");
        assert_eq!(classify(&returned[0].refusal).class, class, "{text}");
        assert!(bounce::is_bounce(message.as_bytes()));
    }
}

#[test]
fn ordinary_mail_is_no_bounce() {
    for message in [
        "From: Ada <ada@example.org>\r\nTo: bob@example.net\r\nSubject: lunch\r\n\r\nIs 550 5.1.1 a good number?\r\n",
        "Return-Path: <>\r\nFrom: ada@example.org\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\nI am away.\r\n",
    ] {
        assert!(!bounce::is_bounce(message.as_bytes()), "{message}");
    }
    let Some(folder) = corpus::folder("bounces") else {
        return;
    };
    for kind in ["sisimai/not-bounce", "bounce_email/non_bounces"] {
        for entry in fs::read_dir(folder.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let message = fs::read(&path).unwrap();
            assert!(!bounce::is_bounce(&message), "{}", path.display());
        }
    }
}

#[test]
fn most_labelled_bounces_are_known_as_such_and_name_their_recipients() {
    let Some(folder) = corpus::folder("bounces") else {
        println!("skipped: flufl-bounce (60 labels)");
        return;
    };
    let table = fs::read_to_string(folder.join("flufl-labels.tsv")).unwrap();
    let (mut all, mut known, mut wanted, mut named) = (0, 0, 0, 0);
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let Ok(message) = fs::read(folder.join("flufl-bounce").join(cells[0])) else {
            continue;
        };
        all += 1;
        known += usize::from(bounce::is_bounce(&message));
        let returned = bounce::read(&message);
        for address in cells
            .get(3)
            .unwrap_or(&"")
            .split([',', ' '])
            .filter(|a| !a.is_empty())
        {
            wanted += 1;
            let found = returned
                .iter()
                .any(|one| one.recipient.eq_ignore_ascii_case(address));
            named += usize::from(found);
            if !found {
                println!(
                    "  {} does not name {address}: {:?}",
                    cells[0],
                    returned
                        .iter()
                        .map(|one| &one.recipient)
                        .collect::<Vec<_>>()
                );
            }
        }
    }
    println!("{known} of {all} known as bounces, {named} of {wanted} recipients named");
    assert!(known * 100 >= all * 90);
    assert!(named * 100 >= wanted * 80);
}

#[test]
fn nothing_that_others_send_breaks_the_reader() {
    let samples: [&[u8]; 6] = [
        b"",
        b"\n\n",
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n:\n:\n\n;;;\n",
        b"\xff\xfe\n\n550\xff",
        b"Subject: x\n\n<@>: 5\n<a@b.c>: 55\n<a@b.c>:\n\n\n",
        b"X: y\n\n\xd0\xb0@\xd0\xb1.\xd1\x80\xd1\x84 550 5.1.1\n\xd0\xb0@\xd0\xb1.\xd1\x80\xd1\x84\n",
    ];
    for sample in samples {
        bounce::read(sample);
        bounce::is_bounce(sample);
    }
    let long = format!("Subject: x\n\n{}", "<a@b.cd>: 550 5.1.1 no\n".repeat(5000));
    assert!(bounce::read(long.as_bytes()).len() <= 1000);
}
