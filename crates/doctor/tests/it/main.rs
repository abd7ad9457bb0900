//! Tests of the room as its users see it.
#![allow(clippy::print_stdout)] // tests say what they skip

mod records;
mod replies;
