//! What the machine says by itself. What the flow decides, the flow words.

use crate::smtp::{EnhancedCode, Reply};
use crate::stuffing::Fault;

const fn say(code: u16, enhanced: (u8, u16, u16), text: &'static str) -> Reply {
    Reply::fixed(code, EnhancedCode(enhanced.0, enhanced.1, enhanced.2), text)
}

pub(super) const OK: Reply = say(250, (2, 0, 0), "OK");
pub(super) const SENDER_OK: Reply = say(250, (2, 1, 0), "Sender OK");
pub(super) const RECIPIENT_OK: Reply = say(250, (2, 1, 5), "Recipient OK");
pub(super) const LOGGED_IN: Reply = say(235, (2, 7, 0), "Authentication successful");
pub(super) const READY_FOR_TLS: Reply = say(220, (2, 0, 0), "Ready to start TLS");
pub(super) const BYE: Reply = say(221, (2, 0, 0), "Bye");
pub(super) const CANNOT_VERIFY: Reply = say(
    252,
    (2, 5, 2),
    "Cannot verify users, but will take mail and try",
);
pub(super) const NO_LISTS: Reply = say(502, (5, 5, 1), "Lists are not shown here");
pub(super) const HELP: Reply = say(
    214,
    (2, 0, 0),
    "This is Postroad, RFC 5321 and its extensions; see the EHLO answer",
);

pub(super) const EARLY: Reply = say(554, (5, 5, 1), "You spoke before the greeting");
pub(super) const HELLO_FIRST: Reply = say(503, (5, 5, 1), "Say EHLO first");
pub(super) const LOG_IN_FIRST: Reply = say(530, (5, 7, 0), "Authentication is required");
pub(super) const TLS_FIRST: Reply = say(530, (5, 7, 0), "Say STARTTLS and log in first");
pub(super) const NESTED_MAIL: Reply = say(503, (5, 5, 1), "A sender is already given");
pub(super) const MAIL_FIRST: Reply = say(503, (5, 5, 1), "Say MAIL first");
pub(super) const NO_RECIPIENTS: Reply = say(554, (5, 5, 1), "No valid recipients");
pub(super) const IN_CHUNKS: Reply = say(503, (5, 5, 1), "The message is being sent by BDAT");
pub(super) const BINARY_BY_DATA: Reply = say(503, (5, 5, 1), "BINARYMIME goes by BDAT only");
pub(super) const NEEDS_UTF8: Reply = say(
    553,
    (5, 6, 7),
    "This address needs the SMTPUTF8 parameter on MAIL",
);
pub(super) const TOO_BIG: Reply = say(552, (5, 3, 4), "The message is too big");
pub(super) const TOO_MANY_RECIPIENTS: Reply = say(
    452,
    (4, 5, 3),
    "Too many recipients: send the rest in another message",
);
pub(super) const LINE_TOO_LONG: Reply = say(500, (5, 5, 2), "The line is too long");

pub(super) const AUTH_LINE_TOO_LONG: Reply = say(500, (5, 5, 6), "The line is too long");
pub(super) const AUTH_NOT_HERE: Reply = say(
    502,
    (5, 5, 1),
    "Nobody logs in here: use the submission ports 465 and 587",
);
pub(super) const AUTH_NEEDS_TLS: Reply = say(538, (5, 7, 11), "Say STARTTLS first");
pub(super) const AUTH_TWICE: Reply = say(503, (5, 5, 1), "Already authenticated");
pub(super) const AUTH_IN_MAIL: Reply = say(503, (5, 5, 1), "Not during a message");
pub(super) const AUTH_UNKNOWN: Reply = say(504, (5, 5, 4), "This mechanism is not offered");
pub(super) const AUTH_CANCELLED: Reply = say(501, (5, 7, 0), "Authentication cancelled");
pub(super) const AUTH_MALFORMED: Reply =
    say(501, (5, 5, 2), "The response does not fit the mechanism");
pub(super) const AUTH_FAILED: Reply = say(535, (5, 7, 8), "Authentication failed");

pub(super) const TLS_NOT_HERE: Reply = say(502, (5, 5, 1), "STARTTLS is not offered");
pub(super) const TLS_TWICE: Reply = say(503, (5, 5, 1), "TLS is already on");
pub(super) const TLS_INJECTED: Reply = say(
    503,
    (5, 5, 1),
    "Nothing may follow STARTTLS before the handshake",
);

pub(super) const REQUIRETLS_IN_CLEAR: Reply =
    say(530, (5, 7, 10), "REQUIRETLS needs TLS: say STARTTLS first");

pub(super) const TIMED_OUT: Reply = say(421, (4, 4, 2), "Nothing came for too long, closing");
pub(super) const TOO_SLOW: Reply = say(421, (4, 4, 2), "Too slow, closing");
pub(super) const STOPPING: Reply = say(421, (4, 3, 2), "This server is going down, try again soon");
pub(super) const TOO_MANY_ERRORS: Reply = say(421, (4, 7, 0), "Too many errors, closing");
pub(super) const TOO_MANY_COMMANDS: Reply = say(
    421,
    (4, 7, 0),
    "Too many commands without a message, closing",
);
pub(super) const TOO_MANY_MESSAGES: Reply = say(
    421,
    (4, 5, 3),
    "Enough messages for one connection, come again",
);
pub(super) const TOO_MUCH_INPUT: Reply = say(421, (4, 7, 0), "Too much input at once, closing");

/// In a command line.
pub(super) fn bad_line(fault: Fault) -> Reply {
    match fault {
        Fault::BareCr => say(
            500,
            (5, 5, 2),
            "Bare CR in a command: lines must end with CR LF",
        ),
        Fault::BareLf => say(
            500,
            (5, 5, 2),
            "Bare LF in a command: lines must end with CR LF",
        ),
        Fault::Nul => say(500, (5, 5, 2), "NUL in a command"),
    }
}

/// In a body.
pub(super) fn bad_body(fault: Fault) -> Reply {
    match fault {
        Fault::BareCr => say(
            554,
            (5, 6, 0),
            "Bare CR in the message: lines must end with CR LF",
        ),
        Fault::BareLf => say(
            554,
            (5, 6, 0),
            "Bare LF in the message: lines must end with CR LF",
        ),
        Fault::Nul => say(554, (5, 6, 0), "NUL in the message: it must be encoded"),
    }
}
