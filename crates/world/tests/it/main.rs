//! The outside as others in the house meet it: TLS in all its trust, HTTP, DNSSEC.

// Peers of the tests are outside: they need real sockets and real time.
#![allow(clippy::disallowed_methods)]

mod chain;
mod dane;
mod dnssec;
mod openssl;
mod signed;
mod tls;
mod update;
