//! POP3: the server machine (RFC 1939).
