//! The version of this program, in one place.

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
