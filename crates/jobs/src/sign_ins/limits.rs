//! Bounds of what users are told of log-ins, each with its reason.

use std::time::Duration;

/// How often it is looked who is to be told; what is new wakes the job at once.
pub const PERIOD: Duration = Duration::from_secs(900);

/// Span of time in which a user gets two messages at most: who travels all day is told of the rest in one.
pub const SPAN: Duration = Duration::from_secs(86_400);

/// Log-ins that one message names; of the others it gives the number.
pub const NAMED_MAX: usize = 10;

/// Earlier networks whose names are compared: a provider is known by one or two of them.
pub const FAMILIAR_MAX: usize = 8;

/// For all questions about names together: without an answer the user is told without names.
pub const NAMES_PATIENCE: Duration = Duration::from_secs(10);

/// Letters that are shown of a name that a program or a network chose.
pub const SHOWN_CHARS_MAX: usize = 80;
