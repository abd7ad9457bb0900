//! Messages and what rules find in them.
