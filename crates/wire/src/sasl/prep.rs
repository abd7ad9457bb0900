//! Making two ways of typing one password equal. RFC 4013 (SASLprep), with a pragmatic end.
//!
//! A string that SASLprep refuses (unassigned or forbidden characters, mixed directions) is used as
//! it stands: a person whose password has an emoji must be able to log in, and both of our sides do
//! the same. Plain ASCII is never touched.

use std::borrow::Cow;

pub fn prepared(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    stringprep::saslprep(text).unwrap_or(Cow::Borrowed(text))
}
