//! Which combinations end where.
