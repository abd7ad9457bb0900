//! Scenarios in the pocket internet: mail between hosts and servers of all kinds, in weather of all kinds.

mod authentication;
mod authors;
mod blocked;
mod bounces;
mod bursts;
mod delivery;
mod dns;
mod dnssec;
mod doctor;
mod forwarding;
mod hijacked;
mod hijacked_owner;
mod hostile;
mod hostile_kinds;
mod http;
mod jobs;
mod junk;
mod laws;
mod learning;
mod log_ins;
mod middle;
mod month;
mod planted;
mod policies;
mod postfix;
mod providers;
mod readers;
mod relay;
mod remotes;
mod reports;
mod restarts;
mod retries;
mod rotation;
mod routes;
mod sign_ins;
mod tls;
mod transport;
mod transport_dane;
mod transport_wishes;

use simulator::{Host, Internet};

const ANN: &str = "ann@here.test";
const BOB: &str = "bob@there.test";

/// The usual host: ann lives on it.
async fn here(internet: &Internet) -> Host {
    internet
        .host("mx.here.test")
        .domain("here.test")
        .account(ANN)
        .start()
        .await
}

fn letter(subject: &str) -> String {
    format!("Subject: {subject}\r\nTo: <{BOB}>\r\n\r\nHello, this is about {subject}.\r\n")
}

/// As it comes from outside: whole.
fn letter_from(author: &str, subject: &str) -> String {
    format!(
        "From: {author} <{author}>\r\nDate: Mon, 2 Mar 2026 09:00:00 +0000\r\nMessage-ID: <{subject}.1@far.test>\r\n{}",
        letter(subject)
    )
}

/// Both parts of a report, for assertions on its fields.
#[track_caller]
fn assert_report(report: &str, wanted: &[&str]) {
    let folded = report.to_ascii_lowercase();
    for wanted in ["multipart/report", "message/delivery-status"]
        .iter()
        .chain(wanted)
    {
        assert!(
            folded.contains(&wanted.to_ascii_lowercase()),
            "no {wanted:?} in\n{report}"
        );
    }
}
