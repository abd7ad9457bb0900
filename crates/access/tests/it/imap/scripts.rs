//! Finds the scripts from outside, and keeps the account of which must pass.

// Tests run on the real clock and report what they skip.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::path::{Path, PathBuf};

/// A folder of the shared corpora beside the repository, or where $POSTROAD_SHARED says.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let found = match std::env::var_os("POSTROAD_SHARED") {
        Some(place) => Some(PathBuf::from(place)),
        None => Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|above| above.join("../shared"))
            .find(|place| place.join("corpora").is_dir()),
    };
    let place = found
        .map(|shared| shared.join("corpora").join(folder))
        .filter(|place| place.is_dir());
    if place.is_none() {
        println!("skipped: corpora/{folder}, all scripts");
    }
    place
}

/// Compares what happened with the table of known differences: what is not in it passes, what is in
/// it fails (so that the table stays true).
pub fn settle(results: Vec<(String, Result<(), String>)>, differences: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    let total = results.len();
    let mut passed = 0;
    for (name, result) in results {
        let known = differences
            .iter()
            .find(|(known, _)| covers(known, &name))
            .map(|(_, reason)| *reason);
        match (result, known) {
            (Ok(()), None) => passed += 1,
            (Err(_), Some(reason)) => println!("{name}: differs: {reason}"),
            (Ok(()), Some(reason)) => {
                wrong.push(format!("{name}: passes, but the table says: {reason}"))
            }
            (Err(error), None) => wrong.push(format!("{name}: {error}")),
        }
    }
    println!("{passed} of {total} scripts pass");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A name, or the beginning of names with `*` at its end.
fn covers(known: &str, name: &str) -> bool {
    known
        .strip_suffix('*')
        .map_or(known == name, |start| name.starts_with(start))
}
