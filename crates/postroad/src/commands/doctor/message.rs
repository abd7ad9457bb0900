//! One message judged before it is sent, as its readers' servers will: what it says, and what stands behind its author.

use std::io::Read;
use std::path::Path;

use doctor::checks::{Finding, MessageContext, judge as judge_message, score};
use jobs::doctor::{CHECK_ACCOUNT_NAME, CHECK_LOCAL_PART, LOOKED_AT, Reach, author_domain};
use mail::Address;
use serde_json::json;
use store::NewAccount;

use super::{look, show};
use crate::commands::{Context, find};
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

/// Makes the special address. Nobody knows the password of its account, so nobody logs in.
pub(super) fn make_address(context: &Context, domain: &str) -> Result<Answer, Failure> {
    let domain = find::parse_domain(domain)?;
    let wanted = domain.clone();
    context
        .store
        .read_blocking(move |view| find::domain(view, &wanted).map(drop))?;
    let address = Address::new(CHECK_LOCAL_PART, domain)
        .map_err(|error| Failure::failed(error.to_string()))?;
    let mut secret = [0; 32];
    context.random.fill(&mut secret);
    let account = NewAccount {
        address: address.clone(),
        name: CHECK_ACCOUNT_NAME.to_owned(),
        password: secret.iter().map(|byte| format!("{byte:02x}")).collect(),
        quota: None,
    };
    context.store.add_account_blocking(account, context.now())?;
    Ok(Answer::new(json!({ "address": address.to_string() }))
        .line(format!(
            "{address} judges what your users send to it, and answers them."
        ))
        .remark(format!("Take it away: postroad account remove {address}")))
}
