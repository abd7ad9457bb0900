//! The tests of SASL.
