//! Changing flags and keywords.

use mail::UnixMillis;

use super::{FlagOutcome, MessageError, Placement};
use crate::changes::Kind;
use crate::engine::Param;
use crate::flags::write_keywords;
use crate::limits::MESSAGES_PER_PIECE;
use crate::{
    AccountId, Change, Durability, FlagEdit, Flags, KeywordSet, MailboxId, ModSeq, Store,
    StoreError, Uid, UidSet,
};

impl Change<'_> {
    /// Changes flags of all existing messages of the set. For large sets see
    /// [`crate::Store::edit_flags`], which lets deliveries pass in between.
    pub fn edit_flags(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
        edit: &FlagEdit,
        unchanged_since: Option<ModSeq>,
        now: UnixMillis,
    ) -> Result<FlagOutcome, MessageError> {
        self.lock(account)?;
        let found = self.placements_of(account, mailbox, uids)?;
        self.edit_placements(account, mailbox, found, edit, unchanged_since, now)
    }

    fn edit_placements(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        found: Vec<Placement>,
        edit: &FlagEdit,
        unchanged_since: Option<ModSeq>,
        now: UnixMillis,
    ) -> Result<FlagOutcome, MessageError> {
        let mut outcome = FlagOutcome::default();
        if found.is_empty() {
            return Ok(outcome);
        }
        let step = self.step_of(account, edit)?;
        let (mut unseen, mut deleted) = (0, 0);
        let mut speaking = Vec::new();
        for mut placement in found {
            if unchanged_since.is_some_and(|since| since < placement.modseq) {
                outcome.conflicts.insert(placement.uid);
                continue;
            }
            let before = placement.flags;
            let words_before = placement.keywords.clone();
            if !step.apply(&mut placement) {
                outcome.same.push(placement);
                continue;
            }
            unseen +=
                i64::from(!placement.flags.has(Flags::SEEN)) - i64::from(!before.has(Flags::SEEN));
            deleted += i64::from(placement.flags.has(Flags::DELETED))
                - i64::from(before.has(Flags::DELETED));
            if words_before != placement.keywords {
                speaking.push((placement.message, words_before, placement.keywords.clone()));
            }
            outcome.changed.push(placement);
        }
        if outcome.changed.is_empty() {
            return Ok(outcome);
        }
        let modseq = self.bump(account)?.ok_or(MessageError::NoSuchAccount)?;
        let newest = ModSeq(modseq.max(0) as u64);
        for placement in &mut outcome.changed {
            placement.modseq = newest;
            self.update_flags(account, mailbox, placement)?;
        }
        let sql = "UPDATE mailbox SET modseq = ?3, unseen = unseen + ?4, deleted = deleted + ?5 WHERE account = ?1 AND id = ?2";
        let params = [
            Param::Int(account.0),
            Param::Int(mailbox.0),
            Param::Int(modseq),
            Param::Int(unseen),
            Param::Int(deleted),
        ];
        self.sql.execute(sql, &params)?;
        let changed: UidSet = outcome
            .changed
            .iter()
            .map(|placement| placement.uid)
            .collect();
        self.log(
            account,
            modseq,
            mailbox,
            Kind::Flagged,
            &changed.to_string(),
        )?;
        self.lessons_of_keywords(account, &speaking, now)?;
        outcome.modseq = Some(newest);
        Ok(outcome)
    }

    fn update_flags(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        placement: &Placement,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE placement SET flags = ?4, keywords = ?5, modseq = ?6 WHERE account = ?1 AND mailbox = ?2 AND uid = ?3";
        let keywords = write_keywords(&placement.keywords);
        let params = [
            Param::Int(account.0),
            Param::Int(mailbox.0),
            Param::Int(placement.uid.0.into()),
            Param::Int(placement.flags.bits()),
            Param::OptText(keywords.as_deref()),
            Param::Int(i64::try_from(placement.modseq.0).unwrap_or(i64::MAX)),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    fn step_of(&mut self, account: AccountId, edit: &FlagEdit) -> Result<Step, MessageError> {
        Ok(match edit {
            FlagEdit::Set(marks) => {
                Step::Set(marks.flags, self.keyword_numbers(account, &marks.keywords)?)
            }
            FlagEdit::Add(marks) => {
                Step::Add(marks.flags, self.keyword_numbers(account, &marks.keywords)?)
            }
            FlagEdit::Remove(marks) => {
                // A name nobody has needs no number to be taken away.
                let mut set = KeywordSet::default();
                if !marks.keywords.is_empty() {
                    let known = self.keywords(account)?;
                    marks
                        .keywords
                        .iter()
                        .filter_map(|name| known.find(name))
                        .for_each(|keyword| set.insert(keyword));
                }
                Step::Remove(marks.flags, set)
            }
        })
    }
}

impl Store {
    /// Changes flags of a set of any size, in pieces, deliveries going first. Not durable against a
    /// power cut before the next durable change.
    pub async fn edit_flags(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: UidSet,
        edit: FlagEdit,
        unchanged_since: Option<ModSeq>,
        now: UnixMillis,
    ) -> Result<FlagOutcome, MessageError> {
        let mut whole = FlagOutcome::default();
        let mut rest = uids;
        loop {
            let (edit, set) = (edit.clone(), rest.clone());
            let piece = move |change: &mut Change<'_>| {
                change.edit_piece(account, mailbox, &set, &edit, unchanged_since, now)
            };
            let (outcome, last) = self.write(Durability::Relaxed, piece).await?;
            whole.changed.extend(outcome.changed);
            whole.same.extend(outcome.same);
            outcome
                .conflicts
                .ranges()
                .for_each(|range| whole.conflicts.insert_range(range));
            whole.modseq = outcome.modseq.or(whole.modseq);
            match last {
                Some(last) => rest.remove_to(last),
                None => return Ok(whole),
            }
        }
    }
}

impl Change<'_> {
    /// The first messages of a set, and the last UID that was looked at if there may be more.
    fn edit_piece(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
        edit: &FlagEdit,
        unchanged_since: Option<ModSeq>,
        now: UnixMillis,
    ) -> Result<(FlagOutcome, Option<Uid>), MessageError> {
        self.lock(account)?;
        let mut found = Vec::new();
        let mut last = None;
        for range in uids.ranges() {
            let room = MESSAGES_PER_PIECE.saturating_sub(found.len());
            if room == 0 {
                break;
            }
            let before = found.len();
            found.extend(self.placements(account, mailbox, range, room)?);
            if MESSAGES_PER_PIECE <= found.len() && before < found.len() {
                last = found.last().map(|placement: &Placement| placement.uid);
            }
        }
        Ok((
            self.edit_placements(account, mailbox, found, edit, unchanged_since, now)?,
            last,
        ))
    }
}

enum Step {
    Set(Flags, KeywordSet),
    Add(Flags, KeywordSet),
    Remove(Flags, KeywordSet),
}

impl Step {
    /// Whether anything is different now.
    fn apply(&self, placement: &mut Placement) -> bool {
        match self {
            Self::Set(flags, keywords) => {
                let same = placement.flags == *flags && placement.keywords == *keywords;
                placement.flags = *flags;
                placement.keywords.clone_from(keywords);
                !same
            }
            Self::Add(flags, keywords) => {
                let same = placement.flags.has(*flags)
                    && keywords
                        .iter()
                        .all(|keyword| placement.keywords.contains(keyword));
                placement.flags = placement.flags.with(*flags);
                keywords
                    .iter()
                    .for_each(|keyword| placement.keywords.insert(keyword));
                !same
            }
            Self::Remove(flags, keywords) => {
                let before = placement.flags;
                let had = keywords
                    .iter()
                    .any(|keyword| placement.keywords.contains(keyword));
                placement.flags = before.without(*flags);
                keywords
                    .iter()
                    .for_each(|keyword| placement.keywords.remove(keyword));
                had || before != placement.flags
            }
        }
    }
}
