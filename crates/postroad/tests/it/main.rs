//! The real program, run as a person or a script runs it: commands, exit status, signals, conversations.

mod commands;
mod config;
mod conversation;
mod privileges;
mod quickstart;
mod refusals;
mod rig;
mod serving;
