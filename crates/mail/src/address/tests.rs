//! Addresses of commands.
