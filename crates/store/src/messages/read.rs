//! Reading placements and messages.

use std::ops::RangeInclusive;

use mail::UnixMillis;

use super::{Columns, Placement, Stored, StoredRow};
use crate::blobs::{Hash, Location};
use crate::engine::{Param, Row, SqlResult};
use crate::flags::read_keywords;
use crate::limits::{MESSAGES_PER_READ, PLACEMENTS_PER_READ};
use crate::{
    AccountId, BlobId, BodyRef, Flags, MailboxId, MessageId, ModSeq, StoreError, Uid, UidSet, View,
};

impl View<'_> {
    /// All UIDs of a mailbox, ascending: the session's numbering.
    pub fn uids(&self, account: AccountId, mailbox: MailboxId) -> Result<Vec<Uid>, StoreError> {
        let sql = "SELECT uid FROM placement WHERE account = ?1 AND mailbox = ?2 ORDER BY uid";
        self.sql.all(
            sql,
            &[Param::Int(account.0), Param::Int(mailbox.0)],
            |row| read_uid(row, 0),
        )
    }

    /// Placements in a range of UIDs, ascending, at most `limit` of them (and at most
    /// [`crate::limits::PLACEMENTS_PER_READ`]): ask again behind the last one for more.
    pub fn placements(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        range: RangeInclusive<Uid>,
        limit: usize,
    ) -> Result<Vec<Placement>, StoreError> {
        let params = range_params(account, mailbox, &range, limit.min(PLACEMENTS_PER_READ));
        self.sql.all(PLACEMENTS, &params, read_placement)
    }

    /// As [`View::placements`] without a bound and without a vector in between.
    pub fn each_placement(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        range: RangeInclusive<Uid>,
        each: &mut dyn FnMut(Placement),
    ) -> Result<(), StoreError> {
        let params = range_params(account, mailbox, &range, usize::MAX);
        self.sql.each(PLACEMENTS, &params, |row| {
            each(read_placement(row)?);
            Ok(())
        })
    }

    /// Placements with envelope, structure and body, in a range, at most `limit` of them (and at
    /// most [`crate::limits::MESSAGES_PER_READ`]).
    pub fn messages(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        range: RangeInclusive<Uid>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let params = range_params(account, mailbox, &range, limit.min(MESSAGES_PER_READ));
        self.sql.all(MESSAGES_WITH_BODY, &params, read_stored)
    }

    /// Shows each message of a range without a copy. The caller bounds the range: all of it is one
    /// snapshot.
    pub fn each_message(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        range: RangeInclusive<Uid>,
        want: Columns,
        each: &mut dyn FnMut(&StoredRow<'_>),
    ) -> Result<(), StoreError> {
        let params = range_params(account, mailbox, &range, usize::MAX);
        let sql = if want.body {
            MESSAGES_WITH_BODY
        } else {
            MESSAGES
        };
        self.sql.each(sql, &params, |row| {
            each(&StoredRow {
                placement: read_placement(row)?,
                body: if want.body {
                    Some(read_body(row, 16)?)
                } else {
                    None
                },
                thread: MessageId(row.int(9)?),
                sent: row.opt_int(10)?.map(UnixMillis),
                has_attachment: row.int(11)? != 0,
                preview: if want.preview { row.text(13)? } else { "" },
                envelope: if want.envelope { row.blob(14)? } else { &[] },
                structure: if want.structure { row.blob(15)? } else { &[] },
            });
            Ok(())
        })
    }

    pub fn message(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uid: Uid,
    ) -> Result<Option<Stored>, StoreError> {
        Ok(self.messages(account, mailbox, uid..=uid, 1)?.pop())
    }

    /// The first message without \\Seen. RFC 3501 §7.1 UNSEEN.
    pub fn first_unseen(
        &self,
        account: AccountId,
        mailbox: MailboxId,
    ) -> Result<Option<Uid>, StoreError> {
        let sql = "SELECT uid FROM placement WHERE account = ?1 AND mailbox = ?2 AND (flags & 1) = 0 ORDER BY uid LIMIT 1";
        self.sql.first(
            sql,
            &[Param::Int(account.0), Param::Int(mailbox.0)],
            |row| read_uid(row, 0),
        )
    }

    /// A body by the number that [`BodyRef`] carries, where it lies now.
    pub fn body(&self, blob: BlobId) -> Result<Option<BodyRef>, StoreError> {
        let sql = "SELECT segment, place, length, hash, id FROM blob WHERE id = ?1";
        self.sql
            .first(sql, &[Param::Int(blob.0)], |row| read_body(row, 0))
    }

    /// Placements of a set, ascending; of a closed range of the set in one query.
    pub(crate) fn placements_of(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
    ) -> SqlResult<Vec<Placement>> {
        let mut found = Vec::new();
        for range in uids.ranges() {
            self.each_placement(account, mailbox, range, &mut |placement| {
                found.push(placement)
            })?;
        }
        Ok(found)
    }
}

macro_rules! placement_columns {
    () => {
        "SELECT p.uid, p.message, p.flags, p.keywords, p.modseq, p.internal_date, p.saved, p.size"
    };
}

macro_rules! in_range {
    () => {
        " WHERE p.account = ?1 AND p.mailbox = ?2 AND p.uid >= ?3 AND p.uid <= ?4 ORDER BY p.uid LIMIT ?5"
    };
}

macro_rules! message_columns {
    () => {
        ", m.blob_id, m.thread, m.sent, m.has_attachment, m.trace, m.preview, m.envelope, m.structure"
    };
}

const PLACEMENTS: &str = concat!(placement_columns!(), " FROM placement p", in_range!());

const MESSAGES: &str = concat!(
    placement_columns!(),
    message_columns!(),
    " FROM placement p JOIN message m ON m.account = p.account AND m.id = p.message",
    in_range!()
);

const MESSAGES_WITH_BODY: &str = concat!(
    placement_columns!(),
    message_columns!(),
    ", b.segment, b.place, b.length, b.hash, b.id",
    " FROM placement p JOIN message m ON m.account = p.account AND m.id = p.message JOIN blob b ON b.id = m.blob_id",
    in_range!()
);

fn range_params(
    account: AccountId,
    mailbox: MailboxId,
    range: &RangeInclusive<Uid>,
    limit: usize,
) -> [Param<'static>; 5] {
    [
        Param::Int(account.0),
        Param::Int(mailbox.0),
        Param::Int(range.start().0.into()),
        Param::Int(range.end().0.into()),
        Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
    ]
}

pub(super) fn read_uid(row: &Row<'_>, at: usize) -> SqlResult<Uid> {
    let uid = row.int(at)?;
    u32::try_from(uid)
        .map(Uid)
        .map_err(|_| StoreError::Damaged(format!("the UID {uid}")))
}

fn read_placement(row: &Row<'_>) -> SqlResult<Placement> {
    Ok(Placement {
        uid: read_uid(row, 0)?,
        message: MessageId(row.int(1)?),
        flags: Flags::of_bits(row.int(2)?),
        keywords: read_keywords(row.opt_text(3)?),
        modseq: ModSeq(row.int(4)?.max(0) as u64),
        internal_date: UnixMillis(row.int(5)?),
        saved: UnixMillis(row.int(6)?),
        size: row.int(7)?.max(0) as u64,
    })
}

/// Five columns: segment, place, length, hash, id.
pub(crate) fn read_body(row: &Row<'_>, at: usize) -> SqlResult<BodyRef> {
    let location = Location {
        segment: row.int(at)?,
        offset: row.int(at + 1)?,
        length: row.int(at + 2)?,
    };
    let hash = row
        .blob(at + 3)?
        .try_into()
        .map_err(|_| StoreError::Damaged("the hash of a body".to_owned()))?;
    Ok(BodyRef {
        blob: BlobId(row.int(at + 4)?),
        location,
        hash: Hash(hash),
        size: location.length.max(0) as u64,
    })
}

fn read_stored(row: &Row<'_>) -> SqlResult<Stored> {
    let trace = row.text(12)?;
    Ok(Stored {
        placement: read_placement(row)?,
        thread: MessageId(row.int(9)?),
        sent: row.opt_int(10)?.map(UnixMillis),
        has_attachment: row.int(11)? != 0,
        trace: trace
            .parse()
            .map_err(|_| StoreError::Damaged(format!("the trace id {trace}")))?,
        preview: row.text(13)?.to_owned(),
        envelope: row.blob(14)?.to_vec(),
        structure: row.blob(15)?.to_vec(),
        body: read_body(row, 16)?,
    })
}
