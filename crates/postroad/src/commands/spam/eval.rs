//! `postroad spam eval`: how good the filter is on mail whose kind is known. Works without a data directory, asks nobody,
//! and judges as the server does a message of which nothing else is known.

use std::collections::HashMap;
use std::path::PathBuf;

use spam::train::{Example, fold_of, train};
use spam::{
    Count, Envelope, Facts, Features, Model, Sight, Weights, judge, rules, taught_log_odds,
};

use super::corpus::{self, Corpus, Groups, Mail};
use super::train_base::examples;
use crate::output::{Answer, Failure};

mod measure;
mod report;

use measure::Judged;

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
A corpus is a directory with an index.tsv (columns file, label, group) and a .tar.gz, or one with ham/ and spam/ that \
hold maildirs, mbox files or single messages. Rates are told for each corpus, never mixed.\n\n\
With --train models are made of the other folds (or, with --leave-one-out, of the other corpora) and judge what they \
have not seen; messages of one campaign or thread are always on one side. Without it the built-in model judges: of \
corpora that it was made of it knows the answers.")]
pub struct Args {
    /// Corpora of wanted and unwanted mail
    #[arg(value_name = "DIR", required_unless_present_any = ["ham", "spam"])]
    corpora: Vec<PathBuf>,
    /// Wanted mail: a maildir, an mbox file, a message, or a directory of them
    #[arg(long, value_name = "PATH")]
    ham: Vec<PathBuf>,
    /// Unwanted mail
    #[arg(long, value_name = "PATH")]
    spam: Vec<PathBuf>,
    /// Judge each fold with a model made of the others
    #[arg(long, conflicts_with = "model")]
    train: bool,
    /// Into how many folds
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=50))]
    folds: u64,
    /// Judge each corpus with a model made of the others
    #[arg(long, conflicts_with_all = ["model", "train"])]
    leave_one_out: bool,
    /// Use this model instead of the built-in one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Teach these corpora first, as an account would by moving messages
    #[arg(long, value_name = "DIR")]
    teach: Vec<PathBuf>,
    /// Judge without List-*, X-*, Received and Delivered-To: what tells of a mailbox more than of a message
    #[arg(long)]
    strip_headers: bool,
    /// The model alone, without rules
    #[arg(long)]
    model_only: bool,
    /// Show that many of the worst errors of either kind, with reasons
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    worst: usize,
    /// Write a line for each message: path, label, score, probability, junk
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Answer, Failure> {
    let mut corpora = Vec::new();
    let groups = if args.train || args.leave_one_out {
        Groups::Found
    } else {
        Groups::Unknown
    };
    for dir in &args.corpora {
        corpora.push(corpus::read(dir, groups)?);
    }
    if !args.ham.is_empty() || !args.spam.is_empty() {
        corpora.push(corpus::of_kinds(&args.ham, &args.spam, groups)?);
    }
    corpora.sort_by(|a, b| a.name.cmp(&b.name));
    let lessons = Lessons::of(&args.teach)?;
    let way = Way {
        args,
        lessons: &lessons,
    };
    let judged = if args.train {
        way.by_folds(&corpora)
    } else if args.leave_one_out {
        way.by_corpora(&corpora)?
    } else {
        let model = match &args.model {
            Some(path) => read_model(path)?,
            None => Model::built_in().clone(),
        };
        way.warm_up(&model);
        let all = |corpus: &Corpus| {
            corpus
                .mails
                .iter()
                .map(|mail| way.judge(&model, mail))
                .collect()
        };
        corpora.iter().map(all).collect()
    };
    if let Some(path) = &args.scores {
        report::write_scores(path, &corpora, &judged)?;
    }
    Ok(report::answer(args, &corpora, &judged))
}

fn read_model(path: &PathBuf) -> Result<Model, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    Model::from_bytes(&bytes).map_err(|error| failed(&error))
}

/// How messages are judged.
struct Way<'a> {
    args: &'a Args,
    lessons: &'a Lessons,
}

impl Way<'_> {
    /// Has made ready what is made once, so that a run over nothing costs what starting costs.
    fn warm_up(&self, model: &Model) {
        let bytes =
            b"From: A <a@mail.example.com>\nSubject: a\n\nhttps://www.example.org/ gift\n".to_vec();
        let mail = Mail {
            name: String::new(),
            is_spam: false,
            group: 0,
            bytes,
        };
        self.judge(model, &mail);
    }

    /// As the server does, with nothing known of the sender.
    fn judge(&self, model: &Model, mail: &Mail) -> Judged {
        let stripped;
        let bytes = if self.args.strip_headers {
            stripped = corpus::without_traces(&mail.bytes);
            &stripped
        } else {
            &mail.bytes
        };
        let sight = Sight::of(bytes);
        let features = Features::of(&sight);
        let findings = if self.args.model_only {
            Vec::new()
        } else {
            rules(&sight, &Envelope::default())
        };
        let facts = Facts {
            account_taught: self.lessons.opinion(&features),
            ..Facts::default()
        };
        let verdict = judge(
            model.log_odds(&features),
            &findings,
            &facts,
            &Weights::default(),
        );
        let mut reasons = verdict.words();
        if self.args.worst > 0 {
            let strongest = model.strongest(&sight, &features);
            reasons.extend(
                strongest
                    .iter()
                    .take(8)
                    .map(|(words, weight)| format!("  {weight:+.2} {words}")),
            );
        }
        Judged {
            name: mail.name.clone(),
            is_spam: mail.is_spam,
            log_odds: verdict.log_odds,
            probability: verdict.probability,
            is_junk: verdict.is_junk(),
            reasons,
        }
    }

    /// Each message by a model made of the folds that it is not in.
    fn by_folds(&self, corpora: &[Corpus]) -> Vec<Vec<Judged>> {
        let folds = self.args.folds;
        let all = examples(corpora);
        let jobs: Vec<u64> = (0..folds).collect();
        let results = in_parallel(&jobs, |fold| {
            let kept = all
                .iter()
                .filter(|example| fold_of(example.group, folds) != *fold);
            let model = train(&kept.cloned().collect::<Vec<Example>>()).rounded();
            let mut judged = Vec::new();
            for (number, corpus) in corpora.iter().enumerate() {
                for (at, mail) in corpus.mails.iter().enumerate() {
                    if fold_of(mail.group_in(number), folds) == *fold {
                        judged.push(((number, at), self.judge(&model, mail)));
                    }
                }
            }
            judged
        });
        let mut by_place: HashMap<(usize, usize), Judged> = results.into_iter().flatten().collect();
        let place = |number: usize, at: usize, out: &mut Vec<Judged>| {
            out.extend(by_place.remove(&(number, at)));
        };
        collect(corpora, place)
    }

    /// Each corpus by a model made of the others.
    fn by_corpora(&self, corpora: &[Corpus]) -> Result<Vec<Vec<Judged>>, Failure> {
        if corpora.len() < 2 {
            return Err(Failure::failed(
                "two corpora or more are needed to leave one out",
            ));
        }
        let all = examples(corpora);
        let jobs: Vec<usize> = (0..corpora.len()).collect();
        Ok(in_parallel(&jobs, |left_out| {
            let kept = all.iter().filter(|example| example.corpus != *left_out);
            let model = train(&kept.cloned().collect::<Vec<Example>>()).rounded();
            let corpus = corpora.get(*left_out);
            let mails = corpus.into_iter().flat_map(|corpus| &corpus.mails);
            mails.map(|mail| self.judge(&model, mail)).collect()
        }))
    }
}

fn collect(
    corpora: &[Corpus],
    mut place: impl FnMut(usize, usize, &mut Vec<Judged>),
) -> Vec<Vec<Judged>> {
    let of_corpus = |(number, corpus): (usize, &Corpus)| {
        let mut out = Vec::with_capacity(corpus.mails.len());
        (0..corpus.mails.len()).for_each(|at| place(number, at, &mut out));
        out
    };
    corpora.iter().enumerate().map(of_corpus).collect()
}

/// On as many threads as there are processors, the results in order.
fn in_parallel<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let width = jobs.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = jobs
            .chunks(width)
            .map(|jobs| scope.spawn(move || jobs.iter().map(work).collect::<Vec<R>>()))
            .collect();
        let results = running.into_iter().filter_map(|thread| thread.join().ok());
        results.flatten().collect()
    })
}

/// What was taught before judging, in memory.
#[derive(Default)]
struct Lessons {
    totals: Count,
    counts: HashMap<u64, Count>,
}

impl Lessons {
    fn of(dirs: &[PathBuf]) -> Result<Self, Failure> {
        let mut lessons = Self::default();
        for dir in dirs {
            let corpus = corpus::read(dir, Groups::Unknown)?;
            corpus.mails.iter().for_each(|mail| lessons.teach(mail));
        }
        Ok(lessons)
    }

    fn teach(&mut self, mail: &Mail) {
        note(&mut self.totals, mail.is_spam);
        for feature in Features::of(&Sight::of(&mail.bytes)).for_learning() {
            note(self.counts.entry(feature).or_default(), mail.is_spam);
        }
    }

    fn opinion(&self, features: &Features) -> spam::Opinion {
        let count = |feature: u64| {
            (
                feature,
                self.counts.get(&feature).copied().unwrap_or_default(),
            )
        };
        taught_log_odds(self.totals, features.for_learning().into_iter().map(count))
    }
}

fn note(count: &mut Count, is_spam: bool) {
    if is_spam {
        count.spam += 1;
    } else {
        count.ham += 1;
    }
}

#[cfg(test)]
mod tests;
