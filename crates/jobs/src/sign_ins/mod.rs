//! Tells a user, in the user's own mailbox, that somebody logged in from a network that is new to the account. Which log-ins
//! those are is noted by the store with the log-in; here it is found out whose networks they are, and told in plain words.
//!
//! Once each: the Message-ID is made of account and time, so that a message written just before a crash is found again; whoever
//! logged in cannot make it up beforehand.
//! Whoever reads the mailbox may be the intruder; the operator sees all of it with `postroad account sign-ins`.

mod limits;
mod plan;
mod words;

use std::net::IpAddr;

use futures_util::future::{join, join_all};
use mail::UnixMillis;
use mailauth::explain::Notes;
use mailauth::iprev;
use store::{Account, AccountId, Durability, LastTold, SignInNews, StoreError, View};
use world::BoxFuture;

use crate::junk_digest::local_offset;
use crate::notices::Notices;
use crate::{Desk, Job, JobError, OwnMessage, PostError, Run, letter, schedule};
use plan::Named;
use words::Told;

/// Tells users.
#[derive(Default)]
pub(crate) struct SignIns {
    notices: Notices,
}

impl Job for SignIns {
    fn name(&self) -> &'static str {
        "accounts.sign-ins"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(limits::PERIOD, last, started)
    }

    fn woken<'a>(&'a self, desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(self.notices.next(|| desk.store.watch_sign_ins()))
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let mut after = None;
            loop {
                let accounts = desk
                    .store
                    .read(move |view| view.sign_ins_to_tell(after))
                    .await?;
                let Some(last) = accounts.last() else {
                    return Ok(());
                };
                after = Some(*last);
                for account in accounts {
                    one(desk, account).await?;
                }
            }
        })
    }
}

/// What is known of an account whose user is to be told.
struct Known {
    account: Account,
    is_wanted: bool,
    news: Vec<SignInNews>,
    told: LastTold,
    familiar: Vec<IpAddr>,
    offset_mins: i32,
}

impl Known {
    fn read(view: &View<'_>, id: AccountId) -> Result<Option<Self>, StoreError> {
        let Some(account) = view.account(id)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            account,
            is_wanted: view.tells_sign_ins(id)?,
            news: view.sign_in_news(id)?,
            told: view.sign_ins_last_told(id)?,
            familiar: view.familiar_peers(id, limits::FAMILIAR_MAX)?,
            offset_mins: local_offset(view, id)?,
        }))
    }
}

async fn one(desk: &Desk, id: AccountId) -> Result<(), JobError> {
    let now = desk.now();
    let known = desk.store.read(move |view| Known::read(view, id)).await?;
    let Some(known) = known else {
        return Ok(());
    };
    let Some(oldest) = known.news.first().map(|news| news.at) else {
        return Ok(());
    };
    if !known.is_wanted {
        return drop_news(desk, id, known.news, None).await;
    }
    if !plan::is_due(known.told, now) {
        return Ok(());
    }
    let host = &desk.settings.host;
    let plain = format!("sign-in {id} {}", oldest.0);
    let Known {
        account,
        news,
        familiar,
        offset_mins,
        ..
    } = known;
    let (told, quiet) = divided(desk, news, familiar).await;
    let quiet = quiet.into_iter().map(|one| one.news).collect();
    drop_news(desk, id, quiet, None).await?;
    if told.is_empty() {
        return Ok(());
    }
    let at_host = host.clone();
    let looked = desk.store.read(move |view| {
        let name = format!("{}@{at_host}", view.own_message_name(&plain));
        let is_known = view.knows_message_id(id, &name)?;
        Ok::<_, StoreError>((name, is_known))
    });
    let (name, was_told) = looked.await?;
    let all: Vec<SignInNews> = told.iter().map(|one| one.news.clone()).collect();
    if !was_told {
        let told = Told {
            to: account.address.to_string(),
            log_ins: told,
            offset_mins,
        };
        match desk.post.post(message(&account, &told, &name, now)).await {
            Ok(()) => {
                tracing::info!(account = %account.address, networks = all.len(), "a user is told of log-ins from new networks");
            }
            // A disabled account takes no mail, and has nobody who reads it.
            Err(PostError::Refused(problem)) => {
                tracing::warn!(account = %account.address, problem, "a user cannot be told of a log-in");
            }
            Err(PostError::Later(problem)) => return Err(JobError::Failed(problem)),
        }
    }
    drop_news(desk, id, all, Some(now)).await
}

async fn drop_news(
    desk: &Desk,
    account: AccountId,
    news: Vec<SignInNews>,
    told: Option<UnixMillis>,
) -> Result<(), JobError> {
    if news.is_empty() {
        return Ok(());
    }
    let dropped = desk.store.write_bulk(Durability::Durable, move |change| {
        change.drop_sign_in_news(account, &news, told)
    });
    Ok(dropped.await?)
}

/// Finds out what the addresses are called, and which of them are told of.
async fn divided(
    desk: &Desk,
    news: Vec<SignInNews>,
    familiar: Vec<IpAddr>,
) -> (Vec<Named>, Vec<Named>) {
    let late = desk.world.now() + limits::NAMES_PATIENCE;
    let names = async |peers: Vec<IpAddr>| {
        let asked = peers.into_iter().map(|peer| async move {
            let mut notes = Notes::off();
            let asked = iprev::check(&*desk.world.dns, peer, &mut notes);
            let found = desk.world.tasks.deadline(late, asked).await.ok()?;
            Some(found.confirmed_name()?.to_owned())
        });
        join_all(asked).await
    };
    let peers = news.iter().map(|one| one.peer).collect();
    let (of_news, of_familiar) = join(names(peers), names(familiar)).await;
    let named = news.into_iter().zip(of_news);
    let named = named.map(|(news, name)| Named { news, name }).collect();
    let familiar: Vec<String> = of_familiar.into_iter().flatten().collect();
    plan::divide(named, &familiar)
}

fn message(account: &Account, told: &Told, name: &str, now: UnixMillis) -> OwnMessage {
    let (subject, text) = (told.subject(), told.text());
    let bytes = letter::text(account, &subject, &text, name, now).write();
    letter::message(account, bytes)
}
