//! SMTP: commands, replies, the server and client machines (RFC 5321).
