//! What looks like list mail.

use super::*;

#[test]
fn list_fields_are_seen_in_the_header_only() {
    for list in [
        "List-Id: <talk.example.org>\r\n\r\n",
        "From: a@b.c\r\nLIST-POST: <mailto:talk@example.org>\r\n\r\n",
        "Precedence:  LIST\r\n\r\n",
        "Mailing-List: contact talk-help@example.org\r\n\r\n",
    ] {
        assert!(is_list_like(list.as_bytes()), "{list}");
    }
    for other in [
        "",
        "From: a@b.c\r\n\r\nList-Id: <x>\r\n",
        "List-Unsubscribe: <https://example.org/>\r\n\r\n",
        "Precedence: bulk\r\n\r\n",
    ] {
        assert!(!is_list_like(other.as_bytes()), "{other}");
    }
}
