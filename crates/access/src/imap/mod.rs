//! IMAP sessions: commands carried out on the store.
