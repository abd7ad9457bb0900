//! A special address: what a user of ours sends there is judged as its readers' servers would, and the verdict comes
//! back by mail. Mail of strangers to it is thrown away unread.

use std::time::Duration;

use ::doctor::checks::{Finding, Group, MessageContext, judge, score};
use mail::compose::{Person, TextMessage};
use mail::{Address, Domain, Message, UnixMillis};
use store::{Account, Durability, MailboxId, MailboxName, StoreError, Uid, UidSet, View};
use world::BoxFuture;

use super::{DoctorSettings, Examiner, Reach, limits};
use crate::{Desk, Job, JobError, OwnMessage, Run, schedule};

/// The local part of the address.
pub const CHECK_LOCAL_PART: &str = "check";

/// The name of the account behind it, by which it is known from a person's of the same address.
pub const CHECK_ACCOUNT_NAME: &str = "Postroad doctor";

/// What a reader's server looks at when a message comes.
pub const LOOKED_AT: [Group; 4] = [
    Group::Dns,
    Group::Address,
    Group::Authentication,
    Group::Reputation,
];

pub(crate) struct Letters {
    settings: DoctorSettings,
}

/// A message to the special address.
struct Letter {
    account: Account,
    mailbox: MailboxId,
    uid: Uid,
    body: store::BodyRef,
}

impl Letters {
    pub(crate) fn new(settings: DoctorSettings) -> Self {
        Self { settings }
    }

    async fn answer_all(&self, desk: &Desk) -> Result<(), JobError> {
        for letter in desk.store.read(waiting).await? {
            let bytes = desk.store.body(letter.body, 0..u64::MAX).await?;
            if let Some((sender, message)) = of_ours(&bytes, &desk.settings.host) {
                match self.answer(desk, &letter, sender, message).await {
                    Err(JobError::Failed(problem)) => {
                        // One letter that cannot be answered is no reason to answer none.
                        tracing::warn!(%problem, "a letter to the doctor stays without an answer");
                    }
                    other => other?,
                }
            }
            let (account, mailbox, uid) = (letter.account.id, letter.mailbox, letter.uid);
            let removed = desk.store.write_bulk(Durability::Durable, move |change| {
                change.remove(account, mailbox, &UidSet::one(uid)).map(drop)
            });
            removed
                .await
                .map_err(|error| JobError::Failed(error.to_string()))?;
        }
        Ok(())
    }

    async fn answer(
        &self,
        desk: &Desk,
        letter: &Letter,
        sender: Address,
        message: &[u8],
    ) -> Result<(), JobError> {
        let text = self.verdict(desk, message).await?;
        let from = letter.account.address.clone();
        let subject = Message::parse(message).header_text("Subject");
        let mut unique = [0; 12];
        desk.world.random.branch("verdict").fill(&mut unique);
        let unique: String = unique.iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = TextMessage {
            from: Person {
                name: Some(CHECK_ACCOUNT_NAME.to_owned()),
                address: from.clone(),
            },
            to: vec![Person {
                name: None,
                address: sender.clone(),
            }],
            subject: &format!("Verdict: {}", subject.unwrap_or_default()),
            date: desk.now(),
            message_id: &format!("{unique}@{}", desk.settings.host),
            fields: vec![("Auto-Submitted", "auto-replied".to_owned())],
            text: &text,
        }
        .write();
        let answer = OwnMessage {
            from: None,
            to: vec![sender],
            bytes,
            sign_as: from.domain().clone(),
        };
        let posted = desk.post.post(answer).await;
        posted.map_err(|error| JobError::Failed(error.to_string()))
    }

    async fn verdict(&self, desk: &Desk, message: &[u8]) -> Result<String, JobError> {
        let domains = desk.store.read(|view| view.domains()).await?;
        let names: Vec<String> = domains
            .iter()
            .map(|domain| domain.name.as_str().to_owned())
            .collect();
        let about = MessageContext {
            now: super::kept::secs(desk.now()),
            domains: names,
            is_bulk: false,
        };
        let mut findings = judge(message, &about);
        let author = author_domain(message);
        if let Some(domain) = author.filter(|author| about.domains.contains(author)) {
            findings.extend(self.behind(desk, &domain).await?);
        }
        Ok(words(&findings))
    }

    /// What stands behind an author of this domain.
    async fn behind(&self, desk: &Desk, domain: &str) -> Result<Vec<Finding>, JobError> {
        let Some(http) = desk.http.clone() else {
            return Ok(Vec::new());
        };
        let briefing = self.settings.briefing.clone();
        let brief = desk.world.tasks.blocking(move || briefing()).await;
        let mut brief = brief
            .map_err(|error| JobError::Failed(error.to_string()))?
            .map_err(JobError::Failed)?;
        brief.domains.retain(|one| one.domain == domain);
        let examiner = Examiner {
            world: desk.world.clone(),
            store: desk.store.clone(),
            http,
            tls: self.settings.tls.clone(),
            reach: Reach::Lists,
        };
        let examination = examiner.examine(&brief).await?;
        let matters = |finding: &Finding| LOOKED_AT.contains(&finding.group);
        Ok(examination.findings.into_iter().filter(matters).collect())
    }
}

/// What lies in the mailboxes of the special addresses, some of it.
fn waiting(view: &View<'_>) -> Result<Vec<Letter>, StoreError> {
    let mut letters = Vec::new();
    for domain in view.domains()? {
        let Ok(address) = Address::new(CHECK_LOCAL_PART, domain.name) else {
            continue;
        };
        let Some(account) = view.account_by_address(&address)? else {
            continue;
        };
        if account.name != CHECK_ACCOUNT_NAME {
            continue;
        }
        let inbox = view.mailbox_by_name(account.id, &MailboxName::inbox())?;
        let Some(inbox) = inbox else {
            continue;
        };
        let some = Uid::MIN..=Uid::MAX;
        let stored = view.messages(account.id, inbox.id, some, limits::LETTERS_PER_RUN)?;
        letters.extend(stored.into_iter().map(|one| Letter {
            account: account.clone(),
            mailbox: inbox.id,
            uid: one.placement.uid,
            body: one.body,
        }));
    }
    Ok(letters)
}

/// The sender and the message itself, if a user of ours sent it after a log-in: so say the two fields that this server
/// puts on top, which nobody else can (RFC 8601 §5).
fn of_ours<'m>(bytes: &'m [u8], host: &str) -> Option<(Address, &'m [u8])> {
    let rest = bytes.strip_prefix(b"Return-Path: <")?;
    let end = rest.iter().position(|byte| *byte == b'>')?;
    let sender = std::str::from_utf8(rest.get(..end)?).ok()?;
    let rest = rest.get(end..)?.strip_prefix(b">\r\n")?;
    let proof = format!("Authentication-Results: {host};\r\n\tauth=pass");
    let rest = rest.strip_prefix(proof.as_bytes())?;
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    Some((Address::parse(sender).ok()?, rest.get(end + 2..)?))
}

/// The domain of the author, as far as From says it.
pub fn author_domain(message: &[u8]) -> Option<String> {
    let from = Message::parse(message).header_text("From")?;
    let (_, domain) = from.rsplit_once('@')?;
    let end = domain
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(domain.len());
    let domain = Domain::parse(domain.get(..end)?).ok()?;
    Some(domain.as_str().to_owned())
}

fn words(findings: &[Finding]) -> String {
    let mut text = format!("{} of 100 points\n", score(findings).points);
    if findings.is_empty() {
        text.push_str("\nNothing speaks against this message.\n");
    }
    for finding in findings {
        text.push_str(&format!(
            "\n-{}  {}: {}\n{}\n{}\n",
            finding.cost, finding.about, finding.seen, finding.why, finding.fix.text
        ));
    }
    text
}

impl Job for Letters {
    fn name(&self) -> &'static str {
        "doctor.letters"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        // It is woken; this is for what was missed.
        schedule::every(Duration::from_secs(86_400), last, started)
    }

    fn woken<'a>(&'a self, desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut commits = 0;
            loop {
                desk.world.clock.after(limits::LETTERS_LOOK).await;
                // Where nothing was written nothing came; some engines do not count and say zero.
                let now = desk.store.commits();
                if now != 0 && now == commits {
                    continue;
                }
                commits = now;
                match desk.store.read(waiting).await {
                    Ok(letters) if !letters.is_empty() => return,
                    _ => {}
                }
            }
        })
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(self.answer_all(desk))
    }
}
