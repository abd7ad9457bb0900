//! The queue: wakes, picks what is due, has it carried out, writes down what became of it.

mod aftermath;
mod attempt;
mod backoff;
mod classify;
pub(crate) mod connect;
mod courier;
mod finish;
mod idle;
mod job;
mod pacing;
mod reaction;
mod run;
mod schedule;
mod standings;
mod window;

pub(crate) use reaction::{RelayUse, Standing};
pub(crate) use run::run;
pub(crate) use standings::Standings;
