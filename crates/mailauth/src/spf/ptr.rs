//! The client's names that hold: its reverse names which lead back to its address. rfc7208#5.5

use std::net::IpAddr;

use futures_util::future::join_all;
use world::{Dns, Kind, Record, reverse_name};

use super::limits::PTR_NAMES_MAX;
use super::name;
use crate::explain::Notes;

/// In the order of the answer. DNS trouble means fewer names; and since it is the client who chooses what
/// stands there, what is missing does not count against the domain's limit of void look-ups.
pub(super) async fn validated(dns: &dyn Dns, ip: IpAddr, notes: &mut Notes) -> Vec<String> {
    let reverse = reverse_name(ip);
    let answer = dns.ask(&reverse, Kind::Ptr).await;
    notes.asked("the client's names", &reverse, Kind::Ptr, &answer);
    let Ok(answer) = answer else {
        return Vec::new();
    };
    let names = answer.records.iter().filter_map(|record| match record {
        Record::Ptr(name) => Some(name::askable(name)),
        _ => None,
    });
    let names: Vec<String> = names.take(PTR_NAMES_MAX).flatten().collect();
    let kind = match ip {
        IpAddr::V4(_) => Kind::A,
        IpAddr::V6(_) => Kind::Aaaa,
    };
    let answers = join_all(names.iter().map(|name| dns.ask(name, kind))).await;
    let mut valid = Vec::new();
    for (name, answer) in names.iter().zip(answers) {
        notes.asked("does the name lead back?", name, kind, &answer);
        if answer.is_ok_and(|answer| answer.addresses().any(|address| address == ip)) {
            valid.push(name.clone());
        }
    }
    valid
}

/// What `%{p}` stands for: the domain itself if it is among the names, else one below it, else any.
/// rfc7208#7.3
pub(super) fn nearest<'a>(names: &'a [String], domain: &str) -> &'a str {
    let itself = names
        .iter()
        .find(|name| name.len() == domain.len() && name::is_below(name, domain));
    let below = || names.iter().find(|name| name::is_below(name, domain));
    itself
        .or_else(below)
        .or(names.first())
        .map_or("unknown", String::as_str)
}
