//! A cursor over one whole command: its text, and its literals taken out beside it.
//! The primitives of RFC 9051 §9 stand here; the commands are in `parse`.

use std::num::NonZeroU32;

use super::command::{Date, Flag, MailboxName};
use super::limits::{FLAGS_MAX, KEYWORD_BYTES_MAX, MAILBOX_BYTES_MAX, RANGES_MAX};
use super::mutf7;
use super::sequence::{Bound, SequenceSet};

/// How names and 8-bit text are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// IMAP4rev1: names in modified UTF-7, quoted strings in ASCII.
    Rev1,
    /// After ENABLE IMAP4rev2 or UTF8=ACCEPT: UTF-8 throughout (RFC 9051 §5.1, RFC 9755).
    Utf8,
}

/// Why a command cannot be read. The text goes into the BAD answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("{0}")]
    Syntax(&'static str),
    #[error("Unknown command.")]
    UnknownCommand,
    #[error("Only US-ASCII and UTF-8 are searched.")]
    BadCharset,
    #[error("8-bit text needs IMAP4rev2 or UTF8=ACCEPT.")]
    NotUtf8,
    /// No mailbox can have this name; not a mistake of grammar.
    #[error("The mailbox name is no modified UTF-7.")]
    NotUtf7,
}

pub type Parsed<T> = Result<T, ParseError>;

pub(crate) struct Input<'a> {
    text: &'a [u8],
    at: usize,
    literals: std::vec::IntoIter<Vec<u8>>,
    pub(crate) dialect: Dialect,
}

impl<'a> Input<'a> {
    /// `text` is the command without its last CR LF; each literal left its `{n}` CR LF in it.
    pub(crate) fn new(text: &'a [u8], literals: Vec<Vec<u8>>, dialect: Dialect) -> Self {
        Input {
            text,
            at: 0,
            literals: literals.into_iter(),
            dialect,
        }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over `byte` if it is next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    pub(crate) fn expect(&mut self, byte: u8, complaint: &'static str) -> Parsed<()> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(ParseError::Syntax(complaint))
        }
    }

    pub(crate) fn space(&mut self) -> Parsed<()> {
        self.expect(b' ', "A space is missing.")
    }

    pub(crate) fn end(&self) -> Parsed<()> {
        if self.at >= self.text.len() {
            Ok(())
        } else {
            Err(ParseError::Syntax("Too many arguments."))
        }
    }

    /// The bytes of a run of `wanted`; empty if none.
    pub(crate) fn run(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| !wanted(*byte))
            .unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Steps over `word` without regard to case, if it is next and ends there.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let Some(head) = rest.get(..word.len()) else {
            return false;
        };
        let ends = rest.get(word.len()).is_none_or(|byte| !is_word_char(*byte));
        let found = ends && head.eq_ignore_ascii_case(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    pub(crate) fn atom(&mut self) -> Parsed<&'a str> {
        ascii(self.run(is_atom_char), "A word is missing.")
    }

    /// An atom in capitals, for names of commands, items, keys.
    pub(crate) fn upper_word(&mut self) -> Parsed<String> {
        Ok(ascii(self.run(is_word_char), "A word is missing.")?.to_ascii_uppercase())
    }

    pub(crate) fn number(&mut self) -> Parsed<u64> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        ascii(digits, "A number is missing.")?
            .parse()
            .map_err(|_| ParseError::Syntax("The number is too large."))
    }

    pub(crate) fn number32(&mut self) -> Parsed<u32> {
        u32::try_from(self.number()?).map_err(|_| ParseError::Syntax("The number is too large."))
    }

    /// RFC 9051 `number64` ends at 2^63-1.
    pub(crate) fn mod_seq(&mut self) -> Parsed<u64> {
        let number = self.number()?;
        if number <= i64::MAX as u64 {
            Ok(number)
        } else {
            Err(ParseError::Syntax("The number is too large."))
        }
    }

    pub(crate) fn nonzero(&mut self) -> Parsed<NonZeroU32> {
        NonZeroU32::new(self.number32()?).ok_or(ParseError::Syntax("Zero is no message number."))
    }

    /// `sequence-set`, with `$`.
    pub(crate) fn sequence_set(&mut self) -> Parsed<SequenceSet> {
        if self.take(b'$') {
            return Ok(SequenceSet::Saved);
        }
        let mut ranges = Vec::new();
        loop {
            let first = self.bound()?;
            let last = if self.take(b':') {
                self.bound()?
            } else {
                first
            };
            if ranges.len() >= RANGES_MAX {
                return Err(ParseError::Syntax("The set has too many ranges."));
            }
            ranges.push((first, last));
            if !self.take(b',') {
                return Ok(SequenceSet::Ranges(ranges));
            }
        }
    }

    /// `string`: quoted or literal.
    pub(crate) fn string(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            _ => Err(ParseError::Syntax("A string is missing.")),
        }
    }

    pub(crate) fn astring(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => {
                let dialect = self.dialect;
                let run = self.run(|byte| {
                    is_astring_char(byte) || (dialect == Dialect::Utf8 && byte >= 0x80)
                });
                if run.is_empty() {
                    Err(ParseError::Syntax("An argument is missing."))
                } else {
                    Ok(run.to_vec())
                }
            }
        }
    }

    pub(crate) fn astring_text(&mut self) -> Parsed<String> {
        utf8(self.astring()?)
    }

    /// `nstring`: a string or NIL.
    pub(crate) fn nstring_text(&mut self) -> Parsed<Option<String>> {
        if self.word("NIL") {
            Ok(None)
        } else {
            utf8(self.string()?).map(Some)
        }
    }

    /// A literal of a message: `{n}` or, for binary, `~{n}`.
    pub(crate) fn message_literal(&mut self) -> Parsed<Vec<u8>> {
        self.take(b'~');
        self.literal()
    }

    pub(crate) fn mailbox(&mut self) -> Parsed<MailboxName> {
        let bytes = self.astring()?;
        Ok(MailboxName::new(self.name(bytes)?))
    }

    /// The reference of LIST: as `mailbox`, but it may be empty and keeps its letters.
    pub(crate) fn mailbox_or_empty(&mut self) -> Parsed<String> {
        let bytes = self.astring()?;
        self.name(bytes)
    }

    /// `list-mailbox`: a name with wildcards.
    pub(crate) fn list_mailbox(&mut self) -> Parsed<String> {
        let bytes = match self.peek() {
            Some(b'"' | b'{') => self.string()?,
            _ => {
                let dialect = self.dialect;
                let run = self.run(|byte| {
                    is_astring_char(byte)
                        || matches!(byte, b'%' | b'*')
                        || (dialect == Dialect::Utf8 && byte >= 0x80)
                });
                if run.is_empty() {
                    return Err(ParseError::Syntax("A pattern is missing."));
                }
                run.to_vec()
            }
        };
        // A pattern that is no name in modified UTF-7 just matches nothing.
        match self.name(bytes.clone()) {
            Err(ParseError::NotUtf7) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            read => read,
        }
    }

    /// A name as the dialect writes it.
    fn name(&self, bytes: Vec<u8>) -> Parsed<String> {
        if bytes.len() > MAILBOX_BYTES_MAX {
            return Err(ParseError::Syntax("The mailbox name is too long."));
        }
        match self.dialect {
            Dialect::Utf8 => utf8(bytes),
            Dialect::Rev1 => mutf7::decode(&bytes).ok_or(ParseError::NotUtf7),
        }
    }

    pub(crate) fn flag(&mut self) -> Parsed<Flag> {
        if self.take(b'\\') {
            let name = self.upper_word()?;
            return match name.as_str() {
                "ANSWERED" => Ok(Flag::Answered),
                "FLAGGED" => Ok(Flag::Flagged),
                "DELETED" => Ok(Flag::Deleted),
                "SEEN" => Ok(Flag::Seen),
                "DRAFT" => Ok(Flag::Draft),
                "RECENT" => Err(ParseError::Syntax("\\Recent cannot be set.")),
                _ => Err(ParseError::Syntax("Unknown system flag.")),
            };
        }
        let keyword = self.atom()?;
        if keyword.len() > KEYWORD_BYTES_MAX {
            return Err(ParseError::Syntax("The keyword is too long."));
        }
        Ok(Flag::Keyword(keyword.to_owned()))
    }

    /// `(flag flag)`, possibly empty, each flag once.
    pub(crate) fn flag_list(&mut self) -> Parsed<Vec<Flag>> {
        self.expect(b'(', "A flag list is missing.")?;
        let mut flags = Vec::new();
        if self.take(b')') {
            return Ok(flags);
        }
        loop {
            add_flag(&mut flags, self.flag()?)?;
            if self.take(b')') {
                return Ok(flags);
            }
            self.space()?;
        }
    }

    /// Flags of STORE: a list, or bare flags with spaces between.
    pub(crate) fn store_flags(&mut self) -> Parsed<Vec<Flag>> {
        if self.peek() == Some(b'(') {
            return self.flag_list();
        }
        let mut flags = Vec::new();
        loop {
            add_flag(&mut flags, self.flag()?)?;
            if !self.take(b' ') {
                return Ok(flags);
            }
        }
    }

    /// `date`: `1-Feb-1994`, quoted or not.
    pub(crate) fn date(&mut self) -> Parsed<Date> {
        let quoted = self.take(b'"');
        let day = self.number32()?;
        self.expect(b'-', "The date is malformed.")?;
        let month = self.month()?;
        self.expect(b'-', "The date is malformed.")?;
        let year = self.run(|byte| byte.is_ascii_digit());
        let year = digits(year, 4)?;
        if quoted {
            self.expect(b'"', "The date is malformed.")?;
        }
        Ok(Date {
            days: civil_days(year, month, day)?,
        })
    }

    /// `date-time`: `"17-Jul-1996 02:44:25 -0700"`, in milliseconds of Unix time.
    pub(crate) fn date_time(&mut self) -> Parsed<i64> {
        const WRONG: &str = "The date and time is malformed.";
        self.expect(b'"', WRONG)?;
        self.take(b' ');
        let day = self.number32()?;
        self.expect(b'-', WRONG)?;
        let month = self.month()?;
        self.expect(b'-', WRONG)?;
        let year = digits(self.run(|byte| byte.is_ascii_digit()), 4)?;
        self.space()?;
        let hour = digits(self.run(|byte| byte.is_ascii_digit()), 2)?;
        self.expect(b':', WRONG)?;
        let minute = digits(self.run(|byte| byte.is_ascii_digit()), 2)?;
        self.expect(b':', WRONG)?;
        let second = digits(self.run(|byte| byte.is_ascii_digit()), 2)?;
        self.space()?;
        let east = match self.peek() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(ParseError::Syntax(WRONG)),
        };
        self.at += 1;
        let zone = digits(self.run(|byte| byte.is_ascii_digit()), 4)?;
        self.expect(b'"', WRONG)?;
        let (zone_hours, zone_minutes) = (zone / 100, zone % 100);
        if hour > 23 || minute > 59 || second > 60 || zone_hours > 23 || zone_minutes > 59 {
            return Err(ParseError::Syntax(WRONG));
        }
        let local = civil_days(year, month, day)? * 86_400
            + i64::from(hour) * 3_600
            + i64::from(minute) * 60
            + i64::from(second);
        let offset = east * (i64::from(zone_hours) * 3_600 + i64::from(zone_minutes) * 60);
        Ok((local - offset) * 1_000)
    }

    fn bound(&mut self) -> Parsed<Bound> {
        if self.take(b'*') {
            Ok(Bound::Last)
        } else {
            self.nonzero().map(Bound::Number)
        }
    }

    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        self.expect(b'"', "A quoted string is missing.")?;
        let mut value = Vec::new();
        loop {
            value.extend_from_slice(
                self.run(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0)),
            );
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(byte @ (b'"' | b'\\')) => {
                            self.at += 1;
                            value.push(byte);
                        }
                        _ => return Err(ParseError::Syntax("A backslash quotes only \\ and \".")),
                    }
                }
                _ => return Err(ParseError::Syntax("A quoted string does not end.")),
            }
        }
        if self.dialect == Dialect::Rev1 && !value.is_ascii() {
            return Err(ParseError::NotUtf8);
        }
        Ok(value)
    }

    fn literal(&mut self) -> Parsed<Vec<u8>> {
        const WRONG: &str = "A literal is malformed.";
        self.expect(b'{', WRONG)?;
        let size = self.number()?;
        self.take(b'+');
        self.expect(b'}', WRONG)?;
        self.expect(b'\r', WRONG)?;
        self.expect(b'\n', WRONG)?;
        let literal = self.literals.next().ok_or(ParseError::Syntax(WRONG))?;
        if literal.len() as u64 == size {
            Ok(literal)
        } else {
            Err(ParseError::Syntax(WRONG))
        }
    }

    fn month(&mut self) -> Parsed<u32> {
        const MONTHS: [&str; 12] = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ];
        let name = self
            .run(|byte| byte.is_ascii_alphabetic())
            .to_ascii_lowercase();
        (1..)
            .zip(MONTHS)
            .find(|(_, month)| month.as_bytes() == name)
            .map(|(number, _)| number)
            .ok_or(ParseError::Syntax("The month is unknown."))
    }
}

pub(crate) fn utf8(bytes: Vec<u8>) -> Parsed<String> {
    String::from_utf8(bytes).map_err(|_| ParseError::Syntax("The text is not UTF-8."))
}

fn ascii<'a>(bytes: &'a [u8], missing: &'static str) -> Parsed<&'a str> {
    if bytes.is_empty() {
        return Err(ParseError::Syntax(missing));
    }
    std::str::from_utf8(bytes).map_err(|_| ParseError::Syntax(missing))
}

fn add_flag(flags: &mut Vec<Flag>, flag: Flag) -> Parsed<()> {
    if flags.len() >= FLAGS_MAX {
        return Err(ParseError::Syntax("Too many flags."));
    }
    if !flags.contains(&flag) {
        flags.push(flag);
    }
    Ok(())
}

fn digits(run: &[u8], count: usize) -> Parsed<u32> {
    const WRONG: ParseError = ParseError::Syntax("The date is malformed.");
    if run.len() != count {
        return Err(WRONG);
    }
    std::str::from_utf8(run)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(WRONG)
}

/// Days from 1970-01-01 of a Gregorian date. The usual count from March, so that a leap day is last.
fn civil_days(year: u32, month: u32, day: u32) -> Parsed<i64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    if day == 0 || day > length {
        return Err(ParseError::Syntax("The day is not in the calendar."));
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Ok(era * 146_097 + day_of_era - 719_468)
}

/// `ATOM-CHAR` of RFC 9051 §9.
pub(crate) fn is_atom_char(byte: u8) -> bool {
    (0x21..0x7f).contains(&byte)
        && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']'
}

/// What names of commands, items and keys are made of.
fn is_word_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'=' | b'+' | b'_')
}
