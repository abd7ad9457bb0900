//! Where the shared test data lies. It is not part of the repository: tests that want it say what they
//! skip when it is not there.

use std::path::PathBuf;

/// A folder of the shared corpora, if it is here.
pub fn corpus(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("POSTROAD_SHARED")
        .map(PathBuf::from)
        .or_else(|| {
            let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            here.ancestors()
                .map(|folder| folder.join("../shared"))
                .find(|path| path.is_dir())
        });
    let folder = shared?.join("corpora").join(name);
    if !folder.is_dir() {
        println!("skipped: {} is not here", folder.display());
        return None;
    }
    Some(folder)
}
