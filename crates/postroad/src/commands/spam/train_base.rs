//! `postroad spam train-base`: the base model out of corpora, the same bytes each time. Works without a data directory.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use spam::train::{Example, train};

use super::corpus::{self, Corpus, Groups};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
A corpus is a directory with an index.tsv (columns file, label, group) and a .tar.gz, or one with ham/ and spam/ that \
hold maildirs, mbox files or single messages. The same corpora make the same file, in whatever order. It holds hashes \
and numbers, no text. How good it is: postroad spam eval --train.")]
pub struct Args {
    /// Corpora of wanted and unwanted mail
    #[arg(value_name = "DIR", required = true)]
    corpora: Vec<PathBuf>,
    /// Where to write the model
    #[arg(long, value_name = "FILE", default_value = "spam-base.model")]
    out: PathBuf,
    /// Leave out a corpus, by the last part of its path
    #[arg(long, value_name = "NAME")]
    leave_out: Vec<String>,
}

pub fn run(args: &Args) -> Result<Answer, Failure> {
    let mut corpora = Vec::new();
    for dir in &args.corpora {
        let corpus = corpus::read(dir, Groups::Found)?;
        if !args.leave_out.contains(&corpus.name) {
            corpora.push(corpus);
        }
    }
    // Their order on the command line does not matter.
    corpora.sort_by(|a, b| a.name.cmp(&b.name));
    let examples = examples(&corpora);
    let kinds = |is_spam: bool| examples.iter().any(|example| example.is_spam == is_spam);
    if !kinds(true) || !kinds(false) {
        return Err(Failure::failed("both wanted and unwanted mail is needed"));
    }
    let model = train(&examples).to_bytes();
    fs::write(&args.out, &model)
        .map_err(|error| Failure::failed(format!("{}: {error}", args.out.display())))?;
    let counts: Vec<_> = corpora
        .iter()
        .map(|corpus| {
            let (ham, spam) = corpus.counts();
            json!({ "corpus": corpus.name, "ham": ham, "spam": spam })
        })
        .collect();
    let rows = corpora.iter().map(|corpus| {
        let (ham, spam) = corpus.counts();
        vec![corpus.name.clone(), ham.to_string(), spam.to_string()]
    });
    let rows = rows.collect();
    let value = json!({ "corpora": counts, "bytes": model.len(), "file": args.out });
    Ok(Answer::new(value)
        .table(&["corpus", "wanted", "unwanted"], rows)
        .line(format!("{}: {} bytes", args.out.display(), model.len())))
}

/// All messages of all corpora, twice each: see [`corpus::Mail::examples`].
pub fn examples(corpora: &[Corpus]) -> Vec<Example> {
    let numbered = corpora.iter().enumerate();
    numbered
        .flat_map(|(number, corpus)| {
            corpus
                .mails
                .iter()
                .flat_map(move |mail| mail.examples(number))
        })
        .collect()
}
