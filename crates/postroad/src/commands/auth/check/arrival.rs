//! How the message came: by the options, else by what the trace fields on top of it say.

use std::net::IpAddr;

use mail::{ReversePath, header};
use mailauth::spf::Sender;

use super::Args;
use crate::output::Failure;

/// Received fields that are looked at.
const RECEIVED_MAX: usize = 20;

/// A value, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told<T> {
    pub value: T,
    pub by: &'static str,
}

/// Who brought the message.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub ip: Told<IpAddr>,
    pub helo: Told<String>,
    pub from: Told<ReversePath>,
}

impl Arrival {
    pub fn sender<'a>(&'a self, receiver: &'a str, now: u64) -> Sender<'a> {
        Sender {
            ip: self.ip.value,
            helo: &self.helo.value,
            mail_from: &self.from.value,
            receiver,
            now,
        }
    }
}

pub(super) fn of(message: &[u8], args: &Args) -> Result<Arrival, Failure> {
    let top = received(message);
    let ip = match (args.ip, &top) {
        (Some(ip), _) => Told::option(ip, "--ip"),
        (None, Some(hop)) => Told::option(hop.ip, "the topmost Received field with an address"),
        (None, None) => {
            return Err(Failure::usage(
                "no Received field of the message says from which address it came: say it with --ip",
            ));
        }
    };
    let helo = match (&args.helo, top) {
        (Some(helo), _) => Told::option(helo.clone(), "--helo"),
        // Another host's word than the one whose address is checked would explain nothing.
        (None, Some(hop)) if hop.ip == ip.value => {
            Told::option(hop.helo, "the same Received field")
        }
        (None, _) => Told::option(literal(ip.value), "nowhere: the address stands in for it"),
    };
    let from = match &args.from {
        Some(text) => Told::option(path(text)?, "--from"),
        None => match return_path(message) {
            Some(path) => Told::option(path, "Return-Path"),
            None => Told::option(ReversePath::Null, "nowhere: taken as null"),
        },
    };
    Ok(Arrival { ip, helo, from })
}

impl<T> Told<T> {
    fn option(value: T, by: &'static str) -> Self {
        Self { value, by }
    }
}

fn path(text: &str) -> Result<ReversePath, Failure> {
    let inner = text.trim().trim_start_matches('<').trim_end_matches('>');
    if inner.is_empty() {
        return Ok(ReversePath::Null);
    }
    ReversePath::parse(inner).map_err(|error| Failure::usage(format!("--from {text}: {error}")))
}

fn return_path(message: &[u8]) -> Option<ReversePath> {
    let value = header::first(message, "Return-Path")?;
    path(std::str::from_utf8(value).ok()?.trim()).ok()
}

fn literal(ip: IpAddr) -> String {
    mail::Domain::of_ip(ip).as_str().to_owned()
}

struct Hop {
    helo: String,
    ip: IpAddr,
}

/// The newest hop that says who the other side was: `from HELO (NAME [IP])`.
fn received(message: &[u8]) -> Option<Hop> {
    header::fields(message)
        .filter(|field| field.is("Received"))
        .take(RECEIVED_MAX)
        .find_map(|field| hop(&String::from_utf8_lossy(&header::unfold(field.value))))
}

fn hop(value: &str) -> Option<Hop> {
    let mut words = value.split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("from") {
        return None;
    }
    let helo = words.next()?.to_owned();
    let clause = value.split(" by ").next()?;
    let ip = clause.split('[').skip(1).find_map(|rest| {
        let inner = rest.split(']').next()?;
        let tagged = inner
            .get(..5)
            .is_some_and(|tag| tag.eq_ignore_ascii_case("IPv6:"));
        inner.get(if tagged { 5 } else { 0 }..)?.parse().ok()
    })?;
    Some(Hop { helo, ip })
}
