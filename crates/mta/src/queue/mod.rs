//! The queue: wakes, picks what is due, has it carried out, writes down what became of it.

mod attempt;
mod backoff;
mod classify;
pub(crate) mod connect;
mod courier;
mod finish;
mod idle;
mod job;
mod run;
mod schedule;
mod window;

pub(crate) use run::run;
