//! The figures on paper: a table over corpora, then what is wrong in each.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::measure::{Figures, Judged, PRICES, worst};
use super::{Args, Corpus};
use crate::output::{Answer, Failure};

pub(super) fn answer(args: &Args, corpora: &[Corpus], judged: &[Vec<Judged>]) -> Answer {
    let figures: Vec<Figures> = judged.iter().map(|judged| Figures::of(judged)).collect();
    let values: Vec<Value> = corpora
        .iter()
        .zip(judged)
        .zip(&figures)
        .map(|((corpus, judged), figures)| value(args, corpus, judged, figures))
        .collect();
    let mut answer = Answer::new(json!({ "by": way(args), "corpora": values }));
    answer = answer.line(format!("Judged by {}.", way(args)));
    let rows = corpora
        .iter()
        .zip(&figures)
        .map(|(corpus, figures)| row(corpus, figures));
    answer = answer.table(
        &[
            "corpus",
            "ham",
            "spam",
            "caught",
            "lost",
            "lost of 10,000",
            "area",
            "caught at 0",
            "0.1 %",
            "0.5 %",
            "1 %",
            "2 % lost",
        ],
        rows.collect(),
    );
    for ((corpus, judged), figures) in corpora.iter().zip(judged).zip(&figures) {
        answer = details(answer, args, corpus, judged, figures);
    }
    answer
}

fn way(args: &Args) -> String {
    let model = if args.train {
        format!(
            "models of the other {} folds of {}",
            args.folds - 1,
            args.folds
        )
    } else if args.leave_one_out {
        "models of the other corpora".to_owned()
    } else {
        match &args.model {
            Some(path) => format!("the model {}", path.display()),
            None => "the built-in model".to_owned(),
        }
    };
    let rules = if args.model_only {
        " alone"
    } else {
        " and rules"
    };
    let header = if args.strip_headers {
        ", without List-*, X-*, Received, Delivered-To"
    } else {
        ""
    };
    let taught = if args.teach.is_empty() {
        ""
    } else {
        ", after lessons"
    };
    format!("{model}{rules}{header}{taught}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn row(corpus: &Corpus, figures: &Figures) -> Vec<String> {
    let mut row = vec![
        corpus.name.clone(),
        figures.ham.to_string(),
        figures.spam.to_string(),
        percent(figures.caught_share()),
        figures.lost.to_string(),
        format!("{:.0}", figures.lost_of_10_000()),
        format!("{:.4}", figures.area),
    ];
    row.extend(figures.caught_at.iter().map(|share| percent(*share)));
    row
}

fn value(args: &Args, corpus: &Corpus, judged: &[Judged], figures: &Figures) -> Value {
    let at = PRICES.iter().zip(&figures.caught_at);
    let at = at.map(|(price, share)| json!({ "lost": price, "caught": share }));
    let bins = figures.calibration.iter().map(|bin| {
        json!({ "from": bin.from, "to": bin.to, "messages": bin.messages, "spam": bin.spam, "said": bin.said })
    });
    let wrong = |is_spam: bool| -> Vec<Value> {
        let wrong = worst(judged, is_spam, args.worst).into_iter();
        wrong
            .map(
                |one| json!({ "message": one.name, "score": one.log_odds, "reasons": one.reasons }),
            )
            .collect()
    };
    json!({
        "corpus": corpus.name,
        "ham": figures.ham,
        "spam": figures.spam,
        "confusion": {
            "ham_kept": figures.ham - figures.lost,
            "ham_lost": figures.lost,
            "spam_caught": figures.caught,
            "spam_missed": figures.spam - figures.caught,
        },
        "caught": figures.caught_share(),
        "lost_of_10000": figures.lost_of_10_000(),
        "area": figures.area,
        "caught_at": at.collect::<Vec<_>>(),
        "calibration": bins.collect::<Vec<_>>(),
        "worst_lost": wrong(false),
        "worst_missed": wrong(true),
    })
}

fn details(
    mut answer: Answer,
    args: &Args,
    corpus: &Corpus,
    judged: &[Judged],
    figures: &Figures,
) -> Answer {
    let mut line = format!("{}: said and true:", corpus.name);
    for bin in &figures.calibration {
        let is = bin.spam as f64 / bin.messages.max(1) as f64;
        let _ = write!(
            line,
            " {}→{} ({})",
            percent(bin.said),
            percent(is),
            bin.messages
        );
    }
    answer = answer.line(line);
    for (is_spam, title) in [
        (false, "Wanted, but called junk"),
        (true, "Unwanted, but kept"),
    ] {
        let wrong = worst(judged, is_spam, args.worst);
        if !wrong.is_empty() {
            answer = answer
                .line(String::new())
                .line(format!("{title} ({}):", corpus.name));
        }
        for one in wrong {
            answer = answer.line(format!("{:+.1}  {}", one.log_odds, one.name));
            for reason in &one.reasons {
                answer = answer.line(format!("      {reason}"));
            }
        }
    }
    answer
}

/// A line for each message, for other programs.
pub(super) fn write_scores(
    path: &Path,
    corpora: &[Corpus],
    judged: &[Vec<Judged>],
) -> Result<(), Failure> {
    let mut text = String::from("corpus\tpath\tlabel\tlog_odds\tprobability\tjunk\n");
    for (corpus, judged) in corpora.iter().zip(judged) {
        for one in judged {
            let label = if one.is_spam { "spam" } else { "ham" };
            let _ = writeln!(
                text,
                "{}\t{}\t{label}\t{:.4}\t{:.6}\t{}",
                corpus.name,
                one.name,
                one.log_odds,
                one.probability,
                u8::from(one.is_junk)
            );
        }
    }
    std::fs::write(path, text)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}
