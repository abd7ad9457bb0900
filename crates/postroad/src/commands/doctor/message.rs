//! One message judged before it is sent, as its readers' servers will: what it says, and what stands behind its author.

use std::io::Read;
use std::path::Path;

use doctor::checks::{Finding, Group, MessageContext, judge as judge_message, score};
use jobs::doctor::Reach;
use mail::Message;
use serde_json::json;

use super::{look, show};
use crate::commands::Context;
use crate::output::{Answer, Failure};

/// As long as a message may be.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::failed(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(BYTES_MAX)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(failed)?;
    Ok(bytes)
}

/// Groups that a reader's server looks at when a message comes.
const LOOKED_AT: [Group; 4] = [
    Group::Dns,
    Group::Address,
    Group::Authentication,
    Group::Reputation,
];

pub(super) fn judge(context: &Context, bytes: &[u8], bulk: bool) -> Result<Answer, Failure> {
    let domains = context.store.read_blocking(|view| view.domains())?;
    let ours: Vec<String> = domains
        .iter()
        .map(|domain| domain.name.as_str().to_owned())
        .collect();
    let about = MessageContext {
        now: u64::try_from(context.now().0.div_euclid(1000)).unwrap_or(0),
        domains: ours.clone(),
        is_bulk: bulk,
    };
    let mut findings: Vec<Finding> = judge_message(bytes, &about);
    let author = author_domain(bytes);
    let known = domains
        .into_iter()
        .find(|domain| Some(domain.name.as_str()) == author.as_deref());
    let behind = match known {
        Some(domain) => look(context, Some(&domain.name), Reach::Lists)?.findings,
        None => Vec::new(),
    };
    let matters = |finding: &Finding| LOOKED_AT.contains(&finding.group);
    findings.extend(behind.into_iter().filter(matters));
    let score = score(&findings);
    let answer = Answer::new(json!({
        "score": score.points,
        "author_domain": author,
        "findings": findings,
    }));
    let answer = show::head(answer, "This message", &score);
    let answer = match findings.is_empty() {
        true => answer.line("").line("Nothing speaks against it."),
        false => show::each(answer, &findings).findings(),
    };
    Ok(answer)
}

fn author_domain(bytes: &[u8]) -> Option<String> {
    let from = Message::parse(bytes).header_text("From")?;
    let (_, domain) = from.rsplit_once('@')?;
    let end = domain
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(domain.len());
    Some(domain.get(..end)?.to_ascii_lowercase())
}
