//! Messages: headers, addresses, dates, MIME tree, charsets, composing, delivery reports, threads.
//! Pure: no socket, clock, randomness or storage. Commands' addresses are strict, messages are forgiving.

pub mod charset;
pub mod compose;
pub mod date;
pub mod header;
pub mod limits;
pub mod mailboxes;
pub mod parameters;
pub mod search;
pub mod shown;
pub mod structure;
pub mod submission;
pub mod thread;
pub mod transfer;
pub mod words;

mod address;
mod defect;
mod domain;
mod envelope;
mod imap_string;
mod lexer;
mod message;
mod mime;
mod preview;
mod stored;
mod summary;
mod trace;

pub use address::{Address, AddressError, ReversePath};
pub use date::UnixMillis;
pub use defect::Defect;
pub use domain::{Domain, DomainError};
pub use header::{Select, header_fields};
pub use message::Message;
pub use search::Needle;
pub use structure::{Extension, Part, Section, Structure, StructureError};
pub use summary::{Summary, SummaryError};
pub use thread::ThreadKeys;
pub use trace::{TraceId, TraceIdError};
pub use transfer::{Encoding, decode_transfer};
