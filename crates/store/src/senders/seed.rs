//! History for accounts that had mail before it was kept, or brought some along: whom the messages in Sent went to. Read in
//! small pieces, once each.
//!
//! A thief of a password could file messages in Sent to make strangers look known: what turns up there later than at first
//! counts as written to only after some days. Only the first of an account's mailboxes is believed at first sight: others, and
//! that one made anew, are as quickly made.

use mail::{Address, UnixMillis};

use super::correspondents::by_itself;
use super::key_of;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{SEED_MESSAGES_PER_PIECE, SEED_PROVISIONAL_MILLIS, SEED_RECIPIENTS_MAX};
use crate::{AccountId, Change, StoreError, View};

/// A mailbox for sent mail with messages that were not looked at.
pub(super) struct Behind {
    pub(super) account: i64,
    pub(super) mailbox: i64,
    uid_validity: i64,
    uid_next: i64,
    /// Up to which UID it was read, and up to which it is believed at once.
    read: Option<(i64, i64)>,
}

impl View<'_> {
    /// Mailboxes for sent mail, by their use or by the names that programs give them, that are not read to their end.
    pub(super) fn sent_mail_unread(&self, after: (i64, i64)) -> Result<Vec<Behind>, StoreError> {
        let sql = "SELECT m.account, m.id, m.uid_validity, m.uid_next, s.uid_validity, s.uid, s.trusted_uid FROM mailbox m \
                   LEFT JOIN correspondent_seed s ON s.account = m.account AND s.mailbox = m.id \
                   WHERE (m.special = 3 OR LOWER(m.name) IN ('sent', 'sent items', 'sent messages', 'sent mail', 'inbox/sent', \
                   'gesendet', 'gesendete objekte', 'gesendete elemente')) \
                   AND (m.account > ?1 OR (m.account = ?1 AND m.id > ?2)) \
                   AND (s.uid IS NULL OR s.uid_validity <> m.uid_validity OR s.uid < m.uid_next - 1) \
                   ORDER BY m.account, m.id LIMIT 100";
        let params = [Param::Int(after.0), Param::Int(after.1)];
        self.sql.all(sql, &params, |row| {
            let uid_validity = row.int(2)?;
            let read = match (row.opt_int(4)?, row.opt_int(5)?, row.opt_int(6)?) {
                (Some(validity), Some(uid), Some(trusted)) if validity == uid_validity => {
                    Some((uid, trusted))
                }
                _ => None,
            };
            Ok(Behind {
                account: row.int(0)?,
                mailbox: row.int(1)?,
                uid_validity,
                uid_next: row.int(3)?,
                read,
            })
        })
    }
}

impl Change<'_> {
    /// Reads one piece of a mailbox for sent mail. False when it has reached the end.
    pub(super) fn seed_piece(
        &mut self,
        behind: &Behind,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let (from, trusted) = match self.seeded(behind)?.or(behind.read) {
            Some(read) => read,
            None if self.has_seed(behind.account)? => (0, 0),
            None => (0, behind.uid_next - 1),
        };
        let sql = "SELECT p.uid, p.internal_date, m.envelope, m.structure FROM placement p \
                   JOIN message m ON m.account = p.account AND m.id = p.message \
                   WHERE p.account = ?1 AND p.mailbox = ?2 AND p.uid > ?3 ORDER BY p.uid LIMIT ?4";
        let params = [
            Param::Int(behind.account),
            Param::Int(behind.mailbox),
            Param::Int(from),
            Param::Int(SEED_MESSAGES_PER_PIECE),
        ];
        let sent = self.sql.all(sql, &params, read_sent)?;
        let ended = (sent.len() as i64) < SEED_MESSAGES_PER_PIECE;
        let mut to = from;
        for (uid, date, mail) in sent {
            to = uid;
            if mail.is_automatic() || self.was_sent_by_itself(behind.account, &mail)? {
                continue;
            }
            let provisional = match uid <= trusted {
                true => 0,
                false => now.0.saturating_add(SEED_PROVISIONAL_MILLIS),
            };
            for recipient in &mail.recipients {
                self.note_filed_as_sent(behind.account, recipient, date, provisional)?;
            }
        }
        let to = if ended {
            to.max(behind.uid_next - 1)
        } else {
            to
        };
        let sql = "INSERT INTO correspondent_seed (account, mailbox, uid_validity, uid, trusted_uid) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account, mailbox) DO UPDATE SET \
                   uid_validity = excluded.uid_validity, uid = excluded.uid, trusted_uid = excluded.trusted_uid";
        let params = [
            Param::Int(behind.account),
            Param::Int(behind.mailbox),
            Param::Int(behind.uid_validity),
            Param::Int(to),
            Param::Int(trusted),
        ];
        self.sql.execute(sql, &params)?;
        Ok(!ended)
    }

    /// Whether a program sent it from here without anybody's doing, and filed it.
    fn was_sent_by_itself(&self, account: i64, mail: &Filed) -> Result<bool, StoreError> {
        let ids: Vec<String> = mail.id.iter().map(|id| by_itself(id)).collect();
        self.is_answer_to(AccountId(account), &ids)
    }

    fn seeded(&self, behind: &Behind) -> Result<Option<(i64, i64)>, StoreError> {
        let sql = "SELECT uid, trusted_uid FROM correspondent_seed \
                   WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3";
        let params = [
            Param::Int(behind.account),
            Param::Int(behind.mailbox),
            Param::Int(behind.uid_validity),
        ];
        self.sql
            .first(sql, &params, |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// Whether a mailbox of the account was read before, be it gone by now.
    fn has_seed(&self, account: i64) -> Result<bool, StoreError> {
        let sql = "SELECT mailbox FROM correspondent_seed WHERE account = ?1 LIMIT 1";
        let found = self
            .sql
            .first(sql, &[Param::Int(account)], |row| row.int(0))?;
        Ok(found.is_some())
    }

    /// What was sent from here is counted already: filed once more by the program that sent it, it counts no second time.
    fn note_filed_as_sent(
        &mut self,
        account: i64,
        recipient: &Address,
        date: i64,
        provisional: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO correspondent (account, address, domain, sent, first_sent, last_sent, provisional, \
                   received, confirmed, junked) VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5, 0, 0, 0) \
                   ON CONFLICT (account, address) DO UPDATE SET \
                   provisional = CASE WHEN correspondent.sent = 0 THEN excluded.provisional ELSE correspondent.provisional END, \
                   sent = CASE WHEN correspondent.sent = 0 THEN 1 ELSE correspondent.sent END, \
                   first_sent = CASE WHEN correspondent.first_sent < excluded.first_sent THEN correspondent.first_sent \
                   ELSE excluded.first_sent END, \
                   last_sent = CASE WHEN correspondent.last_sent > excluded.last_sent THEN correspondent.last_sent \
                   ELSE excluded.last_sent END";
        let key = key_of(recipient);
        let params = [
            Param::Int(account),
            Param::Text(&key),
            Param::Text(recipient.domain().as_str()),
            Param::Int(date),
            Param::Int(provisional),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

/// A message in a mailbox for sent mail.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filed {
    recipients: Vec<Address>,
    /// Without brackets.
    id: Option<String>,
    subject: String,
    is_report: bool,
}

impl Filed {
    /// A receipt, or the letter that leaves a list: nobody wrote to anybody.
    fn is_automatic(&self) -> bool {
        let leaves = |word: &str| self.subject.trim().eq_ignore_ascii_case(word);
        self.is_report || leaves("unsubscribe")
    }
}

fn read_sent(row: &Row<'_>) -> SqlResult<(i64, i64, Filed)> {
    let filed = Filed {
        is_report: is_report(row.blob(3)?),
        ..filed(row.blob(2)?)
    };
    Ok((row.int(0)?, row.int(1)?, filed))
}

/// Whether a stored structure is that of a report (RFC 6522 §3).
fn is_report(structure: &[u8]) -> bool {
    let structure = mail::Structure::decode(structure).ok();
    let parts = structure.as_ref().map(mail::Structure::parts);
    let root = parts.and_then(<[_]>::first);
    root.is_some_and(|root| root.media_type == "multipart" && root.media_subtype == "report")
}

/// What a stored envelope says (RFC 9051 §7.5.2): its id, its subject, and the addresses in To, Cc and Bcc. What makes no sense
/// is left out.
fn filed(envelope: &[u8]) -> Filed {
    let mut reader = Reader { rest: envelope };
    let fields = match reader.value(0) {
        Some(Value::List(fields)) => fields,
        _ => return Filed::default(),
    };
    let text = |at: usize| match fields.get(at) {
        Some(Value::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    };
    let id = text(9).map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
    let subject = text(1).unwrap_or_default();
    Filed {
        id,
        subject,
        is_report: false,
        recipients: recipients(fields),
    }
}

fn recipients(fields: Vec<Value>) -> Vec<Address> {
    let lists = fields.into_iter().skip(5).take(3);
    let entries = lists.filter_map(|list| match list {
        Value::List(entries) => Some(entries),
        Value::Text(_) | Value::Nil => None,
    });
    let addresses = entries.flatten().filter_map(|entry| {
        let Value::List(parts) = entry else {
            return None;
        };
        let [_, _, Value::Text(local), Value::Text(host)] = parts.as_slice() else {
            return None;
        };
        let (local, host) = (std::str::from_utf8(local), std::str::from_utf8(host));
        Address::new(local.ok()?, mail::Domain::parse(host.ok()?).ok()?).ok()
    });
    addresses.take(SEED_RECIPIENTS_MAX).collect()
}

enum Value {
    Nil,
    Text(Vec<u8>),
    List(Vec<Value>),
}

/// Reads the forms in which envelopes are stored: lists, quoted strings, literals, NIL.
struct Reader<'e> {
    rest: &'e [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.next()? {
            // An envelope is three lists deep.
            b'(' if depth < 4 => {
                let mut values = Vec::new();
                loop {
                    match self.rest.first()? {
                        b')' => {
                            self.next();
                            return Some(Value::List(values));
                        }
                        b' ' => {
                            self.next();
                        }
                        _ => values.push(self.value(depth + 1)?),
                    }
                }
            }
            b'"' => {
                let mut text = Vec::new();
                loop {
                    match self.next()? {
                        b'"' => return Some(Value::Text(text)),
                        b'\\' => text.push(self.next()?),
                        byte => text.push(byte),
                    }
                }
            }
            b'{' => {
                let end = self.rest.iter().position(|byte| *byte == b'}')?;
                let (digits, rest) = self.rest.split_at(end);
                let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
                let text = rest.strip_prefix(b"}\r\n")?;
                let (text, rest) = text.split_at_checked(length)?;
                self.rest = rest;
                Some(Value::Text(text.to_vec()))
            }
            b'N' => {
                self.rest = self.rest.strip_prefix(b"IL")?;
                Some(Value::Nil)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
