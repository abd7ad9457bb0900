//! What IMAP and POP3 have in common when somebody logs in.

/// The store's keys in the machine's words.
pub(crate) fn for_machine(keys: store::ScramKeys) -> wire::sasl::ScramKeys {
    let pairs = keys.pairs.into_iter().map(|pair| wire::sasl::KeyPair {
        stored_key: pair.stored_key,
        server_key: pair.server_key,
    });
    wire::sasl::ScramKeys::of(keys.salt, keys.iterations, pairs)
}
