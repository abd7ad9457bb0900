//! IMAP: each command, several sessions, and scripts from outside.

mod commands;
mod james;
mod imaptest;
mod sessions;
mod scripts;
