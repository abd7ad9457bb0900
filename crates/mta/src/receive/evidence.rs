//! What the author's domain is told of a message in its daily report (RFC 9990), and what a sender is
//! told whose message is refused or put off: facts put into words, nothing decided.

use std::fmt::Write as _;
use std::net::IpAddr;

use mail::{ReversePath, UnixMillis};
use mailauth::dmarc::{Alignment, Dmarc, DmarcResult, FailureOptions, Published, Record};
use mailauth::spf::{Spf, SpfResult};
use mailauth::verdict::{Trouble, Verdict};
use store::reports::{
    DkimSeen, DmarcEntry, DmarcEvidence, Override, PublishedPolicy, SpfScope, SpfSeen,
};

use super::judge::{Judgement, Reason};
use crate::limits;

/// One message for the report; nothing if the domain wants none.
pub(super) fn evidence(
    verdict: &Verdict,
    ip: IpAddr,
    from: &ReversePath,
    judgement: Judgement,
    at: UnixMillis,
) -> Option<DmarcEvidence> {
    let dmarc = &verdict.dmarc;
    let published = dmarc.published.as_ref()?;
    if published.record.rua.is_empty() {
        return None;
    }
    let signatures = verdict.dkim.iter().filter(|one| !one.domain.is_empty());
    let seen = |one: &mailauth::dkim::Verdict| DkimSeen {
        domain: one.domain.clone(),
        selector: one.selector.clone(),
        result: one.result.as_str().to_owned(),
    };
    Some(DmarcEvidence {
        at,
        policy_domain: published.domain.clone(),
        policy: policy(&published.record),
        entry: DmarcEntry {
            source: ip.to_canonical(),
            header_from: dmarc.domain.clone()?,
            envelope_from: from
                .address()
                .map(|address| address.domain().as_str().to_owned()),
            disposition: judgement.disposition(),
            dkim_aligned: dmarc.dkim_aligned,
            spf_aligned: dmarc.spf_aligned,
            overrides: overrides(dmarc, published, judgement),
            dkim: signatures
                .map(seen)
                .take(limits::SIGNATURES_REPORTED_MAX)
                .collect(),
            spf: spf_seen(&verdict.spf, from),
        },
    })
}

fn spf_seen(spf: &Spf, from: &ReversePath) -> Option<SpfSeen> {
    let seen = SpfSeen {
        domain: spf.domain.clone(),
        scope: match from.is_null() {
            true => SpfScope::Helo,
            false => SpfScope::Mfrom,
        },
        result: spf.result.as_str().to_owned(),
    };
    (!seen.domain.is_empty()).then_some(seen)
}

fn overrides(dmarc: &Dmarc, published: &Published, judgement: Judgement) -> Vec<Override> {
    let of = |(kind, comment): (&str, &str)| Override {
        kind: kind.to_owned(),
        comment: Some(comment.to_owned()),
    };
    let fails = dmarc.result == DmarcResult::Fail;
    let testing = fails && published.record.testing && published.policy != dmarc.wish;
    let testing = testing.then_some(("policy_test_mode", "t=y"));
    testing
        .into_iter()
        .chain(judgement.overridden())
        .map(of)
        .collect()
}

fn policy(record: &Record) -> PublishedPolicy {
    let alignment = |alignment| match alignment {
        Alignment::Relaxed => Some("r".to_owned()),
        Alignment::Strict => Some("s".to_owned()),
    };
    PublishedPolicy {
        p: record.p.as_str().to_owned(),
        sp: record.sp.map(|policy| policy.as_str().to_owned()),
        np: record.np.map(|policy| policy.as_str().to_owned()),
        adkim: alignment(record.adkim),
        aspf: alignment(record.aspf),
        fo: Some(options(record.fo)),
        testing: record.testing,
        rua: record.rua.iter().map(|to| to.uri.clone()).collect(),
    }
}

fn options(fo: FailureOptions) -> String {
    let letters = [
        (fo.all_failed, "0"),
        (fo.any_failed, "1"),
        (fo.dkim_failed, "d"),
        (fo.spf_failed, "s"),
    ];
    let said = letters.iter().filter(|(said, _)| *said);
    said.map(|(_, letter)| *letter)
        .collect::<Vec<_>>()
        .join(":")
}

/// The domain that vouches for the author: by DMARC, or, where there is no policy, by a signature or SPF
/// of the author's own domain or one above it.
pub(super) fn submitter(verdict: &Verdict) -> Option<String> {
    let author = verdict.dmarc.domain.clone()?;
    let is_above = |domain: &str| {
        author == domain
            || domain.contains('.')
                && author
                    .strip_suffix(domain)
                    .is_some_and(|rest| rest.ends_with('.'))
    };
    let vouched = match verdict.dmarc.result {
        DmarcResult::Pass => true,
        DmarcResult::None => {
            verdict.spf.result == SpfResult::Pass && is_above(&verdict.spf.domain)
                || verdict
                    .dkim
                    .iter()
                    .any(|one| one.passed() && is_above(&one.domain))
        }
        DmarcResult::Fail | DmarcResult::TempError | DmarcResult::PermError => false,
    };
    vouched.then_some(author)
}

/// Why a message is refused, whose wish that is, and how to mend it; a line each.
pub(super) fn why_refused(verdict: &Verdict) -> Box<str> {
    let author = verdict.dmarc.domain.as_deref().unwrap_or("its author");
    let policy = verdict.dmarc.policy_domain().unwrap_or(author);
    let mut text = format!(
        "{policy} wishes (DMARC, p=reject) that mail in the name of {author} be refused if that is not confirmed, \
         and of this message it is not:\n"
    );
    let spf = &verdict.spf;
    let _ = write!(
        text,
        "SPF for {}: {}",
        named(&spf.domain),
        spf.result.as_str()
    );
    if spf.result == SpfResult::Pass {
        let _ = write!(text, ", but that is not {author}");
    }
    match verdict.dkim.as_slice() {
        [] => text.push_str("; DKIM: no signature.\n"),
        signatures => {
            for one in signatures.iter().take(limits::SIGNATURES_TOLD_MAX) {
                let (domain, result) = (named(&one.domain), one.result.as_str());
                let _ = write!(text, "; DKIM by {domain}: {result} ({})", one.reason);
            }
            text.push_str(".\n");
        }
    }
    let _ = write!(
        text,
        "Who sends for {author} should sign as {author} (DKIM) or be named in its SPF record; lists and forwarders \
         should leave signed messages as they are."
    );
    text.into()
}

pub(super) fn why_put_off(verdict: &Verdict, trouble: Trouble) -> Box<str> {
    let author = verdict.dmarc.domain.as_deref().unwrap_or("its author");
    let unknown = match trouble {
        Trouble::Policy => format!("what {author} wishes for mail in its name (DMARC)"),
        Trouble::Authentication => format!("whether this message is really from {author}"),
        Trouble::Chain => {
            "whether those who passed this message on can be believed (ARC)".to_owned()
        }
    };
    format!("the DNS does not say now {unknown}; please try again later").into()
}

/// Why mail does not go on to another server.
pub(super) fn why_kept(judgement: Judgement) -> Box<str> {
    match judgement.reason {
        Reason::SeveralFroms => "has more than one From field".into(),
        Reason::SeveralAuthors => "names authors of different domains".into(),
        Reason::WaitedEnough(_) => "cannot be confirmed by the DNS (DMARC)".into(),
        _ => "fails the policy of its author's domain (DMARC)".into(),
    }
}

fn named(domain: &str) -> &str {
    match domain {
        "" => "no domain",
        domain => domain,
    }
}

#[cfg(test)]
mod tests;
