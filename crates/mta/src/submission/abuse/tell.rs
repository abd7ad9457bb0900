//! Tells users of alarms about their accounts, by a message in their own inbox: it goes without sending.

use mail::compose::{Person, TextMessage};
use mail::{Address, ReversePath, UnixMillis};
use store::sending::Alarm;
use store::{Durability, StoreError};

use super::words;
use crate::Inner;
use crate::post::{OwnMessage, post};
use crate::refusal::{Blame, Refusal};

/// Those that nobody was told of, one after the other. Called after an alarm, at the start and now and then.
pub(crate) async fn tell_users(inner: &Inner) {
    // Two at once would tell twice.
    let _turn = inner.telling.lock().await;
    let waiting = inner.store.read(|view| view.alarms_to_tell()).await;
    let waiting = waiting.unwrap_or_else(|error: StoreError| {
        tracing::error!(%error, "whom to tell of alarms cannot be read");
        Vec::new()
    });
    for alarm in waiting {
        match tell(inner, &alarm).await {
            Ok(()) => {}
            // An account that was removed or disabled meanwhile has no inbox.
            Err(refusal) if refusal.blame() == Blame::Peer => {
                tracing::warn!(reason = %refusal, "a user cannot be told of an alarm");
            }
            Err(refusal) => {
                tracing::error!(reason = %refusal, "a user is told of an alarm later");
                continue;
            }
        }
        let (id, now) = (alarm.id, inner.now());
        let told = inner.store.write(Durability::Durable, move |change| {
            change.note_alarm_told(id, now)
        });
        if let Err(error) = told.await {
            tracing::error!(%error, "a user may be told twice of an alarm");
        }
    }
}

async fn tell(inner: &Inner, alarm: &Alarm) -> Result<(), Refusal> {
    let (account, since) = (alarm.account, UnixMillis(alarm.at.0 - DAY_MILLIS));
    // Told just before a crash, it is found again by this name.
    let (plain, host) = (
        format!("alarm {}", alarm.id.0),
        inner.settings.hostname.clone(),
    );
    let known = inner.store.read(move |view| {
        let name = format!("{}@{host}", view.own_message_name(&plain));
        let account = match view.account(account)? {
            Some(account) if !view.knows_message_id(account.id, &name)? => account,
            _ => return Ok::<_, StoreError>(None),
        };
        let mut networks = view.sending_networks(account.id)?;
        networks.retain(|network| since <= network.last);
        let reached = view.reached_since(account.id, since)?;
        Ok(Some((account, networks, reached, name)))
    });
    let Some((account, networks, reached, name)) = known.await? else {
        return Ok(());
    };
    let (subject, text) = words::letter(&account.address, alarm, &reached, &networks);
    let domain = account.address.domain().clone();
    let Ok(postmaster) = Address::new("postmaster", domain.clone()) else {
        return Err(Refusal::Bug);
    };
    let bytes = TextMessage {
        from: Person {
            name: Some("Mail server".to_owned()),
            address: postmaster,
        },
        to: vec![Person {
            name: None,
            address: account.address.clone(),
        }],
        subject: &subject,
        date: inner.now(),
        message_id: &name,
        fields: vec![("Auto-Submitted", "auto-generated".to_owned())],
        text: &text,
    }
    .write();
    let message = OwnMessage {
        from: ReversePath::Null,
        to: vec![account.address],
        bytes,
        sign_as: domain,
    };
    post(inner, message).await.map(drop)
}

const DAY_MILLIS: i64 = 86_400_000;
