//! Appends answers to a buffer: tagged and untagged lines, strings, names, flags, dates.
//! Everything goes to a `Vec<u8>` that the caller reuses.

use super::command::{Flag, SpecialUse};
use super::input::Dialect;
use super::mutf7;

/// The three tagged outcomes (RFC 9051 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    No,
    Bad,
}

impl Status {
    fn name(self) -> &'static [u8] {
        match self {
            Status::Ok => b" OK ",
            Status::No => b" NO ",
            Status::Bad => b" BAD ",
        }
    }
}

/// `tag OK text`; the text may open with a response code in brackets.
pub fn tagged(out: &mut Vec<u8>, tag: &str, status: Status, text: &str) {
    out.extend_from_slice(tag.as_bytes());
    out.extend_from_slice(status.name());
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `* text`
pub fn untagged(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"* ");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `* 12 EXISTS` and its kin.
pub fn counted(out: &mut Vec<u8>, count: u32, word: &str) {
    out.extend_from_slice(b"* ");
    number(out, u64::from(count));
    out.push(b' ');
    out.extend_from_slice(word.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Decimal digits, without the machinery of `format!`: rows of FETCH are full of numbers.
pub fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (value % 10) as u8;
        }
        value /= 10;
        if value == 0 || at == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// A string in the shortest legal form: quoted where it can be, else a literal.
pub fn string(out: &mut Vec<u8>, value: &[u8], dialect: Dialect) {
    if value.len() <= 1_000 && value.iter().all(|byte| is_quotable(*byte, dialect)) {
        quoted(out, value);
    } else {
        literal(out, value);
    }
}

/// `{n}` CR LF and the bytes.
pub fn literal(out: &mut Vec<u8>, value: &[u8]) {
    literal_head(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// `{n}` CR LF; the bytes follow from elsewhere.
pub fn literal_head(out: &mut Vec<u8>, size: u64) {
    out.push(b'{');
    number(out, size);
    out.extend_from_slice(b"}\r\n");
}

/// A string, or NIL for nothing.
pub fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>, dialect: Dialect) {
    match value {
        Some(value) => string(out, value, dialect),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// An atom where it can be one, else a string: header names in section answers.
pub fn astring(out: &mut Vec<u8>, value: &str, dialect: Dialect) {
    let is_atom = !value.is_empty() && value.bytes().all(super::input::is_atom_char);
    if is_atom {
        out.extend_from_slice(value.as_bytes());
    } else {
        string(out, value.as_bytes(), dialect);
    }
}

/// A mailbox name, always quoted: modified UTF-7 for IMAP4rev1, UTF-8 otherwise (RFC 9051 §5.1).
pub fn mailbox(out: &mut Vec<u8>, name: &str, dialect: Dialect) {
    match dialect {
        Dialect::Utf8 => string(out, name.as_bytes(), dialect),
        Dialect::Rev1 => {
            let mut encoded = Vec::with_capacity(name.len());
            mutf7::encode(name, &mut encoded);
            string(out, &encoded, dialect);
        }
    }
}

pub fn flag(out: &mut Vec<u8>, flag: &Flag) {
    out.extend_from_slice(match flag {
        Flag::Answered => b"\\Answered",
        Flag::Flagged => b"\\Flagged",
        Flag::Deleted => b"\\Deleted",
        Flag::Seen => b"\\Seen",
        Flag::Draft => b"\\Draft",
        Flag::Keyword(keyword) => keyword.as_bytes(),
    });
}

/// The attribute of RFC 6154 with its backslash.
pub fn special_use(special_use: SpecialUse) -> &'static str {
    match special_use {
        SpecialUse::All => "\\All",
        SpecialUse::Archive => "\\Archive",
        SpecialUse::Drafts => "\\Drafts",
        SpecialUse::Flagged => "\\Flagged",
        SpecialUse::Junk => "\\Junk",
        SpecialUse::Sent => "\\Sent",
        SpecialUse::Trash => "\\Trash",
    }
}

/// `"17-Jul-1996 02:44:25 +0000"` from Unix seconds, in UTC (RFC 9051 `date-time`).
pub fn date_time(out: &mut Vec<u8>, unix_seconds: i64) {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // A year has four digits on the wire.
    let seconds = unix_seconds.clamp(-62_135_596_800, 253_402_300_799);
    let (year, month, day) = civil_date(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .copied()
        .unwrap_or("Jan");
    out.push(b'"');
    padded(out, day, 2, b' ');
    out.push(b'-');
    out.extend_from_slice(month.as_bytes());
    out.push(b'-');
    padded(out, year, 4, b'0');
    out.push(b' ');
    padded(out, of_day / 3_600, 2, b'0');
    out.push(b':');
    padded(out, of_day / 60 % 60, 2, b'0');
    out.push(b':');
    padded(out, of_day % 60, 2, b'0');
    out.extend_from_slice(b" +0000\"");
}

fn padded(out: &mut Vec<u8>, value: i64, width: usize, pad: u8) {
    let mut digits = Vec::with_capacity(4);
    number(&mut digits, value.unsigned_abs());
    out.extend(std::iter::repeat_n(pad, width.saturating_sub(digits.len())));
    out.extend_from_slice(&digits);
}

/// Year, month, day of a day counted from 1970-01-01.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn quoted(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn is_quotable(byte: u8, dialect: Dialect) -> bool {
    match byte {
        0 | b'\r' | b'\n' => false,
        0x80.. => dialect == Dialect::Utf8,
        _ => true,
    }
}
