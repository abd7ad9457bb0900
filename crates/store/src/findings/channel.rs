//! How the operator is reached outside this server, and what each way still has to carry.

use std::fmt;

use mail::UnixMillis;

use crate::engine::{Param, Row, SqlResult};
use crate::limits::{CHANNELS_MAX, POSTS_PER_RUN};
use crate::{Change, StoreError, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelId(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A mail address elsewhere.
    Mail,
    /// An address that takes JSON by HTTP.
    Webhook,
    /// A topic of an ntfy server.
    Ntfy,
}

#[derive(Clone, PartialEq, Eq)]
pub struct NewChannel {
    pub kind: ChannelKind,
    pub target: String,
    /// Signs what a webhook gets, or lets us in at ntfy. On disk it is encrypted with the key file.
    pub secret: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub id: ChannelId,
    pub channel: NewChannel,
    pub created: UnixMillis,
    /// When something last got through.
    pub told: Option<UnixMillis>,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

/// Something that a channel has to carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    pub id: i64,
    pub channel: ChannelId,
    pub body: String,
    pub created: UnixMillis,
    pub attempts: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("{0} is told already")]
    Known(String),
    #[error("there are {CHANNELS_MAX} channels already")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl View<'_> {
    /// All of them, oldest first.
    pub fn operator_channels(&self) -> Result<Vec<Channel>, StoreError> {
        let sql = "SELECT id, kind, target, secret, created, told, problem FROM operator_channel ORDER BY id";
        self.sql.all(sql, &[], |row| self.read_channel(row))
    }

    /// What is due, oldest first, some of it.
    pub fn operator_posts(&self, now: UnixMillis) -> Result<Vec<Post>, StoreError> {
        let sql = "SELECT id, channel, body, created, attempts FROM operator_post WHERE due <= ?1 ORDER BY id LIMIT ?2";
        let params = [Param::Int(now.0), Param::Int(POSTS_PER_RUN)];
        self.sql.all(sql, &params, |row| {
            Ok(Post {
                id: row.int(0)?,
                channel: ChannelId(row.int(1)?),
                body: row.text(2)?.to_owned(),
                created: UnixMillis(row.int(3)?),
                attempts: u32::try_from(row.int(4)?).unwrap_or(0),
            })
        })
    }

    /// Whether the operator is to be told something now, and can be.
    pub fn has_operator_posts(&self, now: UnixMillis) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM operator_post WHERE due <= ?1 LIMIT 1";
        let due = self
            .sql
            .first(sql, &[Param::Int(now.0)], |row| row.int(0))?;
        if due.is_some() {
            return Ok(true);
        }
        // Without a channel the postmaster hears of what is urgent.
        let sql = "SELECT id FROM notice WHERE told IS NULL AND (kind NOT LIKE 'finding%' \
                   OR EXISTS (SELECT id FROM operator_channel)) LIMIT 1";
        Ok(self.sql.first(sql, &[], |row| row.int(0))?.is_some())
    }

    fn read_channel(&self, row: &Row<'_>) -> SqlResult<Channel> {
        let target = row.text(2)?.to_owned();
        let unseal = |sealed| self.shared.sealing.unseal(&purpose(&target), sealed);
        let secret = row.opt_blob(3)?.map(unseal).transpose()?;
        Ok(Channel {
            id: ChannelId(row.int(0)?),
            channel: NewChannel {
                kind: ChannelKind::of_code(row.int(1)?)?,
                target,
                secret,
            },
            created: UnixMillis(row.int(4)?),
            told: row.opt_int(5)?.map(UnixMillis),
            problem: row.opt_text(6)?.map(str::to_owned),
        })
    }
}

impl Change<'_> {
    pub fn add_operator_channel(
        &mut self,
        channel: &NewChannel,
        now: UnixMillis,
    ) -> Result<ChannelId, ChannelError> {
        let known = self.operator_channels()?;
        if i64::try_from(known.len()).unwrap_or(i64::MAX) >= CHANNELS_MAX {
            return Err(ChannelError::TooMany);
        }
        let seal = |secret: &Vec<u8>| {
            let sealing = &self.shared.sealing;
            sealing.seal(&purpose(&channel.target), secret)
        };
        let sealed = channel.secret.as_ref().map(seal).transpose()?;
        // Told apart, because the kinds of parameters of a statement are fixed.
        let key = [
            Param::Int(channel.kind.code()),
            Param::Text(&channel.target),
        ];
        let sql = "SELECT id FROM operator_channel WHERE kind = ?1 AND target = ?2";
        if self.sql.first(sql, &key, |row| row.int(0))?.is_some() {
            return Err(ChannelError::Known(channel.target.clone()));
        }
        let sql =
            "INSERT INTO operator_channel (kind, target, created) VALUES (?1, ?2, ?3) RETURNING id";
        let params = [
            Param::Int(channel.kind.code()),
            Param::Text(&channel.target),
            Param::Int(now.0),
        ];
        let id = self.sql.one(sql, &params, |row| row.int(0))?;
        if let Some(sealed) = sealed {
            let sql = "UPDATE operator_channel SET secret = ?2 WHERE id = ?1";
            self.sql
                .execute(sql, &[Param::Int(id), Param::Blob(&sealed)])?;
        }
        Ok(ChannelId(id))
    }

    /// False if there is none of this number.
    pub fn remove_operator_channel(&mut self, id: ChannelId) -> Result<bool, StoreError> {
        let key = [Param::Int(id.0)];
        self.sql
            .execute("DELETE FROM operator_post WHERE channel = ?1", &key)?;
        let sql = "DELETE FROM operator_channel WHERE id = ?1";
        Ok(self.sql.execute(sql, &key)? == 1)
    }

    /// Gives a channel something to carry.
    pub fn post_to_operator(
        &mut self,
        channel: ChannelId,
        body: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO operator_post (channel, body, created, due, attempts) VALUES (?1, ?2, ?3, ?3, 0)";
        let params = [Param::Int(channel.0), Param::Text(body), Param::Int(now.0)];
        self.sql.execute(sql, &params).map(drop)
    }

    /// It got through.
    pub fn operator_post_done(&mut self, post: &Post, now: UnixMillis) -> Result<(), StoreError> {
        let sql = "DELETE FROM operator_post WHERE id = ?1";
        self.sql.execute(sql, &[Param::Int(post.id)])?;
        let sql = "UPDATE operator_channel SET told = ?2, problem = NULL WHERE id = ?1";
        let params = [Param::Int(post.channel.0), Param::Int(now.0)];
        self.sql.execute(sql, &params).map(drop)
    }

    /// It did not get through: it is tried again at `due`, or never.
    pub fn operator_post_failed(
        &mut self,
        post: &Post,
        problem: &str,
        due: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        match due {
            Some(due) => self.sql.execute(
                "UPDATE operator_post SET due = ?2, attempts = attempts + 1 WHERE id = ?1",
                &[Param::Int(post.id), Param::Int(due.0)],
            )?,
            None => self.sql.execute(
                "DELETE FROM operator_post WHERE id = ?1",
                &[Param::Int(post.id)],
            )?,
        };
        let sql = "UPDATE operator_channel SET problem = ?2 WHERE id = ?1";
        let params = [Param::Int(post.channel.0), Param::Text(problem)];
        self.sql.execute(sql, &params).map(drop)
    }
}

impl ChannelKind {
    /// As commands and lists name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
        }
    }

    fn code(self) -> i64 {
        match self {
            Self::Mail => 1,
            Self::Webhook => 2,
            Self::Ntfy => 3,
        }
    }

    fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            1 => Ok(Self::Mail),
            2 => Ok(Self::Webhook),
            3 => Ok(Self::Ntfy),
            _ => Err(StoreError::Damaged(format!("operator channel kind {code}"))),
        }
    }
}

fn purpose(target: &str) -> String {
    format!("operator channel {target}")
}

impl fmt::Debug for NewChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewChannel")
            .field("kind", &self.kind)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
