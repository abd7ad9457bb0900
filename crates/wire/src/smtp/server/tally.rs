//! Counting what a peer does wrong, and how often. Each call says whether that was once too often.

use crate::limits;

#[derive(Debug, Default)]
pub(super) struct Tally {
    errors: u32,
    unknown: u32,
    auth_failures: u32,
    refused_recipients: u32,
    following: u32,
    /// Since the last message.
    idle: u32,
    messages: u32,
}

impl Tally {
    pub(super) fn error(&mut self) -> bool {
        reached(&mut self.errors, limits::COMMAND_ERRORS_MAX)
    }

    pub(super) fn unknown(&mut self) -> bool {
        reached(&mut self.unknown, limits::UNKNOWN_COMMANDS_MAX) | self.error()
    }

    pub(super) fn auth_failure(&mut self) -> bool {
        reached(&mut self.auth_failures, limits::AUTH_FAILURES_MAX)
    }

    pub(super) fn refused_recipient(&mut self) -> bool {
        reached(&mut self.refused_recipients, limits::REFUSED_RECIPIENTS_MAX)
    }

    /// A refusal that only follows from one before.
    pub(super) fn following(&mut self) -> bool {
        reached(&mut self.following, limits::FOLLOWING_REFUSALS_MAX)
    }

    pub(super) fn idle(&mut self) -> bool {
        reached(&mut self.idle, limits::IDLE_COMMANDS_MAX)
    }

    /// A message was taken: the connection is of use.
    pub(super) fn message(&mut self) {
        self.messages = self.messages.saturating_add(1);
        self.idle = 0;
    }

    pub(super) fn messages(&self) -> u32 {
        self.messages
    }
}

fn reached(count: &mut u32, max: u32) -> bool {
    *count = count.saturating_add(1);
    *count >= max
}
