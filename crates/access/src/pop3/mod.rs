//! POP3 sessions: one at a time on an INBOX.
