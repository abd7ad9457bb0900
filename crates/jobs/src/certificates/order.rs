//! One order at the authority, from who we are to the chain. RFC 8555 §7.

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount,
    NewOrder, Order, OrderStatus,
};
use mail::UnixMillis;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use store::{Challenge, ChallengeKind, Durability, Fetched};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::transport::Transport;
use super::{CertificatesSettings, in_dns};
use crate::{Desk, limits};

/// The error is text for the operator.
pub(super) async fn fetch(
    desk: &Desk,
    settings: &CertificatesSettings,
    names: &[String],
    key: KeyPair,
    way: ChallengeKind,
) -> Result<Fetched, String> {
    let account = account(desk, settings).await?;
    let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
    let order = account.new_order(&NewOrder::new(&identifiers)).await;
    let mut order = order.map_err(|error| refused("the order", &error))?;
    prove(desk, settings, &mut order, way).await?;
    wait(desk, &mut order, OrderStatus::Ready).await?;
    let mut csr = CertificateParams::new(names.to_vec()).map_err(|error| error.to_string())?;
    csr.distinguished_name = DistinguishedName::new();
    let csr = csr
        .serialize_request(&key)
        .map_err(|error| error.to_string())?;
    let finalized = order.finalize_csr(csr.der()).await;
    finalized.map_err(|error| refused("the request for the certificate", &error))?;
    wait(desk, &mut order, OrderStatus::Valid).await?;
    let chain = order
        .certificate()
        .await
        .map_err(|error| refused("the certificate", &error))?;
    let chain = chain.ok_or("the authority made no certificate")?;
    let (not_before, not_after) = validity(&chain)?;
    Ok(Fetched {
        chain,
        private_key: key.serialize_der(),
        not_before,
        not_after,
    })
}

/// What was asked for these names is asked no more.
pub(super) async fn clean_up(desk: &Desk, names: &[String]) {
    in_dns::take_away(desk, names).await;
    let before = desk.now().minus(limits::CHALLENGE_AGE_MAX);
    for name in names {
        let name = name.clone();
        let removed = desk.store.write_bulk(Durability::Relaxed, move |change| {
            change.remove_acme_challenges(&name, before)
        });
        if let Err(error) = removed.await {
            tracing::warn!(%error, "challenges of an authority stay for now");
        }
    }
}

/// The one we have, or a new one, kept before it is used.
async fn account(desk: &Desk, settings: &CertificatesSettings) -> Result<Account, String> {
    let directory = settings.directory.clone();
    let stored = desk
        .store
        .read(move |view| view.acme_account(&directory))
        .await;
    let stored = stored.map_err(|error| error.to_string())?;
    let http = desk
        .http
        .clone()
        .ok_or("there is no client for the authority's pages")?;
    let builder = || Account::builder_with_http(Box::new(Transport::new(http.clone())));
    if let Some(credentials) = stored {
        let credentials: AccountCredentials = serde_json::from_slice(&credentials)
            .map_err(|error| format!("the stored account is damaged: {error}"))?;
        return builder()
            .from_credentials(credentials)
            .await
            .map_err(|error| refused("our account", &error));
    }
    let contact = settings
        .contact
        .as_ref()
        .map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder()
        .create(&new, settings.directory.clone(), None)
        .await
        .map_err(|error| refused("a new account", &error))?;
    let credentials = serde_json::to_vec(&credentials).map_err(|error| error.to_string())?;
    let (directory, now) = (settings.directory.clone(), desk.now());
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            change.set_acme_account(&directory, &credentials, now)
        })
        .await
        .map_err(|error| error.to_string())?;
    Ok(account)
}

/// Lays out what the authority will look for, and then says so.
async fn prove(
    desk: &Desk,
    settings: &CertificatesSettings,
    order: &mut Order,
    way: ChallengeKind,
) -> Result<(), String> {
    let theirs = || match way {
        ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
        ChallengeKind::Dns01 => ChallengeType::Dns01,
    };
    let mut in_tls = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization =
            authorization.map_err(|error| refused("an authorization", &error))?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => return Err(format!("the authority's authorization is {other:?}")),
        }
        let Some(mut handle) = authorization.challenge(theirs()) else {
            return Err(format!(
                "the authority does not offer the way to prove names that works here ({way:?})"
            ));
        };
        let key_authorization = handle.key_authorization();
        let challenge = Challenge {
            kind: way,
            name: handle.identifier().to_string(),
            token: handle.token.clone(),
            answer: match way {
                ChallengeKind::Dns01 => key_authorization.dns_value(),
                ChallengeKind::Http01 | ChallengeKind::TlsAlpn01 => {
                    key_authorization.as_str().to_owned()
                }
            },
        };
        if way == ChallengeKind::TlsAlpn01 {
            in_tls.push((challenge.name.clone(), challenge.answer.clone()));
            (settings.answer_in_tls)(&in_tls);
        }
        let (now, kept) = (desk.now(), challenge.clone());
        desk.store
            .write_bulk(Durability::Durable, move |change| {
                change.add_acme_challenge(&kept, now)
            })
            .await
            .map_err(|error| error.to_string())?;
        if way == ChallengeKind::Dns01 {
            in_dns::publish(desk, &challenge).await?;
        }
        handle
            .set_ready()
            .await
            .map_err(|error| refused("the challenge", &error))?;
    }
    Ok(())
}

/// Until the order has come so far. The caller bounds the time.
async fn wait(desk: &Desk, order: &mut Order, wanted: OrderStatus) -> Result<(), String> {
    loop {
        let state = order
            .refresh()
            .await
            .map_err(|error| refused("the order", &error))?;
        match state.status {
            status if status == wanted => return Ok(()),
            OrderStatus::Valid => return Ok(()),
            OrderStatus::Invalid => return Err(why_invalid(order).await),
            OrderStatus::Pending | OrderStatus::Ready | OrderStatus::Processing => {}
        }
        desk.world.clock.after(limits::ORDER_POLL).await;
    }
}

/// The authority's own words about the names that it could not make sure of.
async fn why_invalid(order: &mut Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else {
            continue;
        };
        let Ok(state) = authorization.refresh().await else {
            continue;
        };
        let errors = state
            .challenges
            .iter()
            .filter_map(|challenge| challenge.error.as_ref());
        said.extend(errors.map(ToString::to_string));
    }
    if said.is_empty() {
        return "the authority could not make sure that the names lead here".to_owned();
    }
    format!("the authority looked here and says: {}", said.join("; "))
}

fn refused(what: &str, error: &Error) -> String {
    format!("{what} was not accepted by the authority: {error}")
}

fn validity(chain: &str) -> Result<(UnixMillis, UnixMillis), String> {
    let first = CertificateDer::pem_slice_iter(chain.as_bytes()).next();
    let first = first
        .ok_or("the authority's answer holds no certificate")?
        .map_err(|error| format!("the authority's certificate is damaged: {error}"))?;
    let (_, certificate) = X509Certificate::from_der(&first)
        .map_err(|error| format!("the authority's certificate is damaged: {error}"))?;
    let validity = certificate.validity();
    let millis = |secs: i64| UnixMillis(secs.saturating_mul(1000));
    Ok((
        millis(validity.not_before.timestamp()),
        millis(validity.not_after.timestamp()),
    ))
}
