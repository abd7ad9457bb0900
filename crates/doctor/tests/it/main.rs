//! Tests of the room as its users see it.
#![allow(clippy::print_stdout)] // tests say what they skip

mod checks;
mod compare;
mod records;
mod replies;
