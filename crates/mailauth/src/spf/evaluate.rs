//! The RFC's check_host(): one record after the other, with what they may cost counted over all of them.
//! rfc7208#4

use std::net::IpAddr;

use futures_util::future::{BoxFuture, join_all};
use world::{Answer, AnswerStatus, Dns, DnsError, Kind, Record as DnsRecord};

use super::limits::{
    EXPLANATION_CHARS_MAX, MX_NAMES_MAX, TERMS_MAX, VOID_LOOKUPS_MAX, WIDE_BITS_V4, WIDE_BITS_V6,
};
use super::macros::{Facts, MacroString, Place};
use super::name;
use super::ptr;
use super::record::{self, Directive, Masks, Mechanism, Qualifier, Record, RecordError};
use super::{Problem, SpfResult};
use crate::explain::Notes;

/// One check, from its first record to its last.
pub(super) struct Evaluation<'a> {
    pub dns: &'a dyn Dns,
    pub ip: IpAddr,
    pub local: &'a str,
    pub sender_domain: &'a str,
    pub helo: &'a str,
    pub receiver: &'a str,
    pub now: u64,
    pub notes: &'a mut Notes,
    terms: usize,
    void_lookups: usize,
    /// The names of the client that hold, looked up when first needed.
    validated: Option<Vec<String>>,
    boundless: bool,
}

/// What check_host() says.
pub(super) struct Outcome {
    pub result: SpfResult,
    pub matched: Option<String>,
    pub explanation: Option<String>,
    pub problem: Option<Problem>,
}

/// The evaluation ends here, without a judgement.
enum Stop {
    Temporary(Problem),
    Permanent(Problem),
}

impl Outcome {
    pub fn none(problem: Option<Problem>) -> Self {
        Self {
            result: SpfResult::None,
            matched: None,
            explanation: None,
            problem,
        }
    }
}

impl<'a> Evaluation<'a> {
    pub fn new(
        dns: &'a dyn Dns,
        sender: &super::Parts<'a>,
        domain: &'a str,
        notes: &'a mut Notes,
    ) -> Self {
        Self {
            dns,
            // An IPv4 address in IPv6 clothes is an IPv4 address. rfc7208#5
            ip: sender.ip.to_canonical(),
            local: sender.local,
            sender_domain: domain,
            helo: sender.helo,
            receiver: sender.receiver,
            now: sender.now,
            notes,
            terms: 0,
            void_lookups: 0,
            validated: None,
            boundless: false,
        }
    }

    /// Whether what matched last would match most of the world.
    pub fn is_boundless(&self) -> bool {
        self.boundless
    }

    pub async fn check_host(&mut self) -> Outcome {
        match self.evaluate(self.sender_domain, Asker::Caller).await {
            Ok(outcome) => outcome,
            Err(stop) => {
                let (result, problem) = match stop {
                    Stop::Temporary(problem) => (SpfResult::TempError, problem),
                    Stop::Permanent(problem) => (SpfResult::PermError, problem),
                };
                self.notes.say(|| format!("{}: {problem}", result.as_str()));
                Outcome {
                    result,
                    matched: None,
                    explanation: None,
                    problem: Some(problem),
                }
            }
        }
    }

    /// A step of recursion costs a term, so that [`TERMS_MAX`] bounds the depth.
    fn evaluate<'b>(
        &'b mut self,
        domain: &'b str,
        asker: Asker,
    ) -> BoxFuture<'b, Result<Outcome, Stop>> {
        Box::pin(async move {
            let Some(record) = self.record(domain).await? else {
                return Ok(Outcome::none(None));
            };
            for directive in &record.directives {
                if self.matches(directive, domain).await? {
                    self.notes.say(|| format!("{} matches", directive.text));
                    return self.matched(directive, &record, domain, asker).await;
                }
                self.notes
                    .say(|| format!("{} does not match", directive.text));
            }
            match &record.redirect {
                Some(target) => self.redirect(target, domain, asker).await,
                None => Ok(Outcome {
                    result: SpfResult::Neutral,
                    matched: Some("default".to_owned()),
                    explanation: None,
                    problem: None,
                }),
            }
        })
    }

    /// The record of a domain; none if the domain cannot have one or has none. rfc7208#4.3
    async fn record(&mut self, domain: &str) -> Result<Option<Record>, Stop> {
        let Some(name) = name::checkable(domain) else {
            self.notes
                .say(|| format!("{domain} is no domain name with several labels"));
            return Ok(None);
        };
        let answer = self.dns.ask(&name, Kind::Txt).await;
        self.notes
            .asked("the SPF record", &name, Kind::Txt, &answer);
        let answer = answer.map_err(|error| dns_trouble(&name, &error))?;
        let read = record::choose(answer.texts()).and_then(|text| Record::parse(&text));
        let domain = name;
        match read {
            Ok(record) => Ok(Some(record)),
            Err(RecordError::NoRecord) => Ok(None),
            Err(RecordError::Several) => Err(Stop::Permanent(Problem::SeveralRecords { domain })),
            Err(RecordError::NotAscii) => Err(Stop::Permanent(Problem::NotAscii { domain })),
            Err(RecordError::Term(term)) => {
                let term = crate::explain::printable(term.as_bytes());
                Err(Stop::Permanent(Problem::Syntax { domain, term }))
            }
        }
    }

    async fn matched(
        &mut self,
        directive: &Directive,
        record: &Record,
        domain: &str,
        asker: Asker,
    ) -> Result<Outcome, Stop> {
        // What an included record matched was noted there.
        if !matches!(directive.mechanism, Mechanism::Include(_)) {
            self.boundless = is_wide(&directive.mechanism, self.ip);
        }
        let result = match directive.qualifier {
            Qualifier::Pass => SpfResult::Pass,
            Qualifier::Fail => SpfResult::Fail,
            Qualifier::SoftFail => SpfResult::SoftFail,
            Qualifier::Neutral => SpfResult::Neutral,
        };
        // An included record decides nothing, so it explains nothing. rfc7208#6.2
        let explanation = match (&record.explanation, result, asker) {
            (Some(target), SpfResult::Fail, Asker::Caller) => self.explain(target, domain).await,
            _ => None,
        };
        Ok(Outcome {
            result,
            matched: Some(directive.text.clone()),
            explanation,
            problem: None,
        })
    }

    /// The other record replaces this one, its explanation included. rfc7208#6.1
    async fn redirect(
        &mut self,
        target: &MacroString,
        domain: &str,
        asker: Asker,
    ) -> Result<Outcome, Stop> {
        self.count_term()?;
        let other = self.target(Some(target), domain).await;
        let other = other.ok_or_else(|| no_redirect(String::new()))?;
        self.notes.say(|| format!("redirected to {other}"));
        let outcome = self.evaluate(&other, asker).await?;
        match outcome.result {
            SpfResult::None => Err(no_redirect(other)),
            _ => Ok(outcome),
        }
    }

    async fn matches(&mut self, directive: &Directive, domain: &str) -> Result<bool, Stop> {
        let needs_dns = !matches!(
            directive.mechanism,
            Mechanism::All | Mechanism::Ip4(..) | Mechanism::Ip6(..)
        );
        if needs_dns {
            self.count_term()?;
        }
        match &directive.mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network, bits) => {
                let masks = Masks { v4: *bits, v6: 128 };
                Ok(record::same_network(self.ip, IpAddr::V4(*network), masks))
            }
            Mechanism::Ip6(network, bits) => {
                let masks = Masks { v4: 32, v6: *bits };
                Ok(record::same_network(self.ip, IpAddr::V6(*network), masks))
            }
            Mechanism::Include(target) => self.include(target, domain).await,
            Mechanism::A(target, masks) => {
                let Some(name) = self.target(target.as_ref(), domain).await else {
                    return Ok(false);
                };
                let kind = self.address_kind();
                let answer = self.ask(&name, kind).await?;
                self.count_void(&answer)?;
                Ok(self.hits(&answer, *masks))
            }
            Mechanism::Mx(target, masks) => match self.target(target.as_ref(), domain).await {
                Some(name) => self.mx(&name, *masks).await,
                None => Ok(false),
            },
            Mechanism::Ptr(target) => match self.target(target.as_ref(), domain).await {
                Some(name) => Ok(self.ptr(&name).await),
                None => Ok(false),
            },
            Mechanism::Exists(target) => {
                let Some(name) = self.target(Some(target), domain).await else {
                    return Ok(false);
                };
                // Always A, whatever the client speaks. rfc7208#5.7
                let answer = self.ask(&name, Kind::A).await?;
                self.count_void(&answer)?;
                Ok(answer.addresses().next().is_some())
            }
        }
    }

    /// rfc7208#5.2
    async fn include(&mut self, target: &MacroString, domain: &str) -> Result<bool, Stop> {
        // A name that cannot exist has no record.
        let other = self.target(Some(target), domain).await.unwrap_or_default();
        self.notes.say(|| format!("the record includes {other}:"));
        self.notes.deeper();
        let outcome = self.evaluate(&other, Asker::Include).await;
        self.notes.back();
        match outcome?.result {
            SpfResult::Pass => Ok(true),
            SpfResult::None => {
                let domain = crate::explain::printable(other.as_bytes());
                Err(Stop::Permanent(Problem::IncludeWithoutRecord { domain }))
            }
            _ => Ok(false),
        }
    }

    /// The addresses of all MX hosts are asked for together. rfc7208#5.4
    async fn mx(&mut self, name: &str, masks: Masks) -> Result<bool, Stop> {
        let answer = self.ask(name, Kind::Mx).await?;
        self.count_void(&answer)?;
        if MX_NAMES_MAX < answer.records.len() {
            let domain = name.to_owned();
            return Err(Stop::Permanent(Problem::TooManyMx { domain }));
        }
        let hosts = answer.records.iter().filter_map(|record| match record {
            DnsRecord::Mx { exchange, .. } => name::askable(exchange),
            _ => None,
        });
        let hosts: Vec<String> = hosts.collect();
        let kind = self.address_kind();
        let answers = join_all(hosts.iter().map(|host| self.dns.ask(host, kind))).await;
        for (host, answer) in hosts.iter().zip(answers) {
            self.notes.asked("an MX host", host, kind, &answer);
            let answer = answer.map_err(|error| dns_trouble(host, &error))?;
            // A host with addresses of the other family only does exist: nothing dangles.
            if answer.status == AnswerStatus::NoSuchName {
                self.count_void(&answer)?;
            }
            if self.hits(&answer, masks) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// DNS trouble only means that nothing matches here. rfc7208#5.5
    async fn ptr(&mut self, target: &str) -> bool {
        let names = self.validated().await;
        names.iter().any(|name| name::is_below(name, target))
    }

    async fn validated(&mut self) -> &[String] {
        if self.validated.is_none() {
            let names = ptr::validated(self.dns, self.ip, self.notes).await;
            self.validated = Some(names);
        }
        self.validated.as_deref().unwrap_or_default()
    }

    /// The text that the domain's owner wants to be shown. Whatever goes wrong, there is none; and
    /// what it costs is not counted. rfc7208#6.2
    async fn explain(&mut self, target: &MacroString, domain: &str) -> Option<String> {
        let name = self.target(Some(target), domain).await?;
        let answer = self.dns.ask(&name, Kind::Txt).await;
        self.notes
            .asked("the explanation", &name, Kind::Txt, &answer);
        let answer = answer.ok()?;
        let mut texts = answer.texts();
        let (text, None) = (texts.next()?, texts.next()) else {
            return None;
        };
        let text = String::from_utf8(text).ok()?;
        let text = MacroString::parse(&text, Place::Explanation)?;
        let text = self.expand(&text, domain).await?;
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let fits = (1..=EXPLANATION_CHARS_MAX).contains(&text.len());
        (printable && fits).then_some(text)
    }

    /// A name to look up: the record's own, or the one the term gives. A name that cannot exist matches
    /// nothing. rfc7208#4.8
    async fn target(&mut self, target: Option<&MacroString>, domain: &str) -> Option<String> {
        match target {
            None => name::askable(domain),
            Some(target) => {
                let name = self.expand(target, domain).await?;
                name::askable(&name)
            }
        }
    }

    async fn expand(&mut self, text: &MacroString, domain: &str) -> Option<String> {
        let validated = match text.wants_validated() {
            true => {
                let names = self.validated().await;
                ptr::nearest(names, domain).to_owned()
            }
            false => String::new(),
        };
        text.expand(&Facts {
            ip: self.ip,
            local: self.local,
            sender_domain: self.sender_domain,
            domain,
            helo: self.helo,
            validated: &validated,
            receiver: self.receiver,
            now: self.now,
        })
    }

    async fn ask(&mut self, name: &str, kind: Kind) -> Result<Answer, Stop> {
        let answer = self.dns.ask(name, kind).await;
        self.notes.asked("", name, kind, &answer);
        answer.map_err(|error| dns_trouble(name, &error))
    }

    fn address_kind(&self) -> Kind {
        match self.ip {
            IpAddr::V4(_) => Kind::A,
            IpAddr::V6(_) => Kind::Aaaa,
        }
    }

    fn hits(&self, answer: &Answer, masks: Masks) -> bool {
        answer
            .addresses()
            .any(|address| record::same_network(self.ip, address, masks))
    }

    /// rfc7208#4.6.4
    fn count_term(&mut self) -> Result<(), Stop> {
        self.terms += 1;
        match TERMS_MAX < self.terms {
            true => Err(Stop::Permanent(Problem::TooManyTerms)),
            false => Ok(()),
        }
    }

    fn count_void(&mut self, answer: &Answer) -> Result<(), Stop> {
        if answer.records.is_empty() {
            self.void_lookups += 1;
        }
        match VOID_LOOKUPS_MAX < self.void_lookups {
            true => Err(Stop::Permanent(Problem::TooManyVoidLookups)),
            false => Ok(()),
        }
    }
}

/// For whom a record is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Caller,
    Include,
}

/// Whether a directive that matched matches most of the world. What has macros or asks for names may, too: that cannot be
/// told from one sender.
fn is_wide(mechanism: &Mechanism, ip: IpAddr) -> bool {
    let is_wide = |masks: Masks| match ip {
        IpAddr::V4(_) => masks.v4 < WIDE_BITS_V4,
        IpAddr::V6(_) => masks.v6 < WIDE_BITS_V6,
    };
    match mechanism {
        Mechanism::All => true,
        Mechanism::A(_, masks) | Mechanism::Mx(_, masks) => is_wide(*masks),
        Mechanism::Ip4(_, bits) => *bits < WIDE_BITS_V4,
        Mechanism::Ip6(_, bits) => *bits < WIDE_BITS_V6,
        Mechanism::Include(_) | Mechanism::Ptr(_) | Mechanism::Exists(_) => false,
    }
}

fn no_redirect(domain: String) -> Stop {
    let domain = crate::explain::printable(domain.as_bytes());
    Stop::Permanent(Problem::RedirectWithoutRecord { domain })
}

fn dns_trouble(name: &str, error: &DnsError) -> Stop {
    Stop::Temporary(Problem::Dns {
        name: crate::explain::printable(name.as_bytes()),
        why: error.to_string(),
    })
}
