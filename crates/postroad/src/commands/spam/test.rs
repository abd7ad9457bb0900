//! `postroad spam test`: how the filter judges a message, and why. Changes nothing; works without a data directory,
//! and knows then neither the people here nor what they taught.

use std::net::IpAddr;
use std::path::PathBuf;

use mail::Address;
use serde_json::json;
use spam::{Envelope, Facts, Features, Model, Sight, Verdict, Weights, attachments, judge, rules};

use crate::commands::auth::check;
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The message alone is judged: the built-in model and the rules, without block lists, without who wrote to whom, and \
without what was learnt here. `postroad spam why` tells how a stored message was judged.\n\n\
Exit status: 0 wanted, 1 failed, 2 wrong usage, 3 junk.")]
pub struct Args {
    /// The message as it lies in a file; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The envelope's sender (MAIL FROM)
    #[arg(long, value_name = "ADDRESS")]
    from: Option<Address>,
    /// The address of the host that sent it
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// What that host called itself (HELO or EHLO)
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// Whom it is for [default: as Delivered-To or To say]
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<Address>,
}

/// Judges the message.
pub fn run(args: &Args) -> Result<Answer, Failure> {
    let message = check::read(&args.file)?;
    let sight = Sight::of(&message);
    let features = Features::of(&sight);
    let envelope = Envelope {
        peer: args.ip,
        hello: args.helo.as_deref().unwrap_or_default(),
        from: args.from.as_ref(),
        recipients: &args.rcpt,
        ..Envelope::default()
    };
    let model = Model::built_in();
    let verdict = judge(
        model.log_odds(&features),
        &rules(&sight, &envelope),
        &Facts::default(),
        &Weights::default(),
    );
    let strongest = model.strongest(&sight, &features);
    let dangers = attachments::look(&sight);
    Ok(answer(&verdict, &strongest, &dangers))
}

fn answer(
    verdict: &Verdict,
    strongest: &[(String, f32)],
    dangers: &[attachments::Dangerous],
) -> Answer {
    let reasons = verdict.reasons.iter().map(|reason| {
        json!({
            "reason": reason.kind,
            "weight": tenth(reason.weight),
            "words": reason.words(),
            "details": reason.details,
        })
    });
    let words = strongest
        .iter()
        .map(|(words, weight)| json!({ "words": words, "weight": tenth(*weight) }));
    let value = json!({
        "verdict": verdict.place,
        "probability": verdict.probability,
        "score": tenth(verdict.log_odds),
        "threshold": tenth(verdict.threshold),
        "reasons": reasons.collect::<Vec<_>>(),
        "strongest": words.collect::<Vec<_>>(),
        "attachments": dangers,
    });
    let place = if verdict.is_junk() { "Junk" } else { "Wanted" };
    let mut answer = Answer::new(value).line(format!(
        "{place}. That it is junk: {} (score {:+.1}, junk from {:+.1} on).",
        verdict.percent(),
        verdict.log_odds,
        verdict.threshold,
    ));
    let weighed = |weight: f32, words: String| vec![format!("{weight:+.1}"), words];
    let rows: Vec<_> = verdict
        .reasons
        .iter()
        .map(|reason| weighed(reason.weight, reason.words()))
        .collect();
    if !rows.is_empty() {
        answer = answer.table(&["weight", "reason"], rows);
    }
    let rows: Vec<_> = strongest
        .iter()
        .map(|(words, weight)| weighed(*weight, words.clone()))
        .collect();
    if !rows.is_empty() {
        answer = answer
            .remark("What speaks loudest in the message, to the model:")
            .table(&["weight", "seen"], rows);
    }
    if !dangers.is_empty() {
        let rows = dangers
            .iter()
            .map(|danger| vec![danger.file.clone(), danger.kind.words().to_owned()]);
        answer = answer.table(&["attachment", "what it is"], rows.collect());
    }
    if verdict.is_junk() {
        answer.findings()
    } else {
        answer
    }
}

/// One decimal: more would be believed.
fn tenth(number: f32) -> f64 {
    (f64::from(number) * 10.0).round() / 10.0
}
