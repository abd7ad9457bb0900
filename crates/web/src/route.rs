//! Which request gets which answer. Pure.

use http::Method;
use http::header::HOST;
use http::uri::Authority;
use mail::{Address, Domain};
use store::MtaStsMode;

use crate::{client_setup, limits, mta_sts};

/// How a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Plain,
    Tls,
}

/// What a request asks for, of what matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    /// In lower case, without port and last dot; empty when the request names none.
    pub(crate) host: String,
    pub(crate) door: Door,
}

/// What we are under the name that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Unknown,
    /// This host itself.
    Own,
    /// A domain of ours, by its own name.
    Domain(Domain),
    /// `mta-sts.` and a domain of ours.
    PolicyOf(MtaStsMode),
    /// `autoconfig.` or `autodiscover.` and a domain of ours.
    SetupOf(Domain),
}

/// What a mail program's question is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    Autoconfig {
        domain: Domain,
        address: Option<Address>,
    },
    /// The address stands in the body.
    Autodiscover,
    AutodiscoverJson,
    Profile(Address),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Policy(MtaStsMode),
    /// What an authority looks for before it gives a certificate. RFC 8555 §8.3.
    Challenge(String),
    Setup(Setup),
    ToTls(String),
    NotFound,
    /// Only these methods are possible there.
    Only(&'static str),
    NoHost,
}

const READING: &str = "GET, HEAD";
const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// Everything that is not served is told so in a sentence.
pub(crate) fn decide(asked: &Asked, host: Host) -> Decision {
    if asked.host.is_empty() {
        return Decision::NoHost;
    }
    let reads = matches!(asked.method, Method::GET | Method::HEAD);
    // An authority asks under whatever name the certificate shall be for, in clear text.
    if let (Door::Plain, Some(token)) = (asked.door, asked.path.strip_prefix(CHALLENGES)) {
        return match (reads, is_token(token)) {
            (true, true) => Decision::Challenge(token.to_owned()),
            (true, false) => Decision::NotFound,
            (false, _) => Decision::Only(READING),
        };
    }
    if let Some((setup, methods)) = setup(asked, &host) {
        let allowed = methods
            .split(", ")
            .any(|method| method == asked.method.as_str());
        return match (allowed, setup) {
            (false, _) => Decision::Only(methods),
            // Thunderbird asks for the file in clear text where TLS fails; passwords never go there.
            (true, setup @ Setup::Autoconfig { .. }) => Decision::Setup(setup),
            (true, setup) if asked.door == Door::Tls => Decision::Setup(setup),
            (true, _) => to_tls(asked),
        };
    }
    match (asked.door, host) {
        (_, Host::Unknown) => Decision::NotFound,
        // Whoever looks below /.well-known/ means this very door: policies are not fetched in clear text
        // (RFC 8461 §3.3).
        (Door::Plain, _) if asked.path.starts_with("/.well-known/") => Decision::NotFound,
        (Door::Plain, _) if !reads => Decision::Only(READING),
        (Door::Plain, _) => to_tls(asked),
        (Door::Tls, Host::PolicyOf(mode)) if asked.path == mta_sts::PATH => match reads {
            true => Decision::Policy(mode),
            false => Decision::Only(READING),
        },
        (Door::Tls, _) => Decision::NotFound,
    }
}

/// What a mail program asks to set itself up, and by which methods it may.
fn setup(asked: &Asked, host: &Host) -> Option<(Setup, &'static str)> {
    let domain = match host {
        Host::Domain(domain) | Host::SetupOf(domain) => Some(domain),
        Host::Own => None,
        Host::Unknown | Host::PolicyOf(_) => return None,
    };
    let address = asked.query_value("emailaddress");
    let address = address.and_then(|address| Address::parse(&address).ok());
    match asked.path.to_ascii_lowercase().as_str() {
        "/mail/config-v1.1.xml" | "/.well-known/autoconfig/mail/config-v1.1.xml" => {
            // On the host's own name only the address tells for which domain.
            let domain = domain.or_else(|| Some(address.as_ref()?.domain()))?.clone();
            Some((Setup::Autoconfig { domain, address }, READING))
        }
        "/autodiscover/autodiscover.xml" => Some((Setup::Autodiscover, "POST")),
        "/autodiscover/autodiscover.json" => Some((Setup::AutodiscoverJson, READING)),
        client_setup::PROFILE_PATH => Some((Setup::Profile(address?), READING)),
        _ => None,
    }
}

fn to_tls(asked: &Asked) -> Decision {
    let mark = if asked.query.is_empty() { "" } else { "?" };
    Decision::ToTls(format!(
        "https://{}{}{mark}{}",
        asked.host, asked.path, asked.query
    ))
}

/// RFC 8555 §8.3: base64url.
fn is_token(token: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !token.is_empty() && token.len() <= limits::TOKEN_BYTES_MAX && token.bytes().all(fits)
}

impl Asked {
    pub(crate) fn of<B>(request: &http::Request<B>, door: Door) -> Self {
        let field = || {
            let field = request.headers().get(HOST)?;
            field.to_str().ok()?.parse::<Authority>().ok()
        };
        // RFC 9112 §3.2.2: a whole address in the request line wins over the field.
        let authority = request.uri().authority().cloned().or_else(field);
        let host = authority.map_or_else(String::new, |authority| {
            let host = authority.host().to_ascii_lowercase();
            host.trim_end_matches('.').to_owned()
        });
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            host,
            door,
        }
    }

    /// The first value of this name in the query, names in any case.
    fn query_value(&self, name: &str) -> Option<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs
            .into_iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
    }
}

#[cfg(test)]
mod tests;
