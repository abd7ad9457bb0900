//! IMAP4rev2 and IMAP4rev1: commands, replies, the server machine (RFC 9051, RFC 3501).
