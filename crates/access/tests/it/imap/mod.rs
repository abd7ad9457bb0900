//! IMAP: each command, several sessions, and scripts from outside.

mod commands;
mod imaptest;
mod james;
mod room;
mod scripts;
mod sessions;
mod speed;
mod tls;
