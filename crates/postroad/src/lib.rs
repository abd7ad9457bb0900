//! The program's parts: config, server wiring, commands. `main.rs` only calls them.
