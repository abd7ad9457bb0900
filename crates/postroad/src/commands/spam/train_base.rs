//! `postroad spam train-base`: the base model out of corpora, the same bytes each time. Works without a data directory.

use std::path::PathBuf;

use crate::output::{Answer, Failure};

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Corpora: an index.tsv with its archive, or ham/ and spam/ with maildirs, mbox files or single messages
    #[arg(value_name = "DIR", required = true)]
    corpora: Vec<PathBuf>,
    /// Where to write the model
    #[arg(long, value_name = "FILE", default_value = "spam-base.model")]
    out: PathBuf,
    /// A corpus that is not used, by the last part of its path
    #[arg(long, value_name = "NAME")]
    leave_out: Vec<String>,
}

pub fn run(args: &Args) -> Result<Answer, Failure> {
    Err(Failure::failed(format!(
        "{}: no corpus was read",
        args.out.display()
    )))
}
