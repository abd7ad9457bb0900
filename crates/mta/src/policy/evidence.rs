//! What TLS reports will tell of a session: one sight for each policy that it is evidence for. RFC 8460 §4.

use std::net::IpAddr;

use mail::{Domain, UnixMillis};
use store::reports::{TlsEvidence, TlsFailure as Reported, TlsPolicyKind, TlsPolicySeen};
use world::TlsFailure;

use super::{HostPlan, Obstacle, Secured, Trouble};

/// The ends of a session, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    pub(crate) ours: Option<IpAddr>,
    pub(crate) host: String,
    pub(crate) helo: Option<String>,
    pub(crate) theirs: Option<IpAddr>,
}

/// Of a session that a message could go over.
pub(crate) fn of_session(
    domain: &Domain,
    plan: &HostPlan,
    secured: &Secured,
    handshake: Option<TlsFailure>,
    ends: &Ends,
    at: UnixMillis,
) -> Vec<TlsEvidence> {
    let in_clear = handshake.unwrap_or(TlsFailure::StartTlsNotSupported);
    let judge = |policy: &TlsPolicySeen| match policy.kind {
        _ if !secured.encrypted => Some(in_clear),
        TlsPolicyKind::Sts if !plan_names(policy, &ends.host) => {
            Some(TlsFailure::ValidationFailure)
        }
        TlsPolicyKind::Sts => secured.certificate.err(),
        // What DANE demanded was met, or there would be no session.
        TlsPolicyKind::Tlsa | TlsPolicyKind::NoPolicyFound => None,
    };
    let seen = plan.seen.iter();
    seen.map(|policy| TlsEvidence {
        at,
        domain: domain.to_string(),
        policy: policy.clone(),
        failure: judge(policy).map(|failure| reported(failure.result_type(), ends, None)),
    })
    .collect()
}

/// Of a session that failed by its TLS.
pub(crate) fn of_failure(
    domain: &Domain,
    plan: &HostPlan,
    failure: TlsFailure,
    ends: &Ends,
    at: UnixMillis,
) -> Vec<TlsEvidence> {
    let seen = plan.seen.iter();
    seen.map(|policy| TlsEvidence {
        at,
        domain: domain.to_string(),
        policy: policy.clone(),
        failure: Some(reported(failure.result_type(), ends, None)),
    })
    .collect()
}

/// Of a host that was not even tried.
pub(crate) fn of_obstacle(
    domain: &Domain,
    obstacle: &Obstacle,
    ends: &Ends,
    at: UnixMillis,
) -> Option<TlsEvidence> {
    let (policy, result) = obstacle.seen.as_ref()?;
    let code =
        (*result == TlsFailure::ValidationFailure.result_type()).then_some("mx-not-in-policy");
    Some(TlsEvidence {
        at,
        domain: domain.to_string(),
        policy: policy.clone(),
        failure: Some(reported(result, ends, code)),
    })
}

/// Of names or addresses whose signatures are wrong: no session is tried. RFC 8460 §4.3.2.1.
pub(crate) fn of_bogus(domain: &Domain, host: &str, at: UnixMillis) -> TlsEvidence {
    TlsEvidence {
        at,
        domain: domain.to_string(),
        policy: TlsPolicySeen {
            kind: TlsPolicyKind::Tlsa,
            text: Vec::new(),
            mx: vec![host.to_owned()],
        },
        failure: Some(reported("dnssec-invalid", &Ends::default(), None)),
    }
}

/// Of a policy that was announced and could not be had.
pub(crate) fn of_trouble(domain: &Domain, trouble: &Trouble, at: UnixMillis) -> TlsEvidence {
    TlsEvidence {
        at,
        domain: domain.to_string(),
        policy: TlsPolicySeen {
            kind: TlsPolicyKind::Sts,
            text: Vec::new(),
            mx: Vec::new(),
        },
        failure: Some(reported(trouble.result_type(), &Ends::default(), None)),
    }
}

fn plan_names(policy: &TlsPolicySeen, host: &str) -> bool {
    let patterns = policy.mx.iter();
    patterns
        .filter_map(|text| mailauth::mta_sts::MxPattern::parse(text))
        .any(|pattern| pattern.matches(host))
}

fn reported(result: &str, ends: &Ends, code: Option<&str>) -> Reported {
    Reported {
        result_type: result.to_owned(),
        sending_mta_ip: ends.ours,
        receiving_mx_hostname: (!ends.host.is_empty()).then(|| ends.host.clone()),
        receiving_mx_helo: ends.helo.clone(),
        receiving_ip: ends.theirs,
        failure_reason_code: code.map(str::to_owned),
    }
}
