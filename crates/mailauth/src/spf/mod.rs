//! Sender Policy Framework (RFC 7208): may this host send with that domain in HELO and MAIL FROM?
//! `record.rs` reads records, `macros.rs` their macros, `evaluate.rs` is the RFC's check_host().

mod evaluate;
mod limits;
mod macros;
mod name;
mod ptr;
mod record;

use std::net::IpAddr;

use mail::ReversePath;
use world::Dns;

use crate::explain::Notes;
use evaluate::{Evaluation, Outcome};

/// Who is at the door.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    pub ip: IpAddr,
    /// As the client said it, brackets of an address literal included.
    pub helo: &'a str,
    pub mail_from: &'a ReversePath,
    /// Our own host name, for `%{r}` in explanations.
    pub receiver: &'a str,
    /// Seconds since 1970, for `%{t}` in explanations.
    pub now: u64,
}

/// RFC 7208 §2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpfResult {
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,
    TempError,
    PermError,
}

/// Which name was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    Helo,
    MailFrom,
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spf {
    pub result: SpfResult,
    pub identity: Identity,
    /// The domain that was checked, A-labels in lower case; empty when there was none to check.
    pub domain: String,
    /// The directive that matched, as it stands in the record; `default` if none did.
    pub matched: Option<String>,
    /// What matched, here or in a record that is included, would match most of the world (`+all`, `ip4:0.0.0.0/1`): a pass
    /// says nothing of the sender.
    pub boundless: bool,
    /// What the domain's owner says about a `Fail`; printable ASCII, in one line.
    pub explanation: Option<String>,
    /// Why there is no answer, for `TempError` and `PermError`, and sometimes for `None`.
    pub problem: Option<Problem>,
}

/// Why a check came to no judgement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0} is not a domain name that can be looked up")]
    NoDomain(String),
    #[error("{domain} has more than one SPF record")]
    SeveralRecords { domain: String },
    #[error("the SPF record of {domain} has an error at \"{term}\"")]
    Syntax { domain: String, term: String },
    #[error("the SPF record of {domain} has bytes that are not ASCII")]
    NotAscii { domain: String },
    #[error(
        "the SPF records need more than {} terms with DNS look-ups",
        limits::TERMS_MAX
    )]
    TooManyTerms,
    #[error(
        "more than {} look-ups of the SPF records found nothing",
        limits::VOID_LOOKUPS_MAX
    )]
    TooManyVoidLookups,
    #[error("{domain} has more than {} MX records", limits::MX_NAMES_MAX)]
    TooManyMx { domain: String },
    #[error("{domain}, which is included, has no SPF record")]
    IncludeWithoutRecord { domain: String },
    #[error("{domain}, to which the record redirects, has no SPF record")]
    RedirectWithoutRecord { domain: String },
    #[error("{name} could not be looked up: {why}")]
    Dns { name: String, why: String },
}

impl SpfResult {
    /// As RFC 8601 and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl Spf {
    /// Whether the domain's owner says that this very sender may send for it.
    #[must_use]
    pub fn vouches(&self) -> bool {
        self.result == SpfResult::Pass && !self.boundless
    }
}

impl Identity {
    /// As RFC 7208 §9.1 writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Helo => "helo",
            Self::MailFrom => "mailfrom",
        }
    }
}

/// Checks MAIL FROM; a null reverse-path is checked as `postmaster@HELO` (RFC 7208 §2.4), and the
/// result then says `Identity::MailFrom` with the HELO domain.
pub async fn check(dns: &dyn Dns, sender: &Sender<'_>, notes: &mut Notes) -> Spf {
    match sender.mail_from.address() {
        Some(address) => {
            let parts = sender.parts(address.local(), address.domain().as_str());
            check_parts(dns, &parts, Identity::MailFrom, notes).await
        }
        None => {
            let parts = sender.parts(POSTMASTER, sender.helo);
            check_parts(dns, &parts, Identity::MailFrom, notes).await
        }
    }
}

/// Checks the HELO name alone (RFC 7208 §2.3).
pub async fn check_helo(dns: &dyn Dns, sender: &Sender<'_>, notes: &mut Notes) -> Spf {
    let parts = sender.parts(POSTMASTER, sender.helo);
    check_parts(dns, &parts, Identity::Helo, notes).await
}

/// Checks a MAIL FROM that stands in any text, such as one that no server would take: what follows the
/// last `@` is the domain. For tools and test suites.
pub async fn check_text(
    dns: &dyn Dns,
    sender: &Sender<'_>,
    mail_from: &str,
    notes: &mut Notes,
) -> Spf {
    let (local, domain) = match mail_from {
        "" => (POSTMASTER, sender.helo),
        text => text.rsplit_once('@').unwrap_or((POSTMASTER, text)),
    };
    // RFC 7208 §4.3: a sender without local part is postmaster.
    let local = if local.is_empty() { POSTMASTER } else { local };
    check_parts(dns, &sender.parts(local, domain), Identity::MailFrom, notes).await
}

const POSTMASTER: &str = "postmaster";

/// The arguments of the RFC's check_host(), and what macros want.
struct Parts<'a> {
    ip: IpAddr,
    local: &'a str,
    domain: &'a str,
    helo: &'a str,
    receiver: &'a str,
    now: u64,
}

impl<'a> Sender<'a> {
    fn parts(&self, local: &'a str, domain: &'a str) -> Parts<'a> {
        Parts {
            ip: self.ip,
            local,
            domain,
            helo: self.helo,
            receiver: self.receiver,
            now: self.now,
        }
    }
}

async fn check_parts(
    dns: &dyn Dns,
    sender: &Parts<'_>,
    identity: Identity,
    notes: &mut Notes,
) -> Spf {
    notes.say(|| {
        format!(
            "may {} send as {} ({})?",
            sender.ip,
            crate::explain::printable(sender.domain.as_bytes()),
            identity.as_str()
        )
    });
    notes.deeper();
    let domain = name::checkable(sender.domain);
    let (outcome, boundless) = match &domain {
        Some(domain) => {
            let mut evaluation = Evaluation::new(dns, sender, domain, notes);
            let outcome = evaluation.check_host().await;
            (outcome, evaluation.is_boundless())
        }
        None => {
            let domain = crate::explain::printable(sender.domain.as_bytes());
            (Outcome::none(Some(Problem::NoDomain(domain))), false)
        }
    };
    notes.back();
    notes.say(|| format!("{}: {}", identity.as_str(), outcome.result.as_str()));
    Spf {
        result: outcome.result,
        identity,
        domain: domain.unwrap_or_default(),
        matched: outcome.matched,
        boundless,
        explanation: outcome.explanation,
        problem: outcome.problem,
    }
}
