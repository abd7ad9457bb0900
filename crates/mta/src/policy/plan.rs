//! Decides what is demanded of one mail host, and why. Pure: facts in, a plan or an obstacle out.
//!
//! In order: DANE where there are usable records (RFC 8461 §2: MTA-STS must not override it), then the MTA-STS
//! policy, the operator's list, what was learnt; the strictest counts. `TLS-Required: No` sets aside what the
//! destination and experience demand, not what the operator does; REQUIRETLS adds authentication.

use mail::{Domain, UnixMillis};
use mailauth::dane::{self, Worth};
use mailauth::mta_sts::{Mode, MxPattern};
use store::queue::TlsWish;
use store::reports::{TlsPolicyKind, TlsPolicySeen};
use store::transport::TlsLevel;
use wire::smtp::EnhancedCode;
use world::{Authentication, Record, TlsFacts, TlsFailure};

use super::{DomainPolicy, Tlsa, learning, words};
use crate::route::HostName;

/// What the connection to a host must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// TLS if there is any.
    Nothing,
    /// TLS with any certificate.
    Encryption,
    /// TLS with a certificate that is valid for the host.
    Certificate,
    /// TLS with a certificate that the TLSA records name.
    Dane { records: Vec<Record>, base: String },
}

/// Why it must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Usable TLSA records.
    Tlsa,
    /// Only unusable ones.
    UnusableTlsa,
    Sts,
    Operator(TlsLevel),
    Learnt {
        since: UnixMillis,
    },
    RequireTls,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPlan {
    pub(crate) demand: Demand,
    pub(crate) reasons: Vec<Reason>,
    /// The policies that a session with this host is evidence for.
    pub(crate) seen: Vec<TlsPolicySeen>,
}

/// Why nothing is sent to a host at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub(crate) status: EnhancedCode,
    pub(crate) text: String,
    /// What reports tell of it: the policy and the result type.
    pub(crate) seen: Option<(TlsPolicySeen, &'static str)>,
}

/// What a connection turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Secured {
    pub(crate) encrypted: bool,
    /// The certificate is valid for the host, by the roots we know.
    pub(crate) certificate: Result<(), TlsFailure>,
    pub(crate) dane: bool,
}

/// A plan for one host of a domain, from all that is known.
pub(crate) fn plan(
    domain: &Domain,
    policy: &DomainPolicy,
    wish: TlsWish,
    host: &HostName,
    tlsa: &Tlsa,
) -> Result<HostPlan, Obstacle> {
    let facts = Facts {
        domain,
        policy,
        wish,
        host: host.name().unwrap_or_default(),
        tlsa,
    };
    let mut plan = HostPlan {
        demand: Demand::Nothing,
        reasons: Vec::new(),
        seen: Vec::new(),
    };
    let dane = facts.dane(&mut plan)?;
    facts.sts(&mut plan, dane)?;
    facts.operator(&mut plan)?;
    facts.learnt(&mut plan)?;
    facts.required_by_sender(&mut plan)?;
    if plan.seen.is_empty() {
        plan.seen.push(TlsPolicySeen {
            kind: TlsPolicyKind::NoPolicyFound,
            text: Vec::new(),
            mx: Vec::new(),
        });
    }
    if wish == TlsWish::Waived {
        // Its sender asked for no care: that says nothing of the destination.
        plan.seen.clear();
    }
    Ok(plan)
}

struct Facts<'a> {
    domain: &'a Domain,
    policy: &'a DomainPolicy,
    wish: TlsWish,
    /// Empty for an address literal.
    host: &'a str,
    tlsa: &'a Tlsa,
}

impl Facts<'_> {
    fn dane(&self, plan: &mut HostPlan) -> Result<Worth, Obstacle> {
        if self.wish == TlsWish::Waived || !self.policy.mx_secure {
            return Ok(Worth::Nothing);
        }
        let (records, base) = match self.tlsa {
            Tlsa::NotAsked | Tlsa::NotSecure | Tlsa::Absent => return Ok(Worth::Nothing),
            Tlsa::Unknown(error) => {
                return Err(Obstacle {
                    status: EnhancedCode(4, 7, 5),
                    text: words::tlsa_unknown(self.host, error),
                    seen: Some((tlsa_seen(&[], self.host), "dnssec-invalid")),
                });
            }
            Tlsa::Found { records, base } => (records, base),
        };
        let worth = dane::worth(records);
        match worth {
            Worth::Nothing => return Ok(worth),
            Worth::Encryption => {
                plan.demand = Demand::Encryption;
                plan.reasons.push(Reason::UnusableTlsa);
            }
            Worth::Authentication => {
                let (records, base) = (records.clone(), base.clone());
                plan.demand = Demand::Dane { records, base };
                plan.reasons.push(Reason::Tlsa);
            }
        }
        plan.seen.push(tlsa_seen(records, self.host));
        Ok(worth)
    }

    /// RFC 8461 §4, §5.
    fn sts(&self, plan: &mut HostPlan, dane: Worth) -> Result<(), Obstacle> {
        let Some(sts) = &self.policy.sts else {
            return Ok(());
        };
        if self.wish == TlsWish::Waived {
            return Ok(());
        }
        let seen = sts.seen();
        let enforced = sts.policy.mode == Mode::Enforce && dane != Worth::Authentication;
        if enforced && !sts.policy.names(self.host) {
            return Err(Obstacle {
                status: EnhancedCode(4, 7, 5),
                text: words::not_in_policy(self.host, self.domain),
                seen: Some((seen, TlsFailure::ValidationFailure.result_type())),
            });
        }
        if enforced {
            plan.strengthen(Demand::Certificate, Reason::Sts);
        }
        plan.seen.push(seen);
        Ok(())
    }

    fn operator(&self, plan: &mut HostPlan) -> Result<(), Obstacle> {
        let Some(requirement) = &self.policy.requirement else {
            return Ok(());
        };
        let reason = Reason::Operator(requirement.level);
        match requirement.level {
            TlsLevel::Encrypted => plan.strengthen(Demand::Encryption, reason),
            TlsLevel::Verified => {
                // A certificate for the wrong host's name is worth nothing: somebody may have forged the
                // answer that named the host.
                let listed = requirement
                    .mx
                    .iter()
                    .filter_map(|text| MxPattern::parse(text));
                let listed: Vec<_> = listed.collect();
                let by_list = listed.iter().any(|pattern| pattern.matches(self.host));
                let known = by_list
                    || (listed.is_empty() && (self.policy.learnt.is_empty() || self.is_known()));
                if !known && !self.is_authentic() {
                    return Err(self.unknown_host(words::unlisted_host(self.host, self.domain)));
                }
                plan.strengthen(Demand::Certificate, reason);
            }
        }
        Ok(())
    }

    fn learnt(&self, plan: &mut HostPlan) -> Result<(), Obstacle> {
        if self.wish == TlsWish::Waived || !self.policy.insist_on_learnt {
            return Ok(());
        }
        let Some(since) = learning::settled_since(&self.policy.learnt) else {
            return Ok(());
        };
        if !self.is_known() && !self.is_authentic() {
            return Err(self.unknown_host(words::new_host(self.host, self.domain, since)));
        }
        plan.strengthen(Demand::Certificate, Reason::Learnt { since });
        Ok(())
    }

    /// RFC 8689 §4.2.1. Without DNSSEC the name of the mail host must be one that MTA-STS vouches for.
    fn required_by_sender(&self, plan: &mut HostPlan) -> Result<(), Obstacle> {
        if self.wish != TlsWish::Required {
            return Ok(());
        }
        let by_name_itself = self.host.is_empty() || self.host == self.domain.as_str();
        if !by_name_itself && !self.is_authentic() {
            return Err(Obstacle {
                status: EnhancedCode(5, 7, 10),
                text: words::unproven_host(self.host, self.domain),
                seen: None,
            });
        }
        plan.strengthen(Demand::Certificate, Reason::RequireTls);
        Ok(())
    }

    /// The destination itself says, in a way that nobody can forge, that this is its mail host.
    fn is_authentic(&self) -> bool {
        let by_sts = |sts: &super::InForce| sts.policy.names(self.host);
        self.policy.mx_secure || self.policy.sts.as_ref().is_some_and(by_sts)
    }

    /// The name is the domain's own, or one seen before.
    fn is_known(&self) -> bool {
        let own = learning::is_below(self.host, self.domain.as_str());
        let seen = |learnt: &store::transport::LearntTls| learning::covers(&learnt.site, self.host);
        own || self.policy.learnt.iter().any(seen)
    }

    fn unknown_host(&self, text: String) -> Obstacle {
        Obstacle {
            status: EnhancedCode(4, 7, 5),
            text,
            seen: None,
        }
    }
}

impl HostPlan {
    /// For a relay: its own settings rule, but for what the sender wishes.
    pub(crate) fn of_relay(wish: TlsWish) -> Self {
        let mut plan = Self {
            demand: Demand::Nothing,
            reasons: Vec::new(),
            seen: Vec::new(),
        };
        if wish == TlsWish::Required {
            plan.strengthen(Demand::Certificate, Reason::RequireTls);
        }
        plan
    }

    fn strengthen(&mut self, demand: Demand, reason: Reason) {
        if self.demand.strength() < demand.strength() {
            self.demand = demand;
        }
        self.reasons.push(reason);
    }

    /// Whether the sender's own wish is what stands in the way.
    pub(crate) fn is_sender_s_wish(&self) -> bool {
        self.reasons.contains(&Reason::RequireTls)
    }

    /// In words: what demands it, and what to do. `None` if nothing does.
    pub(crate) fn why(&self, domain: &Domain, host: &str) -> Option<String> {
        words::why(&self.reasons, domain, host)
    }
}

impl Demand {
    fn strength(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Encryption => 1,
            Self::Certificate => 2,
            // Nothing proves more: keys from a signed zone.
            Self::Dane { .. } => 3,
        }
    }

    pub(crate) fn is_met_by(&self, secured: &Secured) -> bool {
        match self {
            Self::Nothing => true,
            Self::Encryption => secured.encrypted,
            Self::Certificate => secured.encrypted && secured.certificate.is_ok(),
            Self::Dane { .. } => secured.encrypted && secured.dane,
        }
    }
}

impl Secured {
    /// From what the handshake showed, if there was one.
    pub(crate) fn of(facts: Option<&TlsFacts>) -> Self {
        let Some(facts) = facts else {
            return Self {
                encrypted: false,
                certificate: Err(TlsFailure::StartTlsNotSupported),
                dane: false,
            };
        };
        Self {
            encrypted: true,
            certificate: facts.pkix.unwrap_or(Err(TlsFailure::ValidationFailure)),
            dane: facts.authenticated == Authentication::Dane,
        }
    }
}

/// RFC 8460 §4.4: for DANE the pattern is the host itself.
fn tlsa_seen(records: &[Record], host: &str) -> TlsPolicySeen {
    TlsPolicySeen {
        kind: TlsPolicyKind::Tlsa,
        text: dane::texts(records),
        mx: vec![host.to_owned()],
    }
}

#[cfg(test)]
mod tests;
