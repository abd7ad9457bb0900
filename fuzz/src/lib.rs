//! One function for each thing that the network can speak to: bytes in, and what must hold then.
//! Knows nothing of the engine: `fuzz_targets/` joins the two.

mod auth;
mod conversation;
mod imap;
mod judging;
mod letters;
mod milter;
mod pop3;
mod reports;
mod sasl;
mod smtp;
mod verdict;

pub use auth::{dkim_verify, spf_check};
pub use imap::{imap_command, imap_server, mailbox_name};
pub use judging::{attachments, spam_features};
pub use letters::{address, date, message};
pub use milter::milter;
pub use pop3::pop3_server;
pub use reports::{report_parse, report_unwrap};
pub use sasl::sasl;
pub use smtp::{smtp_client, smtp_server};
pub use verdict::{arc_chain, auth_results, dmarc_policy};
