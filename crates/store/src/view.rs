//! What closures get: a snapshot to read, a transaction to change. The verbs are beside what they
//! are about, in `accounts.rs`, `mailboxes.rs`, `messages.rs` and so on.

use std::marker::PhantomData;
use std::ops::Deref;

/// A snapshot: all reads through it see the same moment.
#[derive(Debug)]
pub struct View<'a> {
    life: PhantomData<&'a ()>,
}

/// A transaction. It reads as a [`View`] does and sees its own changes.
#[derive(Debug)]
pub struct Change<'a> {
    view: View<'a>,
}

impl<'a> Deref for Change<'a> {
    type Target = View<'a>;

    fn deref(&self) -> &View<'a> {
        &self.view
    }
}
