//! What the command prints, over a table for a DNS.
