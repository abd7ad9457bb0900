//! Fetches what others fetch from us by HTTPS: the MTA-STS policy, and the settings for mail programs.

use doctor::DomainFacts;
use doctor::checks::{ClientFacts, StsFacts};
use futures_util::future::join3;
use world::http::{HttpClient, HttpError, Request, Response};
use world::{Kind, World};

use super::limits;

/// What the pages of one domain showed.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) sts: Option<StsFacts>,
    pub(super) client: ClientFacts,
    /// Names for which a certificate is missing.
    pub(super) without_certificate: Vec<String>,
}

enum Page {
    Good(Box<Response>),
    /// Words for the operator, and whether the certificate is the reason.
    Bad(String, bool),
    Unknown,
}

pub(super) async fn look(world: &World, http: &HttpClient, domain: &DomainFacts) -> Pages {
    let name = &domain.domain;
    let policy_host = format!("mta-sts.{name}");
    let settings_host = format!("autoconfig.{name}");
    let discover_host = format!("autodiscover.{name}");
    let (policy, settings, discovered) = join3(
        get(
            (world, http),
            &policy_host,
            Request::get(&format!("https://{policy_host}/.well-known/mta-sts.txt")),
        ),
        get(
            (world, http),
            &settings_host,
            Request::get(&format!(
                "https://{settings_host}/mail/config-v1.1.xml?emailaddress=postmaster@{name}"
            )),
        ),
        get(
            (world, http),
            &discover_host,
            Request::post(
                &format!("https://{discover_host}/autodiscover/autodiscover.xml"),
                "text/xml",
                question(name).into_bytes(),
            ),
        ),
    )
    .await;
    let mut pages = Pages::default();
    for (page, host) in [
        (&policy, policy_host),
        (&settings, settings_host),
        (&discovered, discover_host),
    ] {
        if matches!(page, Page::Bad(_, true)) {
            pages.without_certificate.push(host);
        }
    }
    if domain.mta_sts.is_some() {
        pages.sts = match policy {
            Page::Good(response) => Some(read_policy(&response)),
            Page::Bad(fault, _) => Some(StsFacts {
                fault: Some(fault),
                ..StsFacts::default()
            }),
            Page::Unknown => None,
        };
    }
    pages.client.autoconfig = holds(settings, "<clientConfig");
    pages.client.autodiscover = holds(discovered, "<Protocol>");
    pages
}

async fn get((world, http): (&World, &HttpClient), host: &str, request: Request) -> Page {
    let request = request
        .within(limits::PAGE_PATIENCE)
        .body_bytes_max(limits::PAGE_BYTES_MAX);
    match http.fetch(request).await {
        Ok(response) if response.status == 200 => Page::Good(Box::new(response)),
        Ok(response) => Page::Bad(format!("status {}", response.status), false),
        // Nobody knows; the next look will tell.
        Err(HttpError::Dns { .. }) => Page::Unknown,
        // The time may have gone into finding the address.
        Err(HttpError::TimedOut) if world.dns.ask(host, Kind::A).await.is_err() => Page::Unknown,
        Err(error) => {
            let is_certificate = error.tls_failure().is_some();
            Page::Bad(error.to_string(), is_certificate)
        }
    }
}

fn holds(page: Page, word: &str) -> Option<Result<(), String>> {
    match page {
        Page::Good(response) => {
            let text = String::from_utf8_lossy(&response.body);
            Some(match text.contains(word) {
                true => Ok(()),
                false => Err("something else is served there".to_owned()),
            })
        }
        Page::Bad(fault, _) => Some(Err(fault)),
        Page::Unknown => None,
    }
}

/// RFC 8461 §3.2
fn read_policy(response: &Response) -> StsFacts {
    let text = String::from_utf8_lossy(&response.body);
    let mut sts = StsFacts::default();
    let mut version = false;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "version" => version = value == "STSv1",
            "mode" => value.clone_into(&mut sts.mode),
            "mx" => sts.mx.push(value.to_ascii_lowercase()),
            "max_age" => sts.max_age = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    if !version || sts.mode.is_empty() {
        sts.fault = Some("what is served there is no policy".to_owned());
    }
    sts
}

/// As Outlook asks.
fn question(domain: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
         <Request><EMailAddress>postmaster@{domain}</EMailAddress>\
         <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\
         </AcceptableResponseSchema></Request></Autodiscover>"
    )
}
