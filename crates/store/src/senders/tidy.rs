//! Forgets what is too old to tell anything, and keeps each account's share bounded.

use mail::UnixMillis;

use crate::engine::Param;
use crate::limits::{
    CORRESPONDENTS_HEARD_MAX, CORRESPONDENTS_WRITTEN_MAX, HEARD_FROM_AGE_MILLIS,
    REPUTATION_AGE_MILLIS, REPUTATION_ROWS_MAX, SEED_PIECES_PER_ROUND, SENT_IDS_AGE_MILLIS,
    TIDY_PIECE,
};
use crate::{Change, Durability, Store, StoreError, View};

/// Each account is looked at once in so many rounds: once a day, as rounds are hourly.
const ROUNDS: i64 = 24;

impl Store {
    /// Reads sent mail that was not read yet, and forgets what is too old. In small pieces; call it every hour or so.
    pub async fn tidy_senders(&self, now: UnixMillis) -> Result<(), StoreError> {
        self.seed_correspondents(now).await?;
        let turn = now.0.div_euclid(3_600_000).rem_euclid(ROUNDS);
        let mut after = 0;
        loop {
            let accounts = self
                .read(move |view| view.accounts_of_turn(turn, after))
                .await?;
            let Some(last) = accounts.last() else {
                break;
            };
            after = *last;
            for account in accounts {
                self.write_bulk(Durability::Relaxed, move |change| {
                    change.trim_correspondents(account, now)
                })
                .await?;
            }
        }
        self.write_bulk(Durability::Relaxed, move |change| {
            change.end_provisional(now)?;
            change.trim_reputation(now)
        })
        .await
    }

    async fn seed_correspondents(&self, now: UnixMillis) -> Result<(), StoreError> {
        let mut pieces = 0;
        let mut after = (0, 0);
        loop {
            let behind = self.read(move |view| view.sent_mail_unread(after)).await?;
            let Some(last) = behind.last() else {
                return Ok(());
            };
            after = (last.account, last.mailbox);
            for mailbox in behind {
                let mailbox = std::sync::Arc::new(mailbox);
                loop {
                    if SEED_PIECES_PER_ROUND <= pieces {
                        return Ok(());
                    }
                    pieces += 1;
                    let one = mailbox.clone();
                    let more = self
                        .write_bulk(Durability::Relaxed, move |change| {
                            change.seed_piece(&one, now)
                        })
                        .await?;
                    if !more {
                        break;
                    }
                }
            }
        }
    }
}

impl View<'_> {
    fn accounts_of_turn(&self, turn: i64, after: i64) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT id FROM account WHERE id > ?1 AND id % ?2 = ?3 ORDER BY id LIMIT ?4";
        let params = [
            Param::Int(after),
            Param::Int(ROUNDS),
            Param::Int(turn),
            Param::Int(TIDY_PIECE as i64),
        ];
        self.sql.all(sql, &params, |row| row.int(0))
    }
}

impl Change<'_> {
    fn trim_correspondents(&mut self, account: i64, now: UnixMillis) -> Result<(), StoreError> {
        let old =
            "DELETE FROM correspondent WHERE account = ?1 AND sent = 0 AND last_received < ?2";
        let before = now.0.saturating_sub(HEARD_FROM_AGE_MILLIS);
        self.sql
            .execute(old, &[Param::Int(account), Param::Int(before)])?;
        let heard = "DELETE FROM correspondent WHERE account = ?1 AND sent = 0 AND last_received <= (SELECT last_received \
                     FROM correspondent WHERE account = ?1 AND sent = 0 ORDER BY last_received DESC LIMIT 1 OFFSET ?2)";
        let params = [Param::Int(account), Param::Int(CORRESPONDENTS_HEARD_MAX)];
        self.sql.execute(heard, &params)?;
        let written = "DELETE FROM correspondent WHERE account = ?1 AND sent > 0 AND last_sent <= (SELECT last_sent \
                       FROM correspondent WHERE account = ?1 AND sent > 0 ORDER BY last_sent DESC LIMIT 1 OFFSET ?2)";
        let params = [Param::Int(account), Param::Int(CORRESPONDENTS_WRITTEN_MAX)];
        self.sql.execute(written, &params).map(drop)
    }

    fn end_provisional(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let sql =
            "UPDATE correspondent SET provisional = 0 WHERE provisional > 0 AND provisional <= ?1";
        self.sql.execute(sql, &[Param::Int(now.0)]).map(drop)
    }

    fn trim_reputation(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let before = [Param::Int(now.0.saturating_sub(REPUTATION_AGE_MILLIS))];
        let bound = [Param::Int(REPUTATION_ROWS_MAX)];
        let sent = "DELETE FROM sent_id WHERE sent < ?1";
        let sent_before = now.0.saturating_sub(SENT_IDS_AGE_MILLIS);
        self.sql.execute(sent, &[Param::Int(sent_before)])?;
        for (old, many) in [
            (
                "DELETE FROM reputation WHERE at < ?1",
                "DELETE FROM reputation WHERE at <= (SELECT at FROM reputation ORDER BY at DESC LIMIT 1 OFFSET ?1)",
            ),
            (
                "DELETE FROM reputation_voice WHERE at < ?1",
                "DELETE FROM reputation_voice WHERE at <= \
                 (SELECT at FROM reputation_voice ORDER BY at DESC LIMIT 1 OFFSET ?1)",
            ),
        ] {
            self.sql.execute(old, &before)?;
            self.sql.execute(many, &bound)?;
        }
        Ok(())
    }
}
