//! IMAP: each command, several sessions, and scripts from outside.

mod imaptest;
mod james;
mod laws;
mod mailboxes;
mod messages;
mod room;
mod scripts;
mod searching;
mod sessions;
mod sign_in;
mod tls;
