//! The bounds of every conversation but IMAP's, each with its reason.
//! What an operator may change is in the settings of the machine; these are the rest and the defaults.

use std::time::Duration;

/// One SMTP command with its line end. RFC 5321 §4.5.3.1.4 says 512; SIZE, BODY, SMTPUTF8 and DSN
/// (RFC 3461 §4: ORCPT alone adds 500) together ask for about 1,200, internationalised addresses for
/// a little more.
pub const SMTP_COMMAND_BYTES_MAX: usize = 2_048;

/// One line of a SASL exchange with its line end. RFC 4954 §4 names this number.
pub const AUTH_LINE_BYTES_MAX: usize = 12_288;

/// How much of an over-long line is read and thrown away to stay in step before we give up.
pub const OVERLONG_LINE_BYTES_MAX: usize = 64 * 1024;

/// What a server machine holds of input not yet acted on. A driver that reads only when asked never
/// comes near; one that does not must not be able to fill memory.
pub const INPUT_BYTES_MAX: usize = 1024 * 1024;

/// When so many bytes of replies wait, they are sent before the next command is looked at.
pub const REPLY_BYTES_BATCH: usize = 16 * 1024;

/// Room reserved for a body at once. A declared SIZE is a claim, not a promise.
pub const BODY_BYTES_RESERVE_MAX: usize = 1024 * 1024;

/// A refused body is read on so far beyond the size limit, to give the peer the 552 it can
/// understand, and then the connection is closed.
pub const DRAIN_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Unknown commands in one session before 421. Three are a curious client, more are a web browser.
pub const UNKNOWN_COMMANDS_MAX: u32 = 3;

/// Commands that were wrong in any way before 421.
pub const COMMAND_ERRORS_MAX: u32 = 10;

/// Failed logins in one connection before 421 (RFC 4954 §4 allows it).
pub const AUTH_FAILURES_MAX: u32 = 3;

/// NOOP, RSET, VRFY, HELP, EHLO between two messages. Some clients keep a connection open with NOOP.
pub const IDLE_COMMANDS_MAX: u32 = 100;

/// Refusals that only follow from an earlier one (the rest of a pipelined group whose MAIL was refused,
/// recipients beyond the most we take) before 421. They are no fault of the peer's.
pub const FOLLOWING_REFUSALS_MAX: u32 = 1_000;

/// Refused recipients in one session before 421: a list with old addresses passes, a dictionary does not.
pub const REFUSED_RECIPIENTS_MAX: u32 = 100;

/// A server's patience between commands. RFC 5321 §4.5.3.2.7.
pub const SERVER_COMMAND_PATIENCE: Duration = Duration::from_secs(300);

/// A server's patience inside a body. RFC 5321 §4.5.3.2.5 gives the client three minutes for a block.
pub const SERVER_BODY_PATIENCE: Duration = Duration::from_secs(180);

/// One reply line we read as a client. RFC 5321 §4.5.3.1.5 says 512; real ones with links are longer.
pub const REPLY_LINE_BYTES_MAX: usize = 4_096;

/// Lines of one reply, and their sum, that we read as a client.
pub const REPLY_LINES_MAX: usize = 128;
pub const REPLY_BYTES_MAX: usize = 64 * 1024;

/// Replies a client may hold unread; beyond it the peer talks without being asked.
pub const CLIENT_INPUT_BYTES_MAX: usize = 256 * 1024;

/// Commands in flight as a client: their replies must fit into socket buffers, or both ends wait
/// for each other (RFC 2920 §3.1).
pub const PIPELINE_COMMANDS_MAX: usize = 100;

/// What is kept of a conversation for the queue view.
pub const TRANSCRIPT_BYTES_MAX: usize = 16 * 1024;

/// Body bytes given to the driver at a time.
pub const SEND_BYTES_CHUNK: usize = 64 * 1024;

/// One POP3 command with its line end. RFC 2449 §4 says 255; RFC 6856 and long logins ask for more.
pub const POP3_COMMAND_BYTES_MAX: usize = 1_024;

/// A POP3 server's patience: RFC 1939 §3 asks for at least ten minutes.
pub const POP3_PATIENCE: Duration = Duration::from_secs(600);

/// The same before the login, where a silent peer only holds a place.
pub const POP3_LOGIN_PATIENCE: Duration = Duration::from_secs(120);

/// SCRAM iterations we accept from a server we log in to. Below, the password is cheap to guess
/// (RFC 7677 §4); above, a hostile relay burns our processor.
pub const SCRAM_ITERATIONS_MIN: u32 = 4_096;
pub const SCRAM_ITERATIONS_MAX: u32 = 2_000_000;

/// One packet of a milter. Values of header fields and pieces of bodies come in 64 KB at most in libmilter; filters that
/// negotiate more are not offered it.
pub const MILTER_PACKET_BYTES_MAX: usize = 1024 * 1024;

/// What of a milter's packets may wait: one whole packet, and what one read brings after it.
pub const MILTER_INPUT_BYTES_MAX: usize = MILTER_PACKET_BYTES_MAX + 256 * 1024;

/// A piece of a body that a milter is shown: what libmilter takes (`MILTER_CHUNK_SIZE`).
pub const MILTER_CHUNK_BYTES: usize = 65_535;

/// Longest value of a header field that a milter sets: more than any mail program reads.
pub const MILTER_FIELD_BYTES_MAX: usize = 64 * 1024;

/// Longest value of a header field that a milter is shown: its packets hold no more. What is cut off is shown to nobody, and stays.
pub const MILTER_SHOWN_FIELD_BYTES_MAX: usize = 60 * 1024;

/// Header fields that a milter is shown. Real mail has below 200.
pub const MILTER_SHOWN_FIELDS_MAX: usize = 2_000;

/// Longest reply, reason or list of parameters of a milter.
pub const MILTER_TEXT_BYTES_MAX: usize = 4_096;

/// Longest address of a milter: what an SMTP command holds.
pub const MILTER_ADDRESS_BYTES_MAX: usize = 1_024;

/// Macros that a milter may ask for at one stage, and stages: there are not so many.
pub const MILTER_MACROS_MAX: usize = 100;

/// Changes of one message by one milter, pieces of a new body not counted. A signer makes two, a filter some ten.
pub const MILTER_CHANGES_MAX: usize = 1_000;

/// All changes of one message by one milter together, but for its body.
pub const MILTER_CHANGES_BYTES_MAX: usize = 1024 * 1024;

/// A milter's time for its first answer, for one to a step, and for one to the end of the message, as in Postfix.
pub const MILTER_PATIENCE_AT_FIRST: Duration = Duration::from_secs(30);
pub const MILTER_PATIENCE: Duration = Duration::from_secs(30);
pub const MILTER_PATIENCE_AT_END: Duration = Duration::from_secs(120);

/// Longest answer of clamd: a name of a signature, or an excuse.
pub const CLAMD_ANSWER_BYTES_MAX: usize = 4_096;

/// A piece of a message on its way to clamd.
pub const CLAMD_PIECE_BYTES: usize = 128 * 1024;

/// clamd's time for its answer after the last byte: a large archive takes a minute.
pub const CLAMD_PATIENCE: Duration = Duration::from_secs(120);
