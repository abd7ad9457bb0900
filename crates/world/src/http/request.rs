//! What is asked, and what was answered, without the types of any HTTP library.

use std::net::IpAddr;
use std::time::Duration;

use ::http::header::{HeaderMap, LOCATION};
use ::http::{HeaderName, HeaderValue, Uri};
use wire::TlsFacts;

use super::HttpError;
use crate::limits;

/// One request in the making.
#[derive(Clone, Debug)]
pub struct Request {
    url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) head: bool,
    pub(super) body: Option<Vec<u8>>,
    pub(super) body_bytes_max: usize,
    pub(super) patience: Duration,
    redirects_max: u32,
    plain: bool,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub(super) headers: HeaderMap,
    pub body: Vec<u8>,
    /// What the handshake showed, if there was TLS.
    pub tls: Option<TlsFacts>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The name or address, without brackets.
    pub(super) host: String,
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// As it stands in the Host field.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

impl Request {
    /// A page of up to 1 MB, within a minute, over TLS, redirects not followed, unless other calls
    /// say otherwise.
    pub fn get(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            headers: Vec::new(),
            head: false,
            body: None,
            body_bytes_max: limits::HTTP_BODY_BYTES_DEFAULT,
            patience: limits::HTTP_PATIENCE,
            redirects_max: 0,
            plain: false,
        }
    }

    /// As [`Request::get`], without the page itself.
    pub fn head(url: &str) -> Self {
        Self {
            head: true,
            ..Self::get(url)
        }
    }

    pub fn post(url: &str, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            body: Some(body),
            ..Self::get(url)
        }
        .header("Content-Type", content_type)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A longer answer is an error.
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }

    /// For all of it, from the first question to the DNS to the last byte.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Follows so many redirects of a GET.
    pub fn redirects_max(mut self, redirects: u32) -> Self {
        self.redirects_max = redirects;
        self
    }

    /// `http` will do as well as `https`.
    pub fn allow_plain(mut self) -> Self {
        self.plain = true;
        self
    }

    pub(super) fn place(&self) -> Result<Place, HttpError> {
        let bad = || HttpError::BadUrl(self.url.clone());
        let url: Uri = self.url.parse().map_err(|_| bad())?;
        let tls = match url.scheme_str() {
            Some("https") => true,
            Some("http") if self.plain => false,
            Some("http") => return Err(HttpError::NotSecure(self.url.clone())),
            _ => return Err(bad()),
        };
        let authority = url.authority().ok_or_else(bad)?;
        let host = authority.host();
        // Names and passwords in an address are a trick more often than a need.
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(bad());
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = match (authority.port_u16(), authority.port()) {
            (Some(port), _) => port,
            (None, Some(_)) => return Err(bad()),
            (None, None) if tls => 443,
            (None, None) => 80,
        };
        Ok(Place {
            address: bare.parse().ok(),
            host: bare.to_ascii_lowercase(),
            port,
            tls,
            authority: authority.as_str().to_owned(),
            path: url
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
        })
    }

    /// The next request, if this one is redirected and may be.
    pub(super) fn redirected(
        &self,
        place: &Place,
        response: &Response,
    ) -> Result<Option<Self>, HttpError> {
        let moved = matches!(response.status, 301 | 302 | 303 | 307 | 308);
        if !moved || self.body.is_some() {
            return Ok(None);
        }
        let Some(left) = self.redirects_max.checked_sub(1) else {
            // Whoever allowed none wants to see the answer; whoever allowed some asked for the page.
            return Ok(None);
        };
        let nowhere = || HttpError::Redirects(self.url.clone());
        let target = response.header(LOCATION.as_str()).ok_or_else(nowhere)?;
        let url = match target.parse::<Uri>() {
            Ok(url) if url.scheme().is_some() => target.to_owned(),
            Ok(url) if url.authority().is_none() && target.starts_with('/') => {
                let scheme = if place.tls { "https" } else { "http" };
                format!("{scheme}://{}{target}", place.authority)
            }
            _ => return Err(nowhere()),
        };
        Ok(Some(Self {
            url,
            redirects_max: left,
            ..self.clone()
        }))
    }

    pub(super) fn fields(&self) -> Result<Vec<(HeaderName, HeaderValue)>, HttpError> {
        let field = |(name, value): &(String, String)| {
            let bad = || HttpError::Protocol(format!("{name} is no header field"));
            let name = HeaderName::try_from(name.as_str()).map_err(|_| bad())?;
            let value = HeaderValue::try_from(value.as_str()).map_err(|_| bad())?;
            Ok((name, value))
        };
        self.headers.iter().map(field).collect()
    }
}

impl Response {
    /// The value of a field, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type without parameters, in lower case.
    pub fn content_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let bare = value.split(';').next().unwrap_or_default();
        Some(bare.trim().to_ascii_lowercase())
    }
}
