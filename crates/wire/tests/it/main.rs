//! The machines seen from outside: conversations as files, tables of tricks, garbage.

#![allow(clippy::print_stdout)]

mod both_sides;
mod chat;
mod garbage;
mod milter;
mod pop3_server;
mod sasl;
mod shared;
mod smtp_client;
mod smtp_door;
mod smtp_james;
mod smtp_server;
mod smuggling;
mod starttls;
