//! Reports of others: those the world sends, from the shared test data, and what we write ourselves.

mod corpus;
mod hostile;
mod written;
