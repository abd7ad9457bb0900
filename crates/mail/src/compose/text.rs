//! A message of plain text.

use super::Person;
use crate::UnixMillis;

/// A message of plain text, to be written.
#[derive(Clone, Debug)]
pub struct TextMessage<'a> {
    pub from: Person,
    pub to: Vec<Person>,
    pub subject: &'a str,
    pub date: UnixMillis,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// More fields, such as `Auto-Submitted`; values as text.
    pub fields: Vec<(&'static str, String)>,
    /// Any line ends.
    pub text: &'a str,
}

impl TextMessage<'_> {
    pub fn write(&self) -> Vec<u8> {
        todo!()
    }
}
