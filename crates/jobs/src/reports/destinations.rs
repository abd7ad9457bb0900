//! Who wants a domain's reports, and whether they may have them: the records are asked anew when a report is
//! due, so that who withdrew the wish gets none.

use mail::Address;
use mailauth::dmarc::{self, organizational_domain};
use world::{AnswerStatus, Dns, Kind};

use super::limits::DESTINATIONS_MAX;

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Destination {
    Mail(Address),
    /// Only for TLS reports: posted there. RFC 8460 §5.4
    Https(String),
}

/// Why a report does not go somewhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoDestination {
    /// The DNS does not say now.
    #[error("the DNS did not answer for {0}")]
    Unknown(String),
    #[error("nobody asks for it any more")]
    NotWanted,
}

/// Who gets a domain's report, and who does not although the domain says so, with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Destinations {
    pub(super) wanted: Vec<Destination>,
    pub(super) refused: Vec<(String, String)>,
}

impl Destination {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Mail(address) => address.to_string(),
            Self::Https(url) => url.clone(),
        }
    }
}

/// For a DMARC report: the addresses of `rua`, those of others only with their consent. RFC 9990 §4
pub(super) async fn dmarc(dns: &dyn Dns, domain: &str) -> Result<Destinations, NoDestination> {
    let name = format!("_dmarc.{domain}");
    let record = texts(dns, &name).await?;
    let record = record
        .iter()
        .find_map(|text| dmarc::Record::parse(text).ok())
        .ok_or(NoDestination::NotWanted)?;
    let mut found = Destinations::default();
    for uri in record.rua.iter().take(DESTINATIONS_MAX) {
        let Some(address) = &uri.address else {
            // RFC 9990 §3.5: other schemes are for later.
            let why = "we send reports by mail only";
            found.refused.push((uri.uri.clone(), why.to_owned()));
            continue;
        };
        match consent(dns, domain, address).await? {
            Consent::Own | Consent::Given(None) => found.add(address.clone()),
            Consent::Given(Some(other)) => found.add(other),
            Consent::None(asked) => {
                let why = format!(
                    "it is outside of {domain}, and {asked} has no record that agrees to it"
                );
                found.refused.push((address.to_string(), why));
            }
        }
    }
    if found.wanted.is_empty() && found.refused.is_empty() {
        return Err(NoDestination::NotWanted);
    }
    Ok(found)
}

impl Destinations {
    fn add(&mut self, address: Address) {
        let destination = Destination::Mail(address);
        if !self.wanted.contains(&destination) {
            self.wanted.push(destination);
        }
    }
}

enum Consent {
    /// It belongs to the domain's own organisation.
    Own,
    /// Maybe with another address of the same host, which is to be used instead.
    Given(Option<Address>),
    /// The name that was asked.
    None(String),
}

/// RFC 9990 §4: whether a destination agrees to get the reports about a domain.
async fn consent(dns: &dyn Dns, domain: &str, to: &Address) -> Result<Consent, NoDestination> {
    let host = to.domain().as_str();
    if host == domain {
        return Ok(Consent::Own);
    }
    let unknown = |name: &str| NoDestination::Unknown(name.to_owned());
    let organisation = |name: String| async move {
        organizational_domain(dns, &name)
            .await
            .ok_or_else(|| unknown(&name))
    };
    let (ours, theirs) = futures_util::future::join(
        organisation(domain.to_owned()),
        organisation(host.to_owned()),
    )
    .await;
    if ours? == theirs? {
        return Ok(Consent::Own);
    }
    let name = format!("{domain}._report._dmarc.{host}");
    if mail::limits::DOMAIN_BYTES_MAX < name.len() {
        return Ok(Consent::None(name));
    }
    // Step 6: it begins with the version; a record without `p` is fine here.
    let agrees = |text: &&Vec<u8>| {
        let text = String::from_utf8_lossy(text);
        let first = text.split(';').next().unwrap_or_default();
        first
            .split_once('=')
            .is_some_and(|(tag, value)| tag.trim() == "v" && value.trim() == "DMARC1")
    };
    let texts = texts(dns, &name).await?;
    let Some(text) = texts.iter().find(agrees) else {
        return Ok(Consent::None(name));
    };
    // Step 9: it may name another address, of the same host only.
    let other = dmarc::Record::parse(text).ok().and_then(|record| {
        let mut addresses = record.rua.into_iter().filter_map(|uri| uri.address);
        addresses.find(|other| other.domain() == to.domain())
    });
    Ok(Consent::Given(other))
}

/// For a TLS report: what `_smtp._tls` says. RFC 8460 §3
pub(super) async fn tls(dns: &dyn Dns, domain: &str) -> Result<Destinations, NoDestination> {
    let name = format!("_smtp._tls.{domain}");
    let texts = texts(dns, &name).await?;
    let is_record = |text: &&Vec<u8>| text.starts_with(b"v=TLSRPTv1");
    let mut records = texts.iter().filter(is_record);
    // More than one is as none. RFC 8460 §3
    let (Some(record), None) = (records.next(), records.next()) else {
        return Err(NoDestination::NotWanted);
    };
    let record = String::from_utf8_lossy(record);
    let mut found = Destinations::default();
    for (tag, value) in record.split(';').filter_map(|tag| tag.split_once('=')) {
        if tag.trim() != "rua" {
            continue;
        }
        for uri in value.split(',').map(str::trim).take(DESTINATIONS_MAX) {
            match tls_destination(uri) {
                Some(destination) if !found.wanted.contains(&destination) => {
                    found.wanted.push(destination);
                }
                Some(_) => {}
                None => {
                    let why = "it is neither mailto nor https";
                    found.refused.push((uri.to_owned(), why.to_owned()));
                }
            }
        }
    }
    if found.wanted.is_empty() {
        return Err(NoDestination::NotWanted);
    }
    Ok(found)
}

fn tls_destination(uri: &str) -> Option<Destination> {
    let (scheme, rest) = uri.split_once(':')?;
    if scheme.eq_ignore_ascii_case("mailto") {
        let address = rest.split('?').next().unwrap_or(rest);
        // The characters that RFC 8460 §3 wants escaped, as far as an address has them.
        let address = address
            .replace("%21", "!")
            .replace("%2C", ",")
            .replace("%3B", ";");
        return Address::parse(&address).ok().map(Destination::Mail);
    }
    (scheme.eq_ignore_ascii_case("https") && rest.starts_with("//"))
        .then(|| Destination::Https(uri.to_owned()))
}

async fn texts(dns: &dyn Dns, name: &str) -> Result<Vec<Vec<u8>>, NoDestination> {
    match dns.ask(name, Kind::Txt).await {
        Ok(answer) if answer.status == AnswerStatus::Found => Ok(answer.texts().collect()),
        Ok(_) => Ok(Vec::new()),
        Err(_) => Err(NoDestination::Unknown(name.to_owned())),
    }
}
