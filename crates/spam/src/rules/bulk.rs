//! Mail to many: lists of people who discuss, newsletters, notices. None of it is junk for that.

use super::Case;
use crate::reasons::{Finding, Kind};
use crate::sight::Sight;

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Finding>) {
    if !case.list.is_empty() {
        found.push(Finding::new(Kind::MailingList, [case.list.as_str()]));
    } else if !case.bulk.is_empty() {
        found.push(Finding::new(Kind::Bulk, [case.bulk]));
    }
}

/// By which field a message says that it was sent to many; empty if it does not.
pub(super) fn mark(sight: &Sight) -> &'static str {
    for (name, words) in [
        ("list-unsubscribe", "List-Unsubscribe"),
        ("list-id", "List-Id"),
        ("feedback-id", "Feedback-ID"),
    ] {
        if sight.has_field(name) {
            return words;
        }
    }
    let precedence = sight.field_text("precedence").unwrap_or_default();
    let precedence = precedence.trim().to_ascii_lowercase();
    if matches!(precedence.as_str(), "bulk" | "list" | "junk") {
        "Precedence"
    } else {
        ""
    }
}

/// The list through which people write to one another; empty if it is none. Such a list can be written to.
pub(super) fn list(sight: &Sight) -> String {
    let post = sight.field_text("list-post").unwrap_or_default();
    let is_open = post.to_ascii_lowercase().contains("mailto:")
        || sight.has_field("mailing-list")
        || sight.has_field("x-mailing-list")
        || sight.has_field("x-mailman-version")
        || sight.has_field("x-beenthere");
    if !is_open {
        return String::new();
    }
    let named = [
        "list-id",
        "x-beenthere",
        "x-mailing-list",
        "mailing-list",
        "list-post",
    ];
    let name = named
        .iter()
        .find_map(|name| sight.field_text(name))
        .unwrap_or_default();
    // `Talk about apples <apples.example.org>`
    let inner = name
        .rsplit_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(name.trim(), |(inner, _)| inner).to_owned()
}
