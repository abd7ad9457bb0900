//! What DMARC reports call for: a sentence for each thing somebody can do something about. Pure.

use store::reports::SourceOwner;

use super::percent;
use super::sums::{Source, Sums};

/// A stranger is worth a sentence from so many messages on, or from one in a hundred.
const FEW_MESSAGES: u64 = 5;

/// What is known beside the sums.
pub(super) struct Facts<'a> {
    pub(super) domain: &'a str,
    /// The policy that receivers saw last.
    pub(super) policy: Option<&'a str>,
    /// What reporters found wrong with our records.
    pub(super) errors: Vec<(String, String)>,
    /// Different days that reports tell of.
    pub(super) days: usize,
}

/// What to do, and what only to know.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) mend: Vec<String>,
    pub(super) know: Vec<String>,
}

pub(super) fn advice(facts: &Facts<'_>, sums: &Sums) -> Advice {
    let mut advice = Advice::default();
    for source in &sums.sources {
        match source.owner {
            SourceOwner::ThisServer => own_server(facts, source, &mut advice),
            SourceOwner::Allowed => allowed(facts, source, &mut advice),
            SourceOwner::Stranger | SourceOwner::Unknown => {
                let many = FEW_MESSAGES < source.counts.messages
                    || sums.counts.messages < source.counts.messages.saturating_mul(100);
                stranger(facts, source, many, &mut advice);
            }
        }
    }
    for (reporter, error) in &facts.errors {
        advice.mend.push(format!(
            "{reporter} has trouble with the DMARC record of {}: {error}. See `postroad dns show {}` for what it should be.",
            facts.domain, facts.domain
        ));
    }
    policy(facts, sums, &mut advice);
    advice
}

/// Everything that this server sends should be signed, and allowed by SPF.
fn own_server(facts: &Facts<'_>, source: &Source, advice: &mut Advice) {
    let domain = facts.domain;
    let who = who(source);
    if source.unsigned != 0 {
        advice.mend.push(format!(
            "This server ({who}) sent {} without a DKIM signature of {domain}. Look at `postroad dkim list`: the domain \
             needs active keys; and check that nothing else on this machine sends mail around Postroad.",
            messages(source.unsigned)
        ));
    }
    if source.broken_signature != 0 {
        let selectors = list(source.selectors.iter());
        let problems = list(source.dkim_problems.iter());
        advice.mend.push(format!(
            "DKIM signatures of this server ({who}) did not hold on {} (result: {problems}; selector: {selectors}). \
             Compare the DKIM records of `postroad dns show {domain}` with what is in the DNS; if they are right, something \
             behind this server changes the messages.",
            messages(source.broken_signature)
        ));
    }
    if source.spf_not_passed != 0 {
        let addresses = list(source.addresses.iter().map(|(ip, _)| ip));
        advice.mend.push(format!(
            "SPF does not let {} of this server pass: the SPF record must allow {addresses}. `postroad dns show {domain}` \
             has the record.",
            messages(source.spf_not_passed)
        ));
    }
}

/// A service that the SPF record names.
fn allowed(facts: &Facts<'_>, source: &Source, advice: &mut Advice) {
    if source.failing() == 0 {
        return;
    }
    let domain = facts.domain;
    let signs_as = if source.passes_as.is_empty() {
        String::new()
    } else {
        format!(" (it passes as {})", list(source.passes_as.iter()))
    };
    advice.mend.push(format!(
        "{} is allowed by your SPF record, but {} of its {} fail DMARC{signs_as}: have it sign with DKIM as {domain}, or \
         use a return path below {domain}. If it is no service of yours any more, take it out of the SPF record.",
        who(source),
        source.failing(),
        messages(source.counts.messages)
    ));
}

fn stranger(facts: &Facts<'_>, source: &Source, many: bool, advice: &mut Advice) {
    let domain = facts.domain;
    let who = who(source);
    let failing = source.failing();
    if failing == 0 {
        if many && source.counts.dkim_aligned == source.counts.messages {
            advice.know.push(format!(
                "{who} passed on {} with your signature intact: most likely somebody forwards your mail. Nothing to do.",
                messages(source.counts.messages)
            ));
        }
        return;
    }
    if source.broken_signature != 0 {
        advice.know.push(format!(
            "{who} passed on {} whose signature of {domain} did not hold any more: a mailing list or forwarder that \
             changes messages. Receivers that know it let them pass; others do what your policy says.",
            messages(source.broken_signature)
        ));
        return;
    }
    if !many {
        return;
    }
    let passes_as = list(source.passes_as.iter());
    if !source.passes_as.is_empty() {
        advice.mend.push(format!(
            "{who} sent {} in the name of {domain} that are not aligned (they pass as {passes_as}). If it is a service \
             that you use, have it sign with DKIM as {domain} or allow it in the SPF record; if not, somebody uses your name.",
            messages(failing)
        ));
    } else if source.counts.let_through != 0 {
        let policy = facts.policy.unwrap_or("none");
        advice.know.push(format!(
            "{who} sent {} in the name of {domain} that nothing vouches for: most likely forged. {} of them were let \
             through (your policy is p={policy}).",
            messages(failing),
            source.counts.let_through
        ));
    }
}

/// When the own sources are in order, the policy may become stricter.
fn policy(facts: &Facts<'_>, sums: &Sums, advice: &mut Advice) {
    const DAYS_MIN: usize = 14;
    let own: Vec<_> = sums
        .sources
        .iter()
        .filter(|source| matches!(source.owner, SourceOwner::ThisServer | SourceOwner::Allowed))
        .collect();
    let (sent, passing) = own.iter().fold((0, 0), |(sent, passing), source| {
        (
            sent + source.counts.messages,
            passing + source.counts.passing,
        )
    });
    let next = match facts.policy {
        Some("none") => "p=quarantine",
        Some("quarantine") => "p=reject",
        _ => return,
    };
    let in_order = sent != 0 && passing * 100 >= sent * 98;
    if advice.mend.is_empty() && in_order && DAYS_MIN <= facts.days {
        advice.know.push(format!(
            "{} of your own mail passes, over {} days: the policy of {} may become {next}.",
            percent(passing, sent),
            facts.days,
            facts.domain
        ));
    }
}

fn who(source: &Source) -> String {
    const ADDRESSES_SHOWN: usize = 3;
    let shown: Vec<String> = source
        .addresses
        .iter()
        .take(ADDRESSES_SHOWN)
        .map(|(ip, _)| ip.to_string())
        .filter(|ip| *ip != source.name)
        .collect();
    let more = source.addresses.len().saturating_sub(ADDRESSES_SHOWN);
    match (shown.is_empty(), more) {
        (true, _) => source.name.clone(),
        (false, 0) => format!("{} ({})", source.name, shown.join(", ")),
        (false, more) => format!("{} ({} and {more} more)", source.name, shown.join(", ")),
    }
}

fn messages(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }
}

fn list(texts: impl Iterator<Item = impl ToString>) -> String {
    let texts: Vec<String> = texts.map(|text| text.to_string()).collect();
    if texts.is_empty() {
        "unknown".to_owned()
    } else {
        texts.join(", ")
    }
}
