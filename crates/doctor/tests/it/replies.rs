//! Refusals: rules, words, bounce messages, and how well real ones are understood.
mod accuracy;
mod bounce;
mod corpus;
mod explain;
mod hostile;
mod incident;
mod knowledge;
mod labels;
mod pace;
mod table;
mod wild;
