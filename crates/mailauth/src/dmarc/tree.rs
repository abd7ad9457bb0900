//! The DNS tree walk (RFC 9989 §4.10): which names are asked, and which of them is the top of the
//! organisation. Pure: the records are brought by `discovery.rs`.
