//! What it means: the DNS records a domain should have, and later checks and remedies.
