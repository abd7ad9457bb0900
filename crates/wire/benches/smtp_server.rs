//! How fast the server machine takes bodies and commands.
fn main() {}
