//! What IMAP and POP3 have in common when somebody logs in.

/// The store's keys in the machine's words.
pub(crate) fn for_machine(keys: store::ScramKeys) -> wire::sasl::ScramKeys {
    let mut pairs = keys.pairs.into_iter();
    let first = pairs.next();
    let others = pairs.map(|pair| wire::sasl::KeyPair {
        stored_key: pair.stored_key,
        server_key: pair.server_key,
    });
    wire::sasl::ScramKeys {
        salt: keys.salt,
        iterations: keys.iterations,
        stored_key: first.as_ref().map_or([0; 32], |pair| pair.stored_key),
        server_key: first.as_ref().map_or([0; 32], |pair| pair.server_key),
        others: others.collect(),
    }
}
