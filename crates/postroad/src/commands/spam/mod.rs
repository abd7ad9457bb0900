//! `postroad spam`: what is junk here, why, and who taught it.

pub mod eval;
pub mod test;
pub mod train_base;

use clap::Subcommand;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// How a message would be judged, and why
    Test(test::Args),
    /// Make the base model from corpora of wanted and unwanted mail
    TrainBase(train_base::Args),
    /// Measure the filter on mail whose kind is known
    Eval(Box<eval::Args>),
}
