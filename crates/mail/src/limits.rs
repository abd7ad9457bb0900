//! The bounds of this room, each with its reason.
//! A hostile message may cost what its size costs, and no more.

/// Longest local part in octets. RFC 5321 §4.5.3.1.1 promises 64 and asks for no limit; variable
/// return paths (VERP, SRS) pass 64 every day, and refusing them would lose mail.
pub const LOCAL_PART_BYTES_MAX: usize = 255;

/// Longest domain. RFC 5321 §4.5.3.1.2; DNS itself stops at 253.
pub const DOMAIN_BYTES_MAX: usize = 255;

/// Longest label of a domain. RFC 1035 §2.3.4.
pub const LABEL_BYTES_MAX: usize = 63;

/// Longest text given to the address parsers of commands: both parts quoted at their longest, and some.
pub const ADDRESS_BYTES_MAX: usize = 1_024;

/// Deepest nesting of parts that is followed. Deeper ones stay opaque and are noted as a defect.
pub const MIME_DEPTH_MAX: usize = 30;

/// Most parts of one message. Real ones, digests of mailing lists, stay below a few hundred.
pub const MIME_PARTS_MAX: usize = 1_000;

/// Longest boundary that is believed. RFC 2046 §5.1.1 allows 70; some programs write more, but none can fill a line.
pub const BOUNDARY_BYTES_MAX: usize = 998;

/// Most languages read from `Content-Language`.
pub const LANGUAGES_MAX: usize = 64;

/// Most parameters read from one header field (each RFC 2231 piece counts).
pub const PARAMETERS_MAX: usize = 64;

/// Longest text of a header field that goes into ENVELOPE; the rest is cut.
pub const FIELD_VALUE_BYTES_MAX: usize = 64 * 1024;

/// Longest list of addresses in ENVELOPE, written out: some thousands. It is stored for every message and sent to
/// every client, so a hostile header must not make it large.
pub const ENVELOPE_LIST_BYTES_MAX: usize = 512 * 1024;

/// Longest text of a part's own fields (id, description, location and the like); the rest is cut.
pub const PART_FIELD_BYTES_MAX: usize = 4 * 1024;

/// How much of a subject is looked at for threading.
pub const SUBJECT_BYTES_MAX: usize = 16 * 1024;

/// Longest value of one parameter, joined; the rest is cut.
pub const PARAMETER_BYTES_MAX: usize = 16 * 1024;

/// Most addresses read from one header field. A message to 10,000 visible recipients is a mistake.
pub const HEADER_ADDRESSES_MAX: usize = 10_000;

/// Most message-ids kept for threading: the newest ones matter. RFC 5256 §3.
pub const REFERENCES_MAX: usize = 100;

/// Longest message-id kept for threading. RFC 5322 lines end at 998.
pub const MESSAGE_ID_BYTES_MAX: usize = 998;

/// Longest preview in characters. RFC 8970 §3.1.
pub const PREVIEW_CHARS_MAX: usize = 200;

/// How much of a text part is looked at for the preview: enough for a newsletter's style sheet to end.
pub const PREVIEW_SOURCE_BYTES_MAX: usize = 16 * 1024;

/// Most defects remembered of one message.
pub const DEFECTS_MAX: usize = 50;

/// Longest string that is sent quoted; longer ones go as a literal, so that no client's line buffer bursts.
pub const QUOTED_STRING_BYTES_MAX: usize = 1_000;

/// Longest base subject kept for threading, in bytes.
pub const BASE_SUBJECT_BYTES_MAX: usize = 1_000;

/// Longest header line that is written, without its line end. RFC 5322 §2.1.1.
pub const LINE_CHARS_WANTED: usize = 78;

/// Longest line that SMTP carries, without its line end. RFC 5321 §4.5.3.1.6.
pub const LINE_BYTES_MAX: usize = 998;
