//! The program: command line, config, supervision, wiring.
fn main() {}
