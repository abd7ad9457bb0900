//! The one door to disk: accounts, mailboxes, messages, bodies, queue, changes. Knows no network.

pub mod blobs;
