//! Everything for one message: all checks beside one another, each question to the DNS as soon as it
//! is known. Judges nothing on behalf of the operator: `mta` decides what follows.

use futures_util::future::{Either, FutureExt, Shared, join, join3, select};
use world::{Answer, BoxFuture, Dns, DnsError, Kind};

use crate::arc::{self, Arc};
use crate::dkim;
use crate::dmarc::{self, Author, Discovery, Dmarc, DmarcResult};
use crate::explain::{Notes, Step};
use crate::iprev::{self, Iprev};
use crate::spf::{self, Sender, Spf};

/// What can be known before the message is there: it can be asked at MAIL time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Early {
    pub iprev: Iprev,
    /// SPF for the HELO name.
    pub helo: Spf,
    /// SPF for MAIL FROM (for the HELO name if the reverse-path is null).
    pub spf: Spf,
}

/// What is known of a message's sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub iprev: Iprev,
    pub helo: Spf,
    pub spf: Spf,
    /// One for each signature, in the order of the header; empty if there is none.
    pub dkim: Vec<dkim::Verdict>,
    pub arc: Arc,
    pub dmarc: Dmarc,
}

/// Which answer the DNS owes us. A message whose fate depends on it must come again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Whether the author's domain has a policy, and which.
    Policy,
    /// Whether SPF or DKIM pass for the author's domain, which has a policy.
    Authentication,
    /// DMARC failed and the domain wishes the message away, but whether the chain of sealers is
    /// sound, which could excuse it, is not known.
    Chain,
}

/// Why the checks came out as they did, step by step; empty unless it was asked for.
#[derive(Debug)]
pub struct Explanation {
    pub iprev: Vec<Step>,
    pub helo: Vec<Step>,
    pub spf: Vec<Step>,
    pub dkim: Vec<Step>,
    pub arc: Vec<Step>,
    pub dmarc: Vec<Step>,
}

/// The questions about the connection and the envelope.
pub async fn early(dns: &dyn Dns, sender: &Sender<'_>) -> Early {
    let mut notes = [Notes::off(), Notes::off(), Notes::off()];
    early_with(dns, sender, &mut notes).await
}

/// The whole verdict. `now` is in seconds since 1970.
pub async fn message(dns: &dyn Dns, early: Early, message: &[u8], now: u64) -> Verdict {
    let mut notes = [Notes::off(), Notes::off(), Notes::off()];
    message_with(dns, early, message, now, &mut notes).await
}

/// As [`early`] and [`message`] together, and tells why.
pub async fn explained(
    dns: &dyn Dns,
    sender: &Sender<'_>,
    message: &[u8],
) -> (Verdict, Explanation) {
    let mut before = [Notes::on(), Notes::on(), Notes::on()];
    let mut after = [Notes::on(), Notes::on(), Notes::on()];
    let early = early_with(dns, sender, &mut before).await;
    let verdict = message_with(dns, early, message, sender.now, &mut after).await;
    let [iprev, helo, spf] = before.map(Notes::into_steps);
    let [dkim, arc, dmarc] = after.map(Notes::into_steps);
    let explanation = Explanation {
        iprev,
        helo,
        spf,
        dkim,
        arc,
        dmarc,
    };
    (verdict, explanation)
}

async fn early_with(dns: &dyn Dns, sender: &Sender<'_>, notes: &mut [Notes; 3]) -> Early {
    let [of_iprev, of_helo, of_spf] = notes;
    let (iprev, helo, spf) = join3(
        iprev::check(dns, sender.ip, of_iprev),
        spf::check_helo(dns, sender, of_helo),
        spf::check(dns, sender, of_spf),
    )
    .await;
    Early { iprev, helo, spf }
}

async fn message_with(
    dns: &dyn Dns,
    early: Early,
    message: &[u8],
    now: u64,
    notes: &mut [Notes; 3],
) -> Verdict {
    let [of_dkim, of_arc, of_dmarc] = notes;
    let mut of_judge = of_dmarc.branch();
    // The policy is sought beside the signatures; only alignment needs both.
    let dmarc = async {
        let discovery = Discovery::of(dns, Author::of(message), of_dmarc);
        let signatures = dkim::verify(dns, message, now, of_dkim);
        let (discovery, dkim) = join(discovery, signatures).await;
        let dmarc = discovery.judge(dns, &early.spf, &dkim, &mut of_judge).await;
        (dkim, dmarc)
    };
    let ((dkim, dmarc), arc) = join(dmarc, arc::validate(dns, message, now, of_arc)).await;
    of_dmarc.join(of_judge);
    Verdict {
        iprev: early.iprev,
        helo: early.helo,
        spf: early.spf,
        dkim,
        arc,
        dmarc,
    }
}

impl Verdict {
    /// Whether an answer that the DNS owes us could change what becomes of the message. If so it
    /// must neither be refused for good nor be let in unseen: it is asked to come again.
    pub fn temporary(&self) -> Option<Trouble> {
        match self.dmarc.reason {
            dmarc::Reason::PolicyUnknown => Some(Trouble::Policy),
            // A policy of none asks for nothing: whatever the answer is, nothing follows.
            dmarc::Reason::AuthenticationUnknown | dmarc::Reason::AlignmentUnknown
                if self.dmarc.policy_wish() != dmarc::Policy::None =>
            {
                Some(Trouble::Authentication)
            }
            _ if self.dmarc.result == DmarcResult::Fail
                && self.dmarc.wish != dmarc::Policy::None
                && self.arc.is_temporary() =>
            {
                Some(Trouble::Chain)
            }
            _ => None,
        }
    }
}

/// The DNS until a moment has come: questions that are not answered by then have timed out, so that
/// a verdict cut short still holds what was known.
pub struct UntilLate<'a> {
    dns: &'a dyn Dns,
    late: Shared<BoxFuture<'a, ()>>,
}

impl<'a> UntilLate<'a> {
    pub fn new(dns: &'a dyn Dns, late: BoxFuture<'a, ()>) -> Self {
        Self {
            dns,
            late: late.shared(),
        }
    }
}

impl Dns for UntilLate<'_> {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        Box::pin(async move {
            // The answer first: what is known already is not lost to a late hour.
            match select(self.dns.ask(name, kind), self.late.clone()).await {
                Either::Left((answer, _)) => answer,
                Either::Right(_) => Err(DnsError::TimedOut),
            }
        })
    }
}
