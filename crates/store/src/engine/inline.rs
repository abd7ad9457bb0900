//! The embedded database without threads: the caller does the work, one job after another.

use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::sqlite::{read_on, write_on};
use super::{ReadJob, WriteJob};
use crate::StoreError;
use crate::shared::Shared;

#[derive(Debug)]
pub(crate) struct Inline {
    connection: Mutex<Option<Connection>>,
    shared: Arc<Shared>,
}

impl Inline {
    pub(crate) fn new(connection: Connection, shared: &Arc<Shared>) -> Self {
        Self {
            connection: Mutex::new(Some(connection)),
            shared: Arc::clone(shared),
        }
    }

    pub(crate) fn write(&self, job: Box<dyn WriteJob>) {
        let mut batch = [job];
        let done = match &*self.connection.lock() {
            Some(connection) => write_on(connection, &self.shared, &mut batch),
            None => Err(StoreError::Closed),
        };
        let [job] = batch;
        match done {
            Ok(effects) => {
                self.shared.apply(effects);
                job.answer(Ok(()));
            }
            Err(e) => job.answer(Err(e)),
        }
    }

    pub(crate) fn read(&self, job: Box<dyn ReadJob>) {
        match &*self.connection.lock() {
            Some(connection) => read_on(connection, &self.shared, job),
            None => job.run(Err(StoreError::Closed)),
        }
    }

    pub(crate) fn close(&self) {
        *self.connection.lock() = None;
    }
}
