//! Whether a message came over a mailing list, as far as it says so itself. Anybody can write such
//! fields, so they never let a message in; they only keep it from being refused outright.

use crate::limits;

/// RFC 2919 and RFC 2369 name the first three; the others are older than they. List-Unsubscribe is not
/// among them: every advertisement has it.
const LIST_FIELDS: [&str; 5] = [
    "List-Id",
    "List-Post",
    "List-Archive",
    "Mailing-List",
    "X-Mailing-List",
];

pub(super) fn is_list_like(message: &[u8]) -> bool {
    let fields = mail::header::fields(message).take(limits::FIELDS_LOOKED_AT_MAX);
    fields.into_iter().any(|field| {
        LIST_FIELDS.iter().any(|name| field.is(name))
            || field.is("Precedence") && field.value.trim_ascii().eq_ignore_ascii_case(b"list")
    })
}

#[cfg(test)]
mod tests;
