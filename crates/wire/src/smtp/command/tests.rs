//! The tests of the command grammar.
