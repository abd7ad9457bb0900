//! What is at an address: facts from the store, then one pure decision, then the answer's bytes.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HOST, LOCATION};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use store::{MtaStsMode, StoreError};

use crate::{Inner, mta_sts};

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
    /// In lower case, without port and last dot; empty when the request names none.
    pub(crate) host: String,
    pub(crate) door: Door,
}

/// What we are under the name that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Unknown,
    /// This host itself.
    Own,
    /// `mta-sts.` and a domain of ours.
    PolicyOf(MtaStsMode),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Policy(MtaStsMode),
    ToTls(String),
    NotFound,
    /// Only reading is possible there.
    ReadOnly,
    NoHost,
}

/// Everything that is not served is told so in a sentence.
pub(crate) fn decide(asked: &Asked, host: Host) -> Decision {
    if asked.host.is_empty() {
        return Decision::NoHost;
    }
    let reads = matches!(asked.method, Method::GET | Method::HEAD);
    match (asked.door, host) {
        (_, Host::Unknown) => Decision::NotFound,
        // Whoever looks below /.well-known/ means this very door: proofs for certificates are fetched
        // there in clear text (RFC 8555 §8.3), policies are not (RFC 8461 §3.3).
        (Door::Plain, _) if asked.path.starts_with("/.well-known/") => Decision::NotFound,
        (Door::Plain, _) if !reads => Decision::ReadOnly,
        (Door::Plain, _) => Decision::ToTls(format!("https://{}{}", asked.host, asked.path)),
        (Door::Tls, Host::PolicyOf(mode)) if asked.path == mta_sts::PATH => match reads {
            true => Decision::Policy(mode),
            false => Decision::ReadOnly,
        },
        (Door::Tls, _) => Decision::NotFound,
    }
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
            host,
            door,
        }
    }
}

impl Inner {
    pub(crate) async fn answer(&self, asked: Asked) -> Response<Full<Bytes>> {
        let host = match self.host(&asked.host).await {
            Ok(host) => host,
            Err(error) => {
                tracing::error!(%error, host = asked.host, "a web request waits for the store");
                return text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Not now. Please try again later.\n",
                );
            }
        };
        let decision = decide(&asked, host);
        tracing::debug!(
            host = asked.host,
            path = asked.path,
            ?decision,
            "web request"
        );
        self.write(decision)
    }

    async fn host(&self, name: &str) -> Result<Host, StoreError> {
        if name == self.settings.hostname.as_str() {
            return Ok(Host::Own);
        }
        let domain = name.strip_prefix(mta_sts::HOST_PREFIX);
        let Some(Ok(domain)) = domain.map(mail::Domain::parse) else {
            return Ok(Host::Unknown);
        };
        self.store
            .read_small(move |view| {
                Ok(match view.is_local(&domain)? {
                    true => Host::PolicyOf(view.mta_sts_mode(&domain)?),
                    false => Host::Unknown,
                })
            })
            .await
    }

    fn write(&self, decision: Decision) -> Response<Full<Bytes>> {
        match decision {
            Decision::Policy(mode) => {
                let policy = mta_sts::policy_text(mode, &self.settings.mx());
                text(StatusCode::OK, &policy)
            }
            Decision::ToTls(to) => match HeaderValue::try_from(to) {
                Ok(to) => {
                    let answer = text(
                        StatusCode::PERMANENT_REDIRECT,
                        "This is served over https.\n",
                    );
                    with(answer, LOCATION, to)
                }
                Err(_) => text(StatusCode::BAD_REQUEST, "This is no address.\n"),
            },
            Decision::NotFound => {
                text(StatusCode::NOT_FOUND, "There is nothing at this address.\n")
            }
            Decision::ReadOnly => {
                let answer = text(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "This can only be read (GET, HEAD).\n",
                );
                with(answer, ALLOW, HeaderValue::from_static("GET, HEAD"))
            }
            Decision::NoHost => text(StatusCode::BAD_REQUEST, "The request names no host.\n"),
        }
    }
}

pub(crate) fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *answer.status_mut() = status;
    // RFC 8461 §3.2 wants exactly this type for policies.
    with(answer, CONTENT_TYPE, HeaderValue::from_static("text/plain"))
}

fn with(
    mut answer: Response<Full<Bytes>>,
    name: HeaderName,
    value: HeaderValue,
) -> Response<Full<Bytes>> {
    answer.headers_mut().insert(name, value);
    answer
}

#[cfg(test)]
mod tests;
