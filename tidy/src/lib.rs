//! The house rules as tests; see `tests/house.rs`. There is nothing to call here.
