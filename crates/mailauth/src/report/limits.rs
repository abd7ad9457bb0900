//! Bounds for reading reports, each with its reason: a report is hostile input like any other message.

/// Parts of a message looked at in search of reports. Reporters send one, some two.
pub(crate) const PARTS_MAX: usize = 40;

/// Reports taken from one message.
pub(crate) const REPORTS_MAX: usize = 20;

/// Wrappings within wrappings: a forwarded message, a zip file in it, a gzip file in that.
pub(crate) const NESTING_MAX: usize = 4;

/// Entries of a zip file. Reporters send one.
pub(crate) const ZIP_ENTRIES_MAX: usize = 20;

/// Bytes all reports of one message may have when unpacked. The largest seen are some 30 MB.
pub(crate) const UNPACKED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How much larger than its packed form a report may be. XML that repeats itself reaches 60; a bomb
/// of zeros has 1,000.
pub(crate) const RATIO_MAX: usize = 200;

/// Unpacked sizes that are fine at any ratio.
pub(crate) const RATIO_FREE_BYTES: usize = 1024 * 1024;

/// Rows kept of one report. A large sender has some ten thousand sources a day.
pub(crate) const ROWS_MAX: usize = 50_000;

/// Deepest XML element we go into; the format needs 6.
pub(crate) const XML_DEPTH_MAX: usize = 32;

/// Longest text of one element. The longest meant to be there are words for people.
pub(crate) const TEXT_BYTES_MAX: usize = 2_000;

/// Signatures of one row: RFC 9990 §3.1.3 names 100.
pub(crate) const SIGNATURES_MAX: usize = 100;

/// Reasons of one row, SPF results of one row, error texts of one report, policies, MX patterns.
pub(crate) const FEW_MAX: usize = 100;

/// Kinds of failure in one TLS report.
pub(crate) const TLS_FAILURES_MAX: usize = 5_000;

/// Bytes kept of the header of a message that a failure report is about.
pub(crate) const ORIGINAL_HEADER_BYTES_MAX: usize = 16 * 1024;
