//! Where the verbs of messages tell that somebody said something: moves over the border of Junk, keywords, uploads.

use mail::UnixMillis;

use super::work::LessonKey;
use super::{Act, Class};
use crate::blobs::Hash;
use crate::engine::{Param, SqlResult};
use crate::limits::{MAILBOX_LEVELS_MAX, MESSAGES_PER_PIECE};
use crate::messages::{Placement, hash_of_id};
use crate::{
    AccountId, Append, BlobId, Change, KeywordSet, MailboxId, MessageId, SpecialUse, StoreError,
    Uid, View,
};

/// What a mailbox is to the filter. One below Junk is Junk, one below Trash is Trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Junk,
    Trash,
    Elsewhere,
}

impl Change<'_> {
    /// Messages go from one mailbox to another, or are copied there.
    pub(crate) fn lessons_of_move(
        &mut self,
        account: AccountId,
        from: MailboxId,
        to: MailboxId,
        found: &[Placement],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sides = (self.side(account, from)?, self.side(account, to)?);
        let act = match sides {
            (Side::Junk | Side::Trash, Side::Elsewhere) => Act::OutOfJunk,
            (Side::Trash | Side::Elsewhere, Side::Junk) => Act::IntoJunk,
            // Who throws junk away says nothing new; elsewhere no border was crossed.
            _ => return Ok(()),
        };
        let mut room = self.room_for_lessons(account)?;
        for placement in found {
            // What comes back out of Trash came from Junk, or says nothing.
            if sides.0 == Side::Trash
                && act == Act::OutOfJunk
                && !self.is_junk_so_far(account, placement.message)?
            {
                continue;
            }
            self.note_rescue(account, placement.message, act, now)?;
            if room <= 0 {
                continue;
            }
            room -= 1;
            self.act_on(account, placement.message, act, now)?;
        }
        Ok(())
    }

    /// Keywords of messages are others now: message, before, after.
    pub(crate) fn lessons_of_keywords(
        &mut self,
        account: AccountId,
        changed: &[(MessageId, KeywordSet, KeywordSet)],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        if changed.is_empty() {
            return Ok(());
        }
        let names = self.keywords(account)?;
        let said = |set: &KeywordSet| {
            Class::of_keywords(set.iter().filter_map(|keyword| names.name(keyword)))
        };
        let speaking: Vec<(MessageId, Option<Class>)> = changed
            .iter()
            .map(|(message, before, after)| (*message, said(before), said(after)))
            .filter(|(_, before, after)| before != after)
            .map(|(message, _, after)| (message, after))
            .collect();
        if speaking.is_empty() {
            return Ok(());
        }
        let room = usize::try_from(self.room_for_lessons(account)?).unwrap_or(0);
        for (message, said) in speaking.into_iter().take(room) {
            self.act_on(account, message, Act::Marked(said), now)?;
        }
        Ok(())
    }

    /// Teaches by command what lies in a mailbox, one piece of it. Says how many messages it was news of, and the last UID
    /// that was looked at if there may be more.
    pub fn tell_lessons(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        after: Option<Uid>,
        class: Class,
        now: UnixMillis,
    ) -> Result<(u64, Option<Uid>), StoreError> {
        self.lock(account)?;
        let first = after.map_or(Uid::MIN, |after| Uid(after.0.saturating_add(1)));
        let found = self.placements(account, mailbox, first..=Uid::MAX, MESSAGES_PER_PIECE)?;
        let last = found
            .last()
            .filter(|_| MESSAGES_PER_PIECE <= found.len())
            .map(|placement| placement.uid);
        let before = self.room_for_lessons(account)?;
        for placement in &found {
            self.act_on(account, placement.message, Act::Told(Some(class)), now)?;
        }
        let left = self.room_for_lessons(account)?;
        let news = u64::try_from(before - left).unwrap_or(0);
        // One piece more than fits is no harm.
        Ok((news, last.filter(|_| 0 < left)))
    }

    /// A client uploads a message, before it is filed. Its keywords count. Where it goes counts only if the message, by its
    /// Message-ID, is known here: then a program that keeps copies (mbsync, OfflineIMAP) moves it. Who
    /// brings mail from another server teaches nothing: what was junk there another filter said.
    pub(crate) fn lesson_of_append(&mut self, append: &Append) -> Result<(), StoreError> {
        let account = append.account;
        let marked = Class::of_keywords(append.marks.keywords.iter().map(String::as_str));
        let id = append.summary.thread.message_id.as_deref().map(hash_of_id);
        let side = self.side(account, append.mailbox)?;
        let known = match id {
            Some(id) if side != Side::Trash => self.known_upload(account, id, side)?,
            _ => None,
        };
        if (marked.is_none() && known.is_none()) || self.room_for_lessons(account)? <= 0 {
            return Ok(());
        }
        // A copy differs from the original by what its program wrote into it: one message all the same.
        let twin = match id {
            Some(id) => self.lesson_by_message_id(account, id)?,
            None => None,
        };
        let own = LessonKey::new(account, &append.kept.hash);
        let key = twin.unwrap_or(own);
        let blob = self.blob_at(&append.kept)?;
        if let Some(act) = known {
            self.note_act(key, act, blob, append.now)?;
        }
        if marked.is_some() {
            self.note_act(key, Act::Marked(marked), blob, append.now)?;
        }
        if let (Some(id), Some(act)) = (id, known) {
            self.note_rescue_by_id(account, id, act, append.now)?;
        }
        Ok(())
    }

    fn act_on(
        &mut self,
        account: AccountId,
        message: MessageId,
        act: Act,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "SELECT m.blob_id, b.hash FROM message m JOIN blob b ON b.id = m.blob_id WHERE m.account = ?1 AND m.id = ?2";
        let key = [Param::Int(account.0), Param::Int(message.0)];
        let found = self.sql.first(sql, &key, |row| {
            let hash = <[u8; 32]>::try_from(row.blob(1)?)
                .map_err(|_| StoreError::Damaged("the hash of a body".to_owned()))?;
            Ok((BlobId(row.int(0)?), Hash(hash)))
        })?;
        match found {
            Some((blob, hash)) => {
                self.note_act(LessonKey::new(account, &hash), act, Some(blob), now)
            }
            None => Ok(()),
        }
    }
}

impl View<'_> {
    /// Whether the filter put it into Junk, or a person did, and nobody took it out again.
    fn is_junk_so_far(&self, account: AccountId, message: MessageId) -> SqlResult<bool> {
        let key = [Param::Int(account.0), Param::Int(message.0)];
        let sql = "SELECT 1 FROM junked WHERE account = ?1 AND message = ?2 AND rescued IS NULL";
        if self.sql.first(sql, &key, |_| Ok(()))?.is_some() {
            return Ok(true);
        }
        let sql = "SELECT b.hash FROM message m JOIN blob b ON b.id = m.blob_id WHERE m.account = ?1 AND m.id = ?2";
        let hash = self.sql.first(sql, &key, |row| {
            <[u8; 32]>::try_from(row.blob(0)?)
                .map_err(|_| StoreError::Damaged("the hash of a body".to_owned()))
        })?;
        let Some(hash) = hash else {
            return Ok(false);
        };
        let row = self.lesson_row(LessonKey::new(account, &Hash(hash)))?;
        Ok(row.is_some_and(|row| row.said.moved == Some(Class::Junk)))
    }

    fn side(&self, account: AccountId, mailbox: MailboxId) -> SqlResult<Side> {
        let sql = "SELECT name, special FROM mailbox WHERE account = ?1 AND id = ?2";
        let key = [Param::Int(account.0), Param::Int(mailbox.0)];
        let found = self
            .sql
            .first(sql, &key, |row| Ok((row.text(0)?.to_owned(), row.int(1)?)))?;
        let Some((name, special)) = found else {
            return Ok(Side::Elsewhere);
        };
        if let Some(side) = side_of(special) {
            return Ok(side);
        }
        let sql = "SELECT special FROM mailbox WHERE account = ?1 AND name = ?2";
        for (at, _) in name.rmatch_indices('/').take(MAILBOX_LEVELS_MAX) {
            let above = name.get(..at).unwrap_or_default();
            let key = [Param::Int(account.0), Param::Text(above)];
            let special = self.sql.first(sql, &key, |row| row.int(0))?;
            if let Some(side) = special.and_then(side_of) {
                return Ok(side);
            }
        }
        Ok(Side::Elsewhere)
    }

    /// What the upload of a message that is known here means.
    fn known_upload(
        &self,
        account: AccountId,
        message_id: i64,
        side: Side,
    ) -> SqlResult<Option<Act>> {
        let key = [Param::Int(account.0), Param::Int(message_id)];
        match side {
            Side::Junk => {
                let sql = "SELECT thread FROM thread_key WHERE account = ?1 AND hash = ?2";
                let known = self.sql.first(sql, &key, |row| row.int(0))?;
                Ok(known.map(|_| Act::IntoJunk))
            }
            Side::Elsewhere => {
                let junked = "SELECT message FROM junked WHERE account = ?1 AND message_id = ?2 AND rescued IS NULL LIMIT 1";
                let taught = "SELECT body FROM lesson WHERE account = ?1 AND message_id = ?2 AND moved = 1 LIMIT 1";
                let known = match self.sql.first(junked, &key, |row| row.int(0))? {
                    Some(known) => Some(known),
                    None => self.sql.first(taught, &key, |row| row.int(0))?,
                };
                Ok(known.map(|_| Act::OutOfJunk))
            }
            Side::Trash => Ok(None),
        }
    }

    fn lesson_by_message_id(
        &self,
        account: AccountId,
        message_id: i64,
    ) -> SqlResult<Option<LessonKey>> {
        let sql = "SELECT body FROM lesson WHERE account = ?1 AND message_id = ?2 ORDER BY changed DESC LIMIT 1";
        let key = [Param::Int(account.0), Param::Int(message_id)];
        self.sql.first(sql, &key, |row| {
            Ok(LessonKey {
                account,
                body: row.int(0)?,
            })
        })
    }

    fn blob_at(&self, kept: &crate::blobs::Kept) -> SqlResult<Option<BlobId>> {
        let sql = "SELECT id FROM blob WHERE segment = ?1 AND place = ?2";
        let key = [
            Param::Int(kept.location.segment),
            Param::Int(kept.location.offset),
        ];
        self.sql.first(sql, &key, |row| row.int(0).map(BlobId))
    }
}

fn side_of(special: i64) -> Option<Side> {
    if special == SpecialUse::Junk.code() {
        Some(Side::Junk)
    } else if special == SpecialUse::Trash.code() {
        Some(Side::Trash)
    } else {
        None
    }
}
