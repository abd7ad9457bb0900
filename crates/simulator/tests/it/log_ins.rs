//! Log-ins over time: what is taken back ends at once, and who travels, guesses or has an old password leaves the traces
//! that they should.

use mta::{Refusal, Submission, SubmissionRecipient};
use simulator::{Client, Host, Internet, PASSWORD, hours, minutes};
use store::{
    AccountError, AccountId, AccountState, AppPasswordBounds, Durability, NewAppPassword,
    PasswordUsed, Protocol, Protocols, Visit,
};

use crate::{ANN, here, letter};

/// A connection to the submission port that has said EHLO.
async fn submission(internet: &Internet, host: &Host) -> Client {
    let mut client = internet
        .connect_from(internet.fresh_address(), host.submission())
        .await;
    client.reply().await.unwrap();
    client.say("EHLO laptop.test").await.unwrap();
    client
}

async fn account(host: &Host) -> AccountId {
    let find = |view: &store::View<'_>| view.account_by_address(&ANN.parse().unwrap());
    host.store().read(find).await.unwrap().unwrap().id
}

/// Ann's password is in the wrong hands, and is taken back while the thief writes.
#[test]
fn a_session_of_a_thief_goes_no_further() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let mut in_mail = submission(&internet, &host).await;
        let mut in_data = submission(&internet, &host).await;
        let mut idle = submission(&internet, &host).await;
        for client in [&mut in_mail, &mut in_data, &mut idle] {
            assert_eq!(client.log_in(ANN, PASSWORD).await.unwrap().code, 235);
        }
        for client in [&mut in_mail, &mut in_data] {
            let said = client.say(&format!("MAIL FROM:<{ANN}>")).await.unwrap();
            assert_eq!(said.code, 250);
        }
        let said = in_data.say(&format!("RCPT TO:<{ANN}>")).await.unwrap();
        assert_eq!(said.code, 250);
        assert_eq!(in_data.say("DATA").await.unwrap().code, 354);
        in_data.send("Subject: you have won").await.unwrap();
        let ann = account(&host).await;
        let store = host.store();
        let again = store.set_password(ann, "another password".to_owned(), internet.wall().into());
        again.await.unwrap();
        for client in [&mut in_mail, &mut in_data, &mut idle] {
            let said = client.reply().await.unwrap();
            assert_eq!(said.code, 421, "{said:?}");
            assert!(client.reply().await.is_err(), "and closed");
        }
        assert!(host.inbox(ANN).is_empty());
        let mut anew = submission(&internet, &host).await;
        assert_eq!(anew.log_in(ANN, PASSWORD).await.unwrap().code, 535);
        let said = anew.log_in(ANN, "another password").await.unwrap();
        assert_eq!(said.code, 235);
        let said = anew.transact(ANN, &[ANN], &letter("here I am")).await;
        assert_eq!(said.unwrap().code, 250);
        assert_eq!(host.inbox(ANN).len(), 1);
    });
}

/// Whatever took its time between the last byte and the answer: the message of a log-in that has ended is nobody's.
#[test]
fn what_was_said_before_the_log_in_ended_is_not_sent_after_it() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let ann = account(&host).await;
        for end in ["password", "sessions", "disabled", "removed"] {
            let now = internet.wall().into();
            let visit = Visit {
                protocol: Protocol::Submission,
                peer: internet.fresh_address(),
            };
            let password = match end {
                "password" => PASSWORD,
                _ => "another password",
            };
            let user = host.store().log_in(ANN, password, visit, now);
            let user = user.await.unwrap();
            let message = || Submission {
                user: user.clone(),
                reverse_path: mail::ReversePath::Address(ANN.parse().unwrap()),
                recipients: vec![SubmissionRecipient {
                    address: "bob@there.test".parse().unwrap(),
                    dsn: Default::default(),
                }],
                dsn: Default::default(),
                smtputf8: false,
                message: letter("here I am").into(),
                peer: Some(visit.peer),
            };
            let taken = host.mta().submit(message()).await;
            assert_eq!(taken.expect("still logged in").delivered().len(), 0);
            let queued = host.queue().len();
            let store = host.store();
            if end == "password" {
                let set = store.set_password(ann, "another password".to_owned(), now);
                set.await.unwrap();
            }
            let change = move |change: &mut store::Change<'_>| match end {
                "sessions" => Ok(change.end_sessions(ann)?),
                "disabled" => {
                    change.set_account_state(ann, AccountState::Disabled)?;
                    // A new log-in would be in a new epoch.
                    Ok(())
                }
                "removed" => change.remove_account(ann),
                _ => Ok(()),
            };
            let changed: Result<(), AccountError> = store.write(Durability::Durable, change).await;
            changed.unwrap();
            let said = host.mta().submit(message()).await;
            assert!(said.is_err(), "{end}: {said:?}");
            if end != "removed" {
                assert!(matches!(said, Err(Refusal::LoggedOut)), "{end}: {said:?}");
                assert_eq!(host.queue().len(), queued, "{end}");
            }
            if end == "disabled" {
                let enable = move |change: &mut store::Change<'_>| {
                    change.set_account_state(ann, AccountState::Active)
                };
                let enabled: Result<(), AccountError> =
                    store.write(Durability::Durable, enable).await;
                enabled.unwrap();
                let said = host.mta().submit(message()).await;
                assert!(matches!(said, Err(Refusal::LoggedOut)), "enabled: {said:?}");
            }
        }
    });
}

/// A phone has the old password for a week and asks every five minutes: its owner is never shut out beside it.
#[test]
fn an_old_phone_is_no_guesser() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let home = internet.fresh_address();
        let ask = async |password: &str| {
            let mut client = internet.connect_from(home, host.submission()).await;
            client.reply().await.unwrap();
            client.say("EHLO phone.test").await.unwrap();
            client.log_in(ANN, password).await.unwrap().code
        };
        for _ in 0..7 * 24 * 12 {
            assert_eq!(ask("the old password").await, 535);
            internet.pass(minutes(5)).await;
        }
        assert_eq!(ask(PASSWORD).await, 235);
    });
}

/// The history of a journey, and a device that is lost on it.
#[test]
fn a_journey_is_remembered() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let (ann, store) = (account(&host).await, host.store());
        let new = NewAppPassword {
            name: "phone".to_owned(),
            bounds: AppPasswordBounds {
                protocols: Protocols::all(),
                networks: Vec::new(),
                expires: None,
            },
        };
        let phone = store
            .add_app_password(ann, new, internet.wall().into())
            .await
            .unwrap();
        for day in 0..3 {
            let mut client = submission(&internet, &host).await;
            let password = if day < 2 { PASSWORD } else { &phone };
            assert_eq!(client.log_in(ANN, password).await.unwrap().code, 235);
            let said = client.transact(ANN, &[ANN], &letter("a card")).await;
            assert_eq!(said.unwrap().code, 250);
            internet.pass(hours(24)).await;
        }
        let all = store
            .read(move |view| view.sign_ins(ann, 100))
            .await
            .unwrap();
        let used: Vec<_> = all.iter().map(|one| one.used.clone().unwrap()).collect();
        assert_eq!(
            used,
            [
                PasswordUsed::App("phone".into()),
                PasswordUsed::Main,
                PasswordUsed::Main
            ]
        );
        assert!(all.iter().all(|one| one.client == "laptop.test"), "{all:?}");
        let gone = store.write(Durability::Durable, move |change| {
            change.remove_app_password(ann, "phone")
        });
        assert!(gone.await.unwrap());
        let mut finder = submission(&internet, &host).await;
        assert_eq!(finder.log_in(ANN, &phone).await.unwrap().code, 535);
    });
}
