//! SASL mechanisms, both sides (RFC 4422).
