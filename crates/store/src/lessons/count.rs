//! Counting lessons in and out again: the account's counts, and from them what counts for the server.

use mail::UnixMillis;

use super::ledger::Ledger;
use super::work::{Lesson, LessonKey, LessonRow};
use super::{Act, Class, hashes};
use crate::bans::Network;
use crate::engine::Param;
use crate::limits::LESSON_FEATURES_MAX;
use crate::senders::{Origin, SenderLesson};
use crate::{AccountId, Change, StoreError};

/// What is learnt of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Material {
    pub features: Vec<u64>,
    pub message_id: Option<String>,
    pub origin: Origin,
}

/// What a call of [`Change::learn`] counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// What was counted before and is not any more.
    pub unlearnt: Option<Class>,
    /// What is counted now.
    pub learnt: Option<Class>,
}

impl Change<'_> {
    /// Does what a lesson waits for: takes back what was counted of it, counts what is due. Nothing happens if it is done
    /// already, or if something else is due by now: then it waits still.
    pub fn learn(
        &mut self,
        lesson: &Lesson,
        material: &Material,
        now: UnixMillis,
    ) -> Result<Learnt, StoreError> {
        let one = [(lesson.clone(), material.clone())];
        let learnt = self.learn_all(lesson.key.account, &one, now)?;
        Ok(learnt.first().copied().unwrap_or_default())
    }

    /// The same for some lessons of one account, which are counted together: that is cheaper by far, for messages have much in
    /// common. The caller bounds how many there are: others wait meanwhile.
    pub fn learn_all(
        &mut self,
        account: AccountId,
        lessons: &[(Lesson, Material)],
        now: UnixMillis,
    ) -> Result<Vec<Learnt>, StoreError> {
        self.lock(account)?;
        let mut ledger = Ledger::new(account);
        let lessons = lessons
            .iter()
            .filter(|(lesson, _)| lesson.key.account == account);
        let learnt = lessons
            .map(|(lesson, material)| self.learn_into(&mut ledger, lesson, material, now))
            .collect::<Result<_, StoreError>>()?;
        self.settle(ledger, now)?;
        Ok(learnt)
    }

    /// Teaches a message by command, or takes back all that was said of it, and counts it at once.
    pub fn teach(
        &mut self,
        key: LessonKey,
        class: Option<Class>,
        material: &Material,
        now: UnixMillis,
    ) -> Result<Learnt, StoreError> {
        let one = [(key, material.clone())];
        let learnt = self.teach_all(key.account, class, &one, now)?;
        Ok(learnt.first().copied().unwrap_or_default())
    }

    /// The same for some messages of one account.
    pub fn teach_all(
        &mut self,
        account: AccountId,
        class: Option<Class>,
        messages: &[(LessonKey, Material)],
        now: UnixMillis,
    ) -> Result<Vec<Learnt>, StoreError> {
        self.lock(account)?;
        let mut ledger = Ledger::new(account);
        let mut learnt = Vec::with_capacity(messages.len());
        for (key, material) in messages.iter().filter(|(key, _)| key.account == account) {
            self.note_act(*key, Act::Told(class), None, now)?;
            let row = self.lesson_row(*key)?;
            let lesson = Lesson {
                key: *key,
                due: row.and_then(|row| row.said.due()),
                body: None,
                attempts: 0,
            };
            learnt.push(self.learn_into(&mut ledger, &lesson, material, now)?);
        }
        self.settle(ledger, now)?;
        Ok(learnt)
    }

    fn learn_into(
        &mut self,
        ledger: &mut Ledger,
        lesson: &Lesson,
        material: &Material,
        now: UnixMillis,
    ) -> Result<Learnt, StoreError> {
        let key = lesson.key;
        let Some(row) = self.lesson_row(key)? else {
            return Ok(Learnt::default());
        };
        let due = row.said.due();
        if due == row.learnt || due != lesson.due {
            return Ok(Learnt::default());
        }
        self.unlearn(ledger, key, &row, now)?;
        if let Some(blob) = row.blob {
            self.release_body(blob, 1)?;
        }
        let outcome = Learnt {
            unlearnt: row.learnt,
            learnt: due,
        };
        let Some(class) = due else {
            self.delete_lesson(key)?;
            return Ok(outcome);
        };
        let mut set = hashes::set_of(&material.features);
        set.truncate(LESSON_FEATURES_MAX);
        ledger.add(&set, class);
        let origin = &material.origin;
        self.note_sender_lesson(&sender_lesson(key.account, origin, class, false), now)?;
        if let (Class::Junk, Some(peer)) = (class, origin.ip) {
            self.forget_known_peer(&Network::neighbourhood(peer))?;
        }
        let origin = write_origin(origin);
        let bytes = hashes::write(&set);
        let message_id = material.message_id.as_deref();
        let message_id = message_id.map(crate::messages::hash_of_id);
        let sql = "UPDATE lesson SET learnt = ?3, features = ?4, origin = ?5, message_id = ?6, blob_id = NULL, attempts = 0 \
                   WHERE account = ?1 AND body = ?2";
        let params = [
            Param::Int(key.account.0),
            Param::Int(key.body),
            Param::Int(Class::code(due)),
            Param::Blob(&bytes),
            Param::Text(&origin),
            Param::OptInt(message_id.or(row.message_id)),
        ];
        self.sql.execute(sql, &params)?;
        Ok(outcome)
    }

    /// Takes back what is counted of a lesson. The row stays as it is.
    pub(super) fn unlearn(
        &mut self,
        ledger: &mut Ledger,
        key: LessonKey,
        row: &LessonRow,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let Some(class) = row.learnt else {
            return Ok(());
        };
        ledger.take_back(&hashes::read(&row.features), class);
        let origin = read_origin(&row.origin);
        self.note_sender_lesson(&sender_lesson(key.account, &origin, class, true), now)
    }
}

fn sender_lesson(account: AccountId, origin: &Origin, class: Class, undone: bool) -> SenderLesson {
    SenderLesson {
        account,
        origin: origin.clone(),
        junk: class == Class::Junk,
        undone,
    }
}

/// Four fields with a space between; `-` is none.
fn write_origin(origin: &Origin) -> String {
    let field = |field: Option<String>| field.unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {}",
        field(origin.ip.map(|ip| ip.to_string())),
        field(origin.domain.as_ref().map(ToString::to_string)),
        i64::from(origin.confirmed),
        field(origin.author.as_ref().map(ToString::to_string)),
    )
}

fn read_origin(text: &str) -> Origin {
    // The address comes last: a local part in quotes may hold spaces.
    let mut fields = text.splitn(4, ' ');
    let mut field = || fields.next().filter(|field| *field != "-");
    Origin {
        ip: field().and_then(|ip| ip.parse().ok()),
        domain: field().and_then(|domain| mail::Domain::parse(domain).ok()),
        confirmed: field() == Some("1"),
        author: field().and_then(|author| mail::Address::parse(author).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, read_origin, write_origin};

    #[test]
    fn origins_come_back() {
        let origin = Origin {
            ip: "2001:db8::1".parse().ok(),
            domain: mail::Domain::parse("example.org").ok(),
            author: mail::Address::parse("\"a b\"@example.org").ok(),
            confirmed: true,
        };
        assert!(origin.author.is_some());
        assert_eq!(read_origin(&write_origin(&origin)), origin);
        let nothing = Origin::default();
        assert_eq!(read_origin(&write_origin(&nothing)), nothing);
        assert_eq!(read_origin(""), nothing);
    }
}
