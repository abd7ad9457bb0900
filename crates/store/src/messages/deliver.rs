//! Filing a message that is new here: deliveries and APPEND.

use mail::{Summary, TraceId, UnixMillis};

use super::{
    Append, Appended, Delivered, Delivery, DeliveryTarget, MessageError, Place, QuotaRule,
};
use crate::blobs::Kept;
use crate::changes::Kind;
use crate::engine::{Param, Row};
use crate::flags::write_keywords;
use crate::limits::THREAD_REFERENCES_MAX;
use crate::{
    Accepted, AccountId, BlobId, Change, Flags, KeywordSet, MailboxId, Marks, MessageId, ModSeq,
    StoreError, Uid, UidValidity,
};

impl Change<'_> {
    /// Files a message for each target; all share one body. Targets that do not exist (any more)
    /// are an error. With [`QuotaRule::Refuse`] and no room anywhere the error is `OverQuota`.
    pub fn deliver(&mut self, delivery: &Delivery) -> Result<Accepted, MessageError> {
        let mut targets: Vec<&DeliveryTarget> = delivery.targets.iter().collect();
        // Always in the same order, so that two deliveries do not wait for each other in a circle.
        targets.sort_by_key(|target| target.account);
        let blob = self.hold_body(&delivery.kept, targets.len() as i64)?;
        let mut accepted = Accepted {
            trace: delivery.trace,
            delivered: Vec::with_capacity(targets.len()),
            over_quota: Vec::new(),
            queued: Vec::new(),
        };
        for (at, target) in targets.iter().enumerate() {
            let earlier = targets.get(..at).unwrap_or_default();
            if earlier
                .iter()
                .any(|other| other.account == target.account && other.place == target.place)
            {
                self.release_body(blob.0, 1)?;
                continue;
            }
            let filing = Filing {
                account: target.account,
                mailbox: self.place(target)?,
                fallback: Some(MailboxId::INBOX),
                blob,
                size: delivery.kept.size,
                summary: &delivery.summary,
                trace: delivery.trace,
                marks: &target.marks,
                internal_date: delivery.received,
                saved: delivery.received,
                quota: delivery.quota,
            };
            match self.file(&filing) {
                Ok(filed) => accepted.delivered.push(filed.delivered),
                Err(MessageError::OverQuota) => {
                    self.release_body(blob.0, 1)?;
                    accepted.over_quota.push(target.account);
                }
                Err(e) => return Err(e),
            }
        }
        if accepted.delivered.is_empty() && !accepted.over_quota.is_empty() {
            return Err(MessageError::OverQuota);
        }
        Ok(accepted)
    }

    /// Files a message a client stores.
    pub fn append(&mut self, append: &Append) -> Result<Appended, MessageError> {
        let blob = self.hold_body(&append.kept, 1)?;
        self.lesson_of_append(append)?;
        let filed = self.file(&Filing {
            account: append.account,
            mailbox: append.mailbox,
            fallback: None,
            blob,
            size: append.kept.size,
            summary: &append.summary,
            trace: append.trace,
            marks: &append.marks,
            internal_date: append.internal_date,
            saved: append.now,
            quota: QuotaRule::Refuse,
        })?;
        let Delivered {
            uid,
            message,
            modseq,
            ..
        } = filed.delivered;
        Ok(Appended {
            uid_validity: filed.uid_validity,
            uid,
            message,
            modseq,
        })
    }

    /// A body gets so many more references. The first one makes its row.
    pub(crate) fn hold_body(&mut self, kept: &Kept, refs: i64) -> Result<BlobId, StoreError> {
        let sql = "INSERT INTO blob (segment, place, length, hash, refs) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (segment, place) DO UPDATE SET refs = blob.refs + excluded.refs RETURNING id";
        let params = [
            Param::Int(kept.location.segment),
            Param::Int(kept.location.offset),
            Param::Int(kept.location.length),
            Param::Blob(&kept.hash.0),
            Param::Int(refs),
        ];
        self.sql.one(sql, &params, |row| row.int(0).map(BlobId))
    }

    /// A body loses references. Without any it is removed by the next tidying but one, so that
    /// whoever reads it now can end.
    pub(crate) fn release_body(&mut self, blob: i64, refs: i64) -> Result<(), StoreError> {
        let sql = "UPDATE blob SET refs = refs - ?2 WHERE id = ?1";
        self.sql
            .execute(sql, &[Param::Int(blob), Param::Int(refs)])
            .map(drop)
    }

    fn place(&mut self, target: &DeliveryTarget) -> Result<MailboxId, StoreError> {
        match target.place {
            Place::Inbox => Ok(MailboxId::INBOX),
            Place::Mailbox(mailbox) => Ok(mailbox),
            Place::Use(special) => Ok(self
                .mailbox_by_use(target.account, special)?
                .map_or(MailboxId::INBOX, |mailbox| mailbox.id)),
        }
    }

    fn file(&mut self, filing: &Filing<'_>) -> Result<Filed, MessageError> {
        let keywords = self.keyword_numbers(filing.account, &filing.marks.keywords)?;
        let (modseq, number) = self.charge(filing)?;
        let (mailbox, slot) = self.take_uid(filing, modseq)?;
        let message = MessageId((filing.account.0 << 32) | number);
        let thread = self.thread(filing.account, message, filing.summary)?;
        self.insert_message(filing, message, thread)?;
        self.insert_placement(filing, mailbox, slot.uid, message, modseq, &keywords)?;
        self.log(
            filing.account,
            modseq,
            mailbox,
            Kind::Arrived,
            &slot.uid.to_string(),
        )?;
        let modseq = ModSeq(modseq.max(0) as u64);
        let delivered = Delivered {
            account: filing.account,
            mailbox,
            uid: slot.uid,
            message,
            modseq,
        };
        Ok(Filed {
            delivered,
            uid_validity: slot.uid_validity,
        })
    }

    /// Takes room, a modseq and a message number from the account.
    fn charge(&mut self, filing: &Filing<'_>) -> Result<(i64, i64), MessageError> {
        let sql = "UPDATE ledger SET modseq = modseq + 1, next_message = next_message + 1, used_bytes = used_bytes + ?2, \
                   used_messages = used_messages + 1 \
                   WHERE account = ?1 AND (?3 = 1 OR quota = 0 OR used_bytes + ?2 <= quota) RETURNING modseq, next_message";
        let overrun = i64::from(filing.quota == QuotaRule::Overrun);
        let params = [
            Param::Int(filing.account.0),
            Param::Int(filing.size as i64),
            Param::Int(overrun),
        ];
        let read = |row: &Row<'_>| Ok((row.int(0)?, row.int(1)? - 1));
        match self.sql.first(sql, &params, read)? {
            Some(charged) => Ok(charged),
            None => match self.modseq(filing.account)? {
                ModSeq::ZERO => Err(MessageError::NoSuchAccount),
                _ => Err(MessageError::OverQuota),
            },
        }
    }

    fn take_uid(
        &mut self,
        filing: &Filing<'_>,
        modseq: i64,
    ) -> Result<(MailboxId, Slot), MessageError> {
        let unseen = i64::from(!filing.marks.flags.has(Flags::SEEN));
        let deleted = i64::from(filing.marks.flags.has(Flags::DELETED));
        for mailbox in [Some(filing.mailbox), filing.fallback]
            .into_iter()
            .flatten()
        {
            let counts = Counts {
                messages: 1,
                unseen,
                deleted,
                bytes: filing.size as i64,
            };
            if let Some(slot) = self.take_uids(filing.account, mailbox, modseq, counts)? {
                return Ok((mailbox, slot));
            }
        }
        Err(MessageError::NoSuchMailbox)
    }

    /// Counts messages in and takes a UID for each; the first of them is returned.
    pub(super) fn take_uids(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        modseq: i64,
        counts: Counts,
    ) -> Result<Option<Slot>, MessageError> {
        let sql = "UPDATE mailbox SET uid_next = uid_next + ?4, modseq = ?3, messages = messages + ?4, unseen = unseen + ?5, \
                   deleted = deleted + ?6, bytes = bytes + ?7 WHERE account = ?1 AND id = ?2 RETURNING uid_next, uid_validity";
        let params = [
            Param::Int(account.0),
            Param::Int(mailbox.0),
            Param::Int(modseq),
            Param::Int(counts.messages),
            Param::Int(counts.unseen),
            Param::Int(counts.deleted),
            Param::Int(counts.bytes),
        ];
        let Some((next, validity)) = self
            .sql
            .first(sql, &params, |row| Ok((row.int(0)?, row.int(1)?)))?
        else {
            return Ok(None);
        };
        if i64::from(u32::MAX) < next {
            return Err(MessageError::NoUidsLeft);
        }
        let uid = Uid(u32::try_from(next - counts.messages).map_err(|_| MessageError::NoUidsLeft)?);
        Ok(Some(Slot {
            uid,
            uid_validity: UidValidity(u32::try_from(validity).unwrap_or(1)),
        }))
    }

    fn insert_message(
        &mut self,
        filing: &Filing<'_>,
        message: MessageId,
        thread: MessageId,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO message (account, id, blob_id, size, placements, thread, sent, has_attachment, trace, preview, \
                   envelope, structure) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let trace = filing.trace.to_string();
        let params = [
            Param::Int(filing.account.0),
            Param::Int(message.0),
            Param::Int(filing.blob.0),
            Param::Int(filing.size as i64),
            Param::Int(thread.0),
            Param::OptInt(filing.summary.sent.map(|sent| sent.0)),
            Param::Int(i64::from(filing.summary.has_attachment)),
            Param::Text(&trace),
            Param::Text(&filing.summary.preview),
            Param::Blob(&filing.summary.envelope),
            Param::Blob(&filing.summary.structure),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    fn insert_placement(
        &mut self,
        filing: &Filing<'_>,
        mailbox: MailboxId,
        uid: Uid,
        message: MessageId,
        modseq: i64,
        keywords: &KeywordSet,
    ) -> Result<(), StoreError> {
        let keywords = write_keywords(keywords);
        let params = [
            Param::Int(filing.account.0),
            Param::Int(mailbox.0),
            Param::Int(uid.0.into()),
            Param::Int(message.0),
            Param::Int(filing.marks.flags.bits()),
            Param::OptText(keywords.as_deref()),
            Param::Int(modseq),
            Param::Int(filing.internal_date.0),
            Param::Int(filing.saved.0),
            Param::Int(filing.size as i64),
        ];
        self.sql.execute(INSERT_PLACEMENT, &params).map(drop)
    }

    /// The conversation: that of the nearest message it refers to that is known here, else a new one
    /// named by the message itself. What it refers to is remembered, for answers may come first.
    fn thread(
        &mut self,
        account: AccountId,
        message: MessageId,
        summary: &Summary,
    ) -> Result<MessageId, StoreError> {
        let own = summary.thread.message_id.iter();
        let hashes: Vec<i64> = own
            .chain(
                summary
                    .thread
                    .references
                    .iter()
                    .rev()
                    .take(THREAD_REFERENCES_MAX),
            )
            .map(|id| hash_of_id(id))
            .collect();
        let find = "SELECT thread FROM thread_key WHERE account = ?1 AND hash = ?2";
        let mut thread = None;
        let mut missing = Vec::new();
        for hash in &hashes {
            match self
                .sql
                .first(find, &[Param::Int(account.0), Param::Int(*hash)], |row| {
                    row.int(0)
                })? {
                Some(known) => thread = thread.or(Some(known)),
                None => missing.push(*hash),
            }
        }
        let thread = thread.unwrap_or(message.0);
        let insert = "INSERT INTO thread_key (account, hash, thread) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        for hash in missing {
            self.sql.execute(
                insert,
                &[Param::Int(account.0), Param::Int(hash), Param::Int(thread)],
            )?;
        }
        Ok(MessageId(thread))
    }
}

pub(super) const INSERT_PLACEMENT: &str = "INSERT INTO placement (account, mailbox, uid, message, flags, keywords, modseq, internal_date, saved, size) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// What a mailbox gains.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub(super) messages: i64,
    pub(super) unseen: i64,
    pub(super) deleted: i64,
    pub(super) bytes: i64,
}

pub(super) struct Slot {
    pub(super) uid: Uid,
    pub(super) uid_validity: UidValidity,
}

/// One message into one mailbox.
struct Filing<'m> {
    account: AccountId,
    mailbox: MailboxId,
    /// Where it goes if that mailbox is gone.
    fallback: Option<MailboxId>,
    blob: BlobId,
    size: u64,
    summary: &'m Summary,
    trace: TraceId,
    marks: &'m Marks,
    internal_date: UnixMillis,
    saved: UnixMillis,
    quota: QuotaRule,
}

struct Filed {
    delivered: Delivered,
    uid_validity: UidValidity,
}

/// As which a Message-ID is known.
pub(crate) fn hash_of_id(message_id: &str) -> i64 {
    let hash = blake3::hash(message_id.as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}
