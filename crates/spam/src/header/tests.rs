//! Written and read back.
