//! Reading the dates of header fields and of IMAP.
//! Values are cut into words; what each word is shows from its shape.

use super::{UnixMillis, Zoned, days_of, month_of};
use crate::lexer::{Cursor, is_space};

/// More words than any date has.
const WORDS_MAX: usize = 12;

pub(super) fn parse(value: &[u8]) -> Option<Zoned> {
    let (words, count) = words_of(value);
    let mut words = words.get(..count)?;
    if words.first()?.first()?.is_ascii_alphabetic() && month_of(words.first()?).is_none() {
        words = words.get(1..)?; // the weekday, whatever it claims
    }
    let (day, month, year, rest) = date_of(words)?;
    let (second_of_day, rest) = match rest.first() {
        Some(word) if word.contains(&b':') => (time_of(word)?, rest.get(1..)?),
        _ => return None,
    };
    // The zone may stick to the time: "11:28:00+0200".
    let glued = words
        .iter()
        .find(|word| word.contains(&b':'))
        .and_then(|word| {
            let at = word.iter().position(|byte| matches!(byte, b'+' | b'-'))?;
            word.get(at..)
        });
    // And the year may stand last, as in asctime.
    let (year, zone) = match (year, rest) {
        (Some(year), zone) => (year, zone.first().copied()),
        (None, [year, zone @ ..]) if year.first()?.is_ascii_digit() => {
            (year_of(year)?, zone.first().copied())
        }
        (None, [zone, year, ..]) => (year_of(year)?, Some(*zone)),
        (None, _) => return None,
    };
    let offset_mins = glued.or(zone).map_or(0, offset_of);
    zoned(days_of(year, month, day)?, second_of_day, offset_mins)
}

pub(super) fn parse_imap(text: &str) -> Option<Zoned> {
    let mut words = text.trim_start_matches(' ').split(' ');
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let mut pieces = date.split('-');
    let (day, month, year) = (pieces.next()?, pieces.next()?, pieces.next()?);
    if pieces.next().is_some() || year.len() != 4 || month.len() != 3 {
        return None;
    }
    let day = number(day.as_bytes())?;
    let year = i32::try_from(number(year.as_bytes())?).ok()?;
    let days = days_of(year, month_of(month.as_bytes())?, day)?;
    let second_of_day = time_of(time.as_bytes())?;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?.as_bytes();
    let (hours, minutes) = (number(digits.get(..2)?)?, number(digits.get(2..)?)?);
    if digits.len() != 4 || minutes > 59 {
        return None;
    }
    zoned(
        days,
        second_of_day,
        sign * i32::try_from(hours * 60 + minutes).ok()?,
    )
}

fn zoned(days: i64, second_of_day: i64, offset_mins: i32) -> Option<Zoned> {
    let secs = days * 86_400 + second_of_day - i64::from(offset_mins) * 60;
    Some(Zoned {
        at: UnixMillis::from_secs(secs),
        offset_mins,
    })
}

/// Words without comments and commas; at most [`WORDS_MAX`].
fn words_of(value: &[u8]) -> ([&[u8]; WORDS_MAX], usize) {
    let mut words: [&[u8]; WORDS_MAX] = [b""; WORDS_MAX];
    let mut count = 0;
    let mut cursor = Cursor::new(value);
    while count < WORDS_MAX {
        cursor.skip_cfws();
        let word = cursor.take_while(|byte| !is_space(byte) && byte != b',' && byte != b'(');
        if !word.is_empty() {
            if let Some(slot) = words.get_mut(count) {
                *slot = word;
            }
            count += 1;
        } else if !cursor.eat(b',') {
            break;
        }
    }
    (words, count)
}

type Date<'w, 'a> = (u32, u32, Option<i32>, &'w [&'a [u8]]);

/// `21 Nov 2026`, `21-Nov-2026`, `Nov 21` (the year comes later) or `Nov 21 2026`.
fn date_of<'w, 'a>(words: &'w [&'a [u8]]) -> Option<Date<'w, 'a>> {
    let first = *words.first()?;
    if let Some(month) =
        month_of(first).filter(|_| first.iter().all(|b| b.is_ascii_alphabetic() || *b == b'.'))
    {
        let day = number(words.get(1)?)?;
        let third = words.get(2)?;
        return match third.contains(&b':') {
            true => Some((day, month, None, words.get(2..)?)),
            false => Some((day, month, Some(year_of(third)?), words.get(3..)?)),
        };
    }
    if first.contains(&b'-') {
        let mut pieces = first.splitn(3, |&byte| byte == b'-');
        let (day, month, year) = (pieces.next()?, pieces.next()?, pieces.next()?);
        return Some((
            number(day)?,
            month_of(month)?,
            Some(year_of(year)?),
            words.get(1..)?,
        ));
    }
    let day = number(first)?;
    Some((
        day,
        month_of(words.get(1)?)?,
        Some(year_of(words.get(2)?)?),
        words.get(3..)?,
    ))
}

/// Two and three digits are obsolete years. RFC 5322 §4.3.
fn year_of(word: &[u8]) -> Option<i32> {
    let year = i32::try_from(number(word)?).ok()?;
    match word.len() {
        2 if year < 50 => Some(year + 2_000),
        2 | 3 => Some(year + 1_900),
        4 => Some(year),
        _ => None,
    }
}

/// Seconds since midnight of `11:28`, `11:28:00`, `11:28:00.123`, `11:28:00+0200`.
fn time_of(word: &[u8]) -> Option<i64> {
    let end = word
        .iter()
        .position(|byte| matches!(byte, b'.' | b'+' | b'-'))
        .unwrap_or(word.len());
    let mut pieces = word.get(..end)?.split(|&byte| byte == b':');
    let hour = number(pieces.next()?)?;
    let minute = number(pieces.next()?)?;
    let second = match pieces.next() {
        Some(second) => number(second)?,
        None => 0,
    };
    if hour > 23 || minute > 59 || second > 60 || pieces.next().is_some() {
        return None;
    }
    Some(i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second))
}

/// Minutes east of UTC. Unknown zones count as UTC, as RFC 5322 §4.3 asks.
fn offset_of(zone: &[u8]) -> i32 {
    // "+0200", "GMT+2", "+-0500": the sign is what stands before the digits, one or two digits are hours.
    if let Some(first) = zone.iter().position(u8::is_ascii_digit) {
        let before = first.checked_sub(1).and_then(|at| zone.get(at));
        let sign = if before == Some(&b'-') { -1 } else { 1 };
        let digits = zone
            .iter()
            .skip(first)
            .filter(|byte| byte.is_ascii_digit())
            .take(4);
        let (number, count) = digits.fold((0, 0), |(number, count), digit| {
            (number * 10 + i32::from(digit - b'0'), count + 1)
        });
        let (hours, minutes) = if count <= 2 {
            (number, 0)
        } else {
            (number / 100, number % 100)
        };
        return if hours <= 24 && minutes <= 59 {
            sign * (hours * 60 + minutes)
        } else {
            0
        };
    }
    let named: &[(&[u8], i32)] = &[
        (b"EDT", -4),
        (b"EST", -5),
        (b"CDT", -5),
        (b"CST", -6),
        (b"MDT", -6),
        (b"MST", -7),
        (b"PDT", -7),
        (b"PST", -8),
    ];
    named
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(zone))
        .map_or(0, |(_, hours)| hours * 60)
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')),
    )
}
