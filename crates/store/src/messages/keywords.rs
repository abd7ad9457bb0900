//! The account's dictionary of keywords: names to numbers, numbers to names.

use super::MessageError;
use crate::engine::Param;
use crate::limits::{KEYWORD_BYTES_MAX, KEYWORDS_MAX};
use crate::{AccountId, Change, Keyword, KeywordSet, Keywords, StoreError, View};

impl View<'_> {
    /// The account's dictionary of keywords.
    pub fn keywords(&self, account: AccountId) -> Result<Keywords, StoreError> {
        // Numbers are given without gaps, so a name's place is its number.
        let sql = "SELECT name FROM keyword WHERE account = ?1 ORDER BY number";
        let names = self.sql.all(sql, &[Param::Int(account.0)], |row| {
            Ok(row.text(0)?.to_owned())
        })?;
        Ok(Keywords { names })
    }
}

impl Change<'_> {
    /// Numbers of names; new ones are taken into the dictionary.
    pub(crate) fn keyword_numbers(
        &mut self,
        account: AccountId,
        names: &[String],
    ) -> Result<KeywordSet, MessageError> {
        let mut set = KeywordSet::default();
        if names.is_empty() {
            return Ok(set);
        }
        self.lock(account)?;
        let mut known = self.keywords(account)?;
        for name in names {
            let keyword = match known.find(name) {
                Some(keyword) => keyword,
                None => self.add_keyword(account, &mut known, name)?,
            };
            set.insert(keyword);
        }
        Ok(set)
    }

    fn add_keyword(
        &mut self,
        account: AccountId,
        known: &mut Keywords,
        name: &str,
    ) -> Result<Keyword, MessageError> {
        let bad = |c: char| c.is_control() || c.is_whitespace() || "\\(){%*\"]".contains(c);
        if name.is_empty() || KEYWORD_BYTES_MAX < name.len() || name.contains(bad) {
            return Err(MessageError::BadKeyword(name.to_owned()));
        }
        if KEYWORDS_MAX <= known.len() {
            return Err(MessageError::TooManyKeywords);
        }
        let number = known.len();
        let sql = "INSERT INTO keyword (account, number, name) VALUES (?1, ?2, ?3)";
        self.sql.execute(
            sql,
            &[
                Param::Int(account.0),
                Param::Int(number as i64),
                Param::Text(name),
            ],
        )?;
        known.names.push(name.to_owned());
        Ok(Keyword(number as u16))
    }
}
