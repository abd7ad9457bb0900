//! The grammar and the machine as a client sees them.

mod grammar;
mod machine;
mod names;
mod properties;
mod room;
mod starttls;
mod writing;
