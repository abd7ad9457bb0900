//! The zones behind the `Dns` trait, without sockets: for simulated worlds.
//! Caches nothing, so that a test that changes a zone is heard at once.

use std::sync::Arc;
use std::time::Duration;

use world::{Answer, AnswerStatus, BoxFuture, Clock, Dns, DnsError, Kind, Record};

use crate::limits;
use crate::zones::{DnsFault, Proof, Zones};

pub struct SimulatedDns {
    zones: Zones,
    clock: Arc<dyn Clock>,
}

impl SimulatedDns {
    pub fn new(zones: Zones, clock: Arc<dyn Clock>) -> Self {
        Self { zones, clock }
    }

    async fn answer(&self, name: &str, kind: Kind) -> Result<Answer, DnsError> {
        self.clock.after(limits::DNS_DELAY).await;
        match self.zones.meet_fault(name) {
            Some(DnsFault::ServFail) => return Err(DnsError::ServerFailure),
            Some(DnsFault::Refused) => return Err(DnsError::Refused("Refused".to_owned())),
            Some(DnsFault::Silent) => {
                self.clock.after(limits::DNS_SILENCE).await;
                return Err(DnsError::TimedOut);
            }
            Some(DnsFault::Truncated) | None => {}
        }
        let answer = self.zones.answer(name, kind);
        // A spoiled target of a CNAME spoils the answer.
        if let Some((_, Record::Cname(target))) = answer.aliases.last()
            && self.zones.meet_fault(target).is_some()
        {
            return Err(DnsError::ServerFailure);
        }
        if answer.proof == Proof::Bogus {
            return Err(DnsError::Bogus);
        }
        let secure = answer.proof == Proof::Secure;
        let ttl = Duration::from_secs(u64::from(limits::TTL_SECS));
        let answer = match answer.status {
            AnswerStatus::Found => Answer::found(answer.records, ttl),
            AnswerStatus::NoData => Answer::no_data(ttl),
            AnswerStatus::NoSuchName => Answer::no_such_name(ttl),
        };
        Ok(Answer { secure, ..answer })
    }
}

impl Dns for SimulatedDns {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        Box::pin(self.answer(name, kind))
    }
}
