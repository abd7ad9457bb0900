//! What it costs to find out who sent a message: SPF, two DKIM signatures and DMARC, in our code and in
//! OpenDKIM + OpenDMARC as filters, over the same messages and the same names, with warm caches.
//! Ours is called in this process: what is compared is CPU per message.

mod filters;
mod milter;
mod names;
mod ours;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::{Context, Result};
use mailauth::dkim::{self, Algorithm, SigningKey};

use crate::letters::{Letter, Letters};
use names::{Names, Table};

/// Away from addresses that other resolvers of a machine use.
const NAMES_AT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 153, 1));
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 25);
const DOMAIN: &str = "sender.example";
const HELLO: &str = "mail.sender.example";
const FROM: &str = "ann@sender.example";
const BYTES: usize = 10_000;
const MESSAGES: usize = 200;
/// The filters' share of `rounds`: they take far longer, and their clock is coarse.
const ROUNDS_PER_FILTER_ROUND: usize = 20;

/// One side's figure.
struct Cost {
    messages: usize,
    cpu_seconds: f64,
}

/// Measures both in turn, `rounds` times, and prints each and the ratio of the medians.
pub fn measure(dir: &Path, rounds: usize) -> Result<()> {
    let (table, messages) = world()?;
    // Port 53, because the filters can be told an address only.
    let names = Names::serve(NAMES_AT, 53, table)
        .context("the filters need port 53 of a loopback address: run as root")?;
    let ours = ours::Ours::prepare(names.at)?;
    let filters = match filters::Filters::start(&dir.join("filters"), names.at) {
        Ok(filters) => Some(filters),
        Err(error) => {
            println!("OpenDKIM and OpenDMARC: skipped ({error:#})");
            None
        }
    };
    let (mut we, mut they) = (Vec::new(), Vec::new());
    if let Some(filters) = &filters {
        // Warms their caches.
        filters.verify(&CLIENT.to_string(), HELLO, FROM, &messages)?;
    }
    ours.verify(&messages)?;
    let asked = names.asked();
    for _ in 0..rounds {
        let mut cost = Cost {
            messages: 0,
            cpu_seconds: 0.0,
        };
        for _ in 0..ROUNDS_PER_FILTER_ROUND {
            cost.cpu_seconds += ours.verify(&messages)?;
            cost.messages += messages.len();
        }
        we.push(cost.say("postroad"));
        if let Some(filters) = &filters {
            let cpu_seconds = filters.verify(&CLIENT.to_string(), HELLO, FROM, &messages)?;
            they.push(
                Cost {
                    messages: messages.len(),
                    cpu_seconds,
                }
                .say("opendkim + opendmarc"),
            );
        }
    }
    let by_whom = if filters.is_some() {
        "the filters (they keep keys only)"
    } else {
        "anybody"
    };
    println!(
        "questions to the name server by {by_whom} meanwhile: {}",
        names.asked() - asked
    );
    let ours = median(&mut we);
    println!(
        "\n| full verification of a {BYTES} byte message | us CPU per message | messages per CPU second |\n|---|---|---|"
    );
    println!("| postroad | {ours:.0} | {:.0} |", 1e6 / ours);
    if !they.is_empty() {
        let theirs = median(&mut they);
        println!(
            "| opendkim + opendmarc | {theirs:.0} | {:.0} |",
            1e6 / theirs
        );
        println!("\n{:.0} times their rate (goal: 20)", theirs / ours);
    }
    Ok(())
}

impl Cost {
    /// Microseconds of CPU per message.
    fn say(self, who: &str) -> f64 {
        let each = self.cpu_seconds * 1e6 / self.messages as f64;
        println!(
            "{who:22} {:6} messages, {:7.3} s CPU, {each:8.1} us each",
            self.messages, self.cpu_seconds
        );
        each
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A domain that does everything right, and mail from it.
fn world() -> Result<(Table, Vec<Vec<u8>>)> {
    let mut table = Table::default();
    let mut keys = Vec::new();
    for (selector, algorithm) in [("r", Algorithm::RsaSha256), ("e", Algorithm::Ed25519Sha256)] {
        let private = dkim::generate(algorithm)?;
        table.text(
            &format!("{selector}._domainkey.{DOMAIN}"),
            dkim::public_record(&private)?,
        );
        keys.push(SigningKey::from_pkcs8(DOMAIN, selector, &private)?);
    }
    table.text(DOMAIN, "v=spf1 include:_spf.sender.example -all");
    table.text(
        "_spf.sender.example",
        format!("v=spf1 a:{HELLO} ip4:198.51.100.0/24 ~all"),
    );
    table.text(HELLO, "v=spf1 a -all");
    table.text(
        "_dmarc.sender.example",
        "v=DMARC1; p=reject; rua=mailto:reports@sender.example",
    );
    table.address(HELLO, CLIENT);
    let letters = Letters::new();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let messages = (0..MESSAGES).map(|number| {
        let mut letter = letters.write(&Letter {
            number,
            size: BYTES,
            from: FROM,
            to: "bob@bench.test",
        });
        let mut signed = dkim::sign(&letter, &keys, ours::seconds_now())?;
        signed.append(&mut letter);
        Ok(signed)
    });
    Ok((table, messages.collect::<Result<_>>()?))
}
