//! The outside as others in the house meet it: TLS in all its trust, HTTP, DNSSEC.

mod chain;
mod dane;
mod dnssec;
mod openssl;
mod signed;
mod tls;
mod update;
