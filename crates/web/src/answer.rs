//! What is at an address: facts from the store, then the decision of `route.rs`, then the answer's bytes.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use mail::{Address, Domain};
use store::StoreError;
use world::TlsServer;

use crate::client_setup::{self, Profile};
use crate::route::{Asked, Decision, Host, Setup, decide};
use crate::{Inner, mta_sts};

const TEXT: &str = "text/plain";
const XML: &str = "text/xml; charset=utf-8";
const NOTHING: &str = "There is nothing at this address.\n";

impl Inner {
    /// `body` is what came with the request; `tls` is the server whose certificate signs profiles.
    pub(crate) async fn answer(
        &self,
        asked: Asked,
        body: &[u8],
        tls: Option<&TlsServer>,
    ) -> Response<Full<Bytes>> {
        let answered = async {
            let host = self.host(&asked.host).await?;
            let decision = decide(&asked, host);
            tracing::debug!(
                host = asked.host,
                path = asked.path,
                ?decision,
                "web request"
            );
            self.write(decision, &asked, body, tls).await
        };
        match answered.await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, host = asked.host, "a web request waits for the store");
                text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Not now. Please try again later.\n",
                )
            }
        }
    }

    async fn host(&self, name: &str) -> Result<Host, StoreError> {
        if name == self.settings.hostname.as_str() {
            return Ok(Host::Own);
        }
        let Ok(whole) = Domain::parse(name) else {
            return Ok(Host::Unknown);
        };
        let below = |prefix: &str| {
            name.strip_prefix(prefix)
                .and_then(|rest| Domain::parse(rest).ok())
        };
        let policy_of = below(mta_sts::HOST_PREFIX);
        let setup_of = below("autoconfig.").or_else(|| below("autodiscover."));
        self.store
            .read_small(move |view| {
                if view.is_local(&whole)? {
                    return Ok(Host::Domain(whole.clone()));
                }
                if let Some(domain) = &policy_of
                    && view.is_local(domain)?
                {
                    return Ok(Host::PolicyOf(view.mta_sts_mode(domain)?));
                }
                if let Some(domain) = &setup_of
                    && view.is_local(domain)?
                {
                    return Ok(Host::SetupOf(domain.clone()));
                }
                Ok(Host::Unknown)
            })
            .await
    }

    async fn write(
        &self,
        decision: Decision,
        asked: &Asked,
        body: &[u8],
        tls: Option<&TlsServer>,
    ) -> Result<Response<Full<Bytes>>, StoreError> {
        Ok(match decision {
            Decision::Policy(mode) => {
                let policy = mta_sts::policy_text(mode, &self.settings.mx());
                text(StatusCode::OK, &policy)
            }
            Decision::Challenge(token) => {
                match self
                    .store
                    .read_small(move |view| view.acme_answer(&token))
                    .await?
                {
                    Some(answer) => text(StatusCode::OK, &answer),
                    None => text(StatusCode::NOT_FOUND, NOTHING),
                }
            }
            Decision::Setup(setup) => self.set_up(setup, asked, body, tls).await?,
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
            Decision::NotFound => text(StatusCode::NOT_FOUND, NOTHING),
            Decision::Only(methods) => {
                let say = format!("This address answers {methods} only.\n");
                let answer = text(StatusCode::METHOD_NOT_ALLOWED, &say);
                with(answer, ALLOW, HeaderValue::from_static(methods))
            }
            Decision::NoHost => text(StatusCode::BAD_REQUEST, "The request names no host.\n"),
        })
    }

    /// For domains of ours only; whether the account exists is not told.
    async fn set_up(
        &self,
        setup: Setup,
        asked: &Asked,
        body: &[u8],
        tls: Option<&TlsServer>,
    ) -> Result<Response<Full<Bytes>>, StoreError> {
        let services = &self.settings.services;
        let nothing = || text(StatusCode::NOT_FOUND, NOTHING);
        Ok(match setup {
            Setup::Autoconfig { domain, address } => match self.serves(&domain).await? {
                true => {
                    let file = client_setup::autoconfig(services, &domain, address.as_ref());
                    typed(StatusCode::OK, XML, file.into_bytes())
                }
                false => nothing(),
            },
            Setup::Autodiscover => match client_setup::parse_autodiscover(body) {
                Some(question) if self.serves(question.address.domain()).await? => {
                    let file = client_setup::autodiscover(services, &question);
                    typed(StatusCode::OK, XML, file.into_bytes())
                }
                Some(_) => nothing(),
                None => text(
                    StatusCode::BAD_REQUEST,
                    "The request names no e-mail address.\n",
                ),
            },
            Setup::AutodiscoverJson => {
                let file = client_setup::redirect_json(&asked.host);
                typed(StatusCode::OK, "application/json", file.into_bytes())
            }
            Setup::Profile(address) => match self.serves(address.domain()).await? {
                true => self.profile(&address, asked, tls).unwrap_or_else(nothing),
                false => nothing(),
            },
        })
    }

    async fn serves(&self, domain: &Domain) -> Result<bool, StoreError> {
        let domain = domain.clone();
        self.store
            .read_small(move |view| view.is_local(&domain))
            .await
    }

    /// Signed with the certificate of the name that was asked, so that a telephone shows whose it is.
    fn profile(
        &self,
        address: &Address,
        asked: &Asked,
        tls: Option<&TlsServer>,
    ) -> Option<Response<Full<Bytes>>> {
        let file = client_setup::profile(&self.settings.services, Profile { address, name: "" })?;
        let certificate = tls.map(|tls| tls.certificate_for(&asked.host));
        let signed = certificate.and_then(|certificate| certificate.sign_document(file.as_bytes()));
        let answer = typed(
            StatusCode::OK,
            "application/x-apple-aspen-config",
            signed.unwrap_or_else(|| file.into_bytes()),
        );
        let name = HeaderValue::from_static("attachment; filename=\"mail.mobileconfig\"");
        Some(with(answer, CONTENT_DISPOSITION, name))
    }
}

pub(crate) fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    // RFC 8461 §3.2 wants exactly this type for policies.
    typed(status, TEXT, text.as_bytes().to_vec())
}

fn typed(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    with(answer, CONTENT_TYPE, HeaderValue::from_static(kind))
}

fn with(
    mut answer: Response<Full<Bytes>>,
    name: HeaderName,
    value: HeaderValue,
) -> Response<Full<Bytes>> {
    answer.headers_mut().insert(name, value);
    answer
}
