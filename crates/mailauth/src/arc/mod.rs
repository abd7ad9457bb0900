//! Authenticated Received Chain (RFC 8617): what earlier hops say they saw, each signed by its hop.
//! Validates chains and adds a link; whether a sealer is believed is the operator's decision.
