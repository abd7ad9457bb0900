//! The daily summary of what the filter put into Junk: mailed to each person who wants it, in the local morning, into their own
//! mailbox, once a day, only if there is anything.
//!
//! The local morning is that of the clock by which the person's last message was dated. A summary's Message-ID is made of
//! account and day: one that was delivered just before a crash is found again, and none comes twice. Nobody else can make it up.

mod limits;
mod page;
mod plan;

use mail::compose::AlternativeMessage;
use mail::{UnixMillis, date, header, words};
use store::lessons::{DigestState, JunkedMessage};
use store::{Account, AccountId, Durability, StoreError, View};
use world::BoxFuture;

pub(crate) use page::shown;
pub use page::{Line, Page};

use crate::{Desk, Job, JobError, OwnMessage, PostError, Run, letter, schedule};
use plan::Due;

/// What a summary would tell about a time; nothing if there is nothing to tell.
pub fn gather(
    view: &View<'_>,
    account: &Account,
    after: UnixMillis,
    until: UnixMillis,
) -> Result<Option<Page>, StoreError> {
    let (junked, count) = view.junked_between(account.id, after, until, limits::LINES_MAX)?;
    if count == 0 {
        return Ok(None);
    }
    let lines = junked.iter().map(|junked| line(view, junked));
    Ok(Some(Page {
        to: account.address.to_string(),
        lines: lines.collect::<Result<_, _>>()?,
        count,
        offset_mins: local_offset(view, account.id)?,
    }))
}

/// The message that carries a page. `name` is what makes its Message-ID; `unique` is random.
#[must_use]
pub fn message(
    account: &Account,
    page: &Page,
    name: &str,
    unique: u64,
    now: UnixMillis,
) -> OwnMessage {
    let (subject, text) = (page.subject(), page.text());
    let bytes = AlternativeMessage {
        plain: letter::text(account, &subject, &text, name, now),
        html: &page.html(),
        boundary: &format!("summary{unique:016x}"),
    }
    .write();
    letter::message(account, bytes)
}

/// Mails what is to be told.
pub(crate) struct JunkDigest;

impl Job for JunkDigest {
    fn name(&self) -> &'static str {
        "spam.digest"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(limits::PERIOD, last, started)
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let mut after = None;
            loop {
                let states = desk
                    .store
                    .read(move |view| view.digests(after, limits::ACCOUNTS_AT_ONCE))
                    .await?;
                let Some(last) = states.last() else {
                    return Ok(());
                };
                after = Some(last.account);
                for state in states {
                    one(desk, state).await?;
                }
            }
        })
    }
}

async fn one(desk: &Desk, state: DigestState) -> Result<(), JobError> {
    let now = desk.now();
    let id = state.account;
    let found = desk.store.read(move |view| {
        let offset = local_offset(view, id)?;
        let account = view.account(id)?;
        Ok::<_, StoreError>(account.map(|account| (account, plan::due(&state, offset, now))))
    });
    let Some((account, due)) = found.await? else {
        return Ok(());
    };
    let (day, after) = match due {
        Due::NotYet => return Ok(()),
        Due::Begin { day, told_until } => return note(desk, id, day, told_until).await,
        Due::Now { day, after } => (day, after),
    };
    let (person, host) = (account.clone(), desk.settings.host.clone());
    let (page, name, was_delivered) = desk
        .store
        .read(move |view| {
            let page = gather(view, &person, after, now)?;
            let name = view.own_message_name(&format!("junk {id} {day}"));
            let name = format!("{name}@{host}");
            let was_delivered = view.knows_message_id(id, &name)?;
            Ok::<_, StoreError>((page, name, was_delivered))
        })
        .await?;
    if let (Some(page), false) = (page, was_delivered) {
        let mut unique = [0; 8];
        desk.world.random.branch("digest").fill(&mut unique);
        let message = message(&account, &page, &name, u64::from_le_bytes(unique), now);
        match desk.post.post(message).await {
            Ok(()) => {}
            // It would be refused tomorrow too; others must have theirs.
            Err(PostError::Refused(problem)) => {
                tracing::warn!(account = %account.address, problem, "a summary of junk was not taken");
            }
            Err(PostError::Later(problem)) => return Err(JobError::Failed(problem)),
        }
    }
    note(desk, id, day, now).await
}

async fn note(
    desk: &Desk,
    account: AccountId,
    day: i64,
    told_until: UnixMillis,
) -> Result<(), JobError> {
    let noted = desk.store.write_bulk(Durability::Durable, move |change| {
        change.note_digest(account, day, told_until)
    });
    Ok(noted.await?)
}

fn line(view: &View<'_>, junked: &JunkedMessage) -> Result<Line, StoreError> {
    let mut head = Vec::new();
    match view.read_body(&junked.body, 0..limits::HEADER_BYTES_MAX, &mut head) {
        Ok(()) | Err(StoreError::BodyGone) => {}
        Err(error) => return Err(error),
    }
    let text = |name: &str| {
        header::first(&head, name)
            .map(words::decode)
            .unwrap_or_default()
    };
    Ok(Line {
        from: text("From"),
        subject: text("Subject"),
        at: junked.at,
        probability: junked.probability,
        reason: junked.reason.clone(),
    })
}

/// By how many minutes the person's clock is before that of Greenwich.
pub(crate) fn local_offset(view: &View<'_>, account: AccountId) -> Result<i32, StoreError> {
    let Some(body) = view.newest_sent(account)? else {
        return Ok(0);
    };
    let mut head = Vec::new();
    match view.read_body(&body, 0..limits::HEADER_BYTES_MAX, &mut head) {
        Ok(()) => {}
        Err(StoreError::BodyGone) => return Ok(0),
        Err(error) => return Err(error),
    }
    let written = header::first(&head, "Date").and_then(date::parse);
    Ok(written.map_or(0, |zoned| zoned.offset_mins.clamp(-720, 840)))
}
