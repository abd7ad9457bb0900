//! `postroad spam eval`: how good the filter is on mail whose kind is known. Works without a data directory.

use std::path::PathBuf;

use crate::output::{Answer, Failure};

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Corpora: an index.tsv with its archive, or ham/ and spam/ with maildirs, mbox files or single messages
    #[arg(value_name = "PATH")]
    corpora: Vec<PathBuf>,
}

pub fn run(args: &Args) -> Result<Answer, Failure> {
    Err(Failure::failed(format!(
        "{} corpora: nothing was measured",
        args.corpora.len()
    )))
}
