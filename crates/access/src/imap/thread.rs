//! THREAD (RFC 5256): a search whose answer is a forest. The algorithms are pure and stand below.

mod forest;
mod references;
mod subject;

use store::{Columns, StoreError, StoredRow, UidSet};
use wire::imap::{By, Thread, ThreadAlgorithm};

use super::envelope::Envelope;
use super::refusal::{Done, Outcome, Refusal};
use super::session::Session;
use super::sort::{ENVELOPE, sent_or_arrived};
use forest::Forest;

/// What threading knows of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) uid: u32,
    pub(super) sent: i64,
    pub(super) message_id: Option<String>,
    pub(super) references: Vec<String>,
    pub(super) base_subject: String,
    pub(super) is_reply: bool,
}

impl Session {
    pub(super) async fn thread(&mut self, thread: Thread) -> Outcome {
        let found = self.find(&thread.key).await?;
        let set: UidSet = found.uids.iter().copied().collect();
        let members = match thread.algorithm {
            ThreadAlgorithm::OrderedSubject => self.each_found(&set, ENVELOPE, member).await?,
            ThreadAlgorithm::References => self.with_references(&set).await?,
        };
        // A large mailbox is work for a while, which must not keep others waiting.
        let job = move || match thread.algorithm {
            ThreadAlgorithm::OrderedSubject => subject::thread(members),
            ThreadAlgorithm::References => references::thread(members),
        };
        let forest = self.access.world.tasks.blocking(job).await?;
        self.write_threads(&forest, thread.by)?;
        Ok(Done::Plain)
    }

    /// The References field stands only in the message itself.
    async fn with_references(&mut self, set: &UidSet) -> Result<Vec<Member>, Refusal> {
        let rows = self
            .each_found(
                set,
                Columns {
                    structure: true,
                    body: true,
                    ..ENVELOPE
                },
                |row| (member(row), row.body, header_end(row)),
            )
            .await?;
        let store = self.access.store.clone();
        let job = move || {
            let mut members = Vec::with_capacity(rows.len());
            for (mut member, body, header_end) in rows {
                let Some(body) = body else { continue };
                let header = match store.body_blocking(&body, 0..header_end) {
                    Ok(header) => header,
                    Err(StoreError::BodyGone) => Vec::new(),
                    Err(error) => return Err(error),
                };
                // RFC 5256 §3 step 1: References, or else the first id of In-Reply-To.
                if let Some(value) = mail::header::first(&header, "References") {
                    let ids = mail::thread::message_ids(value);
                    if !ids.is_empty() {
                        member.references = ids;
                    }
                }
                members.push(member);
            }
            Ok(members)
        };
        Ok(self.access.world.tasks.blocking(job).await??)
    }

    fn write_threads(&mut self, forest: &Forest, by: By) -> Result<(), Refusal> {
        let numbering = self.selected()?.numbering.clone();
        self.out.extend_from_slice(b"* THREAD");
        if !forest.roots.is_empty() {
            self.out.push(b' ');
        }
        forest.write(&mut self.out, &|uid| match by {
            By::Uid => Some(uid),
            By::Sequence => numbering.seq(store::Uid(uid)),
        });
        self.out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

fn member(stored: &StoredRow<'_>) -> Member {
    let envelope = Envelope::read(stored.envelope);
    let (base_subject, is_reply) = mail::thread::base_subject(&envelope.subject);
    Member {
        uid: stored.placement.uid.0,
        sent: sent_or_arrived(stored),
        message_id: mail::thread::message_ids(&envelope.message_id)
            .into_iter()
            .next(),
        references: mail::thread::message_ids(&envelope.in_reply_to)
            .into_iter()
            .take(1)
            .collect(),
        base_subject: base_subject.to_lowercase(),
        is_reply,
    }
}

fn header_end(stored: &StoredRow<'_>) -> u64 {
    let structure = mail::Structure::decode(stored.structure).ok();
    structure.map_or(0, |structure| structure.root().header.end as u64)
}
