//! Fetching key records: each name once, all names at the same time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use world::{Dns, Kind};

use super::limits::{KEY_RECORDS_MAX, KEYS_KNOWN_MAX};
use super::public_key::KeyRecord;
use super::verdict::KeyProblem;
use crate::explain::{Notes, printable};

/// What the DNS says about one key name.
#[derive(Debug)]
pub(crate) enum Found {
    Records(Vec<Arc<Record>>),
    /// No such name, or no text there: a permanent error (RFC 6376 §6.1.2).
    Nothing,
    /// Nobody knows at this moment.
    Trouble(String),
}

#[derive(Debug)]
pub(crate) struct Record {
    /// For people.
    pub text: String,
    pub key: Result<KeyRecord, KeyProblem>,
}

pub(crate) type Keys = BTreeMap<String, Found>;

/// The name of a key record (RFC 6376 §3.6.2.1).
pub(crate) fn key_name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

pub(crate) async fn fetch(dns: &dyn Dns, names: Vec<String>, notes: &mut Notes) -> Keys {
    let mut keys: Keys = names
        .into_iter()
        .map(|name| (name, Found::Nothing))
        .collect();
    let answers = join_all(keys.keys().map(|name| dns.ask(name, Kind::Txt))).await;
    for ((name, found), answer) in keys.iter_mut().zip(answers) {
        notes.asked("the key record", name, Kind::Txt, &answer);
        *found = match answer {
            Ok(answer) => {
                let texts = answer.texts().take(KEY_RECORDS_MAX);
                let records: Vec<_> = texts.map(read).collect();
                match records.is_empty() {
                    true => Found::Nothing,
                    false => Found::Records(records),
                }
            }
            Err(error) => Found::Trouble(error.to_string()),
        };
    }
    keys
}

/// Records that were read before. To read a key costs a fifth of a signature check, and most mail comes
/// from few domains. What a text means never changes, so that nothing here can be out of date.
static KNOWN: Mutex<BTreeMap<Vec<u8>, Arc<Record>>> = Mutex::new(BTreeMap::new());

fn read(text: Vec<u8>) -> Arc<Record> {
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(record) = known().get(&text) {
        return Arc::clone(record);
    }
    let record = Arc::new(Record {
        text: printable(&text),
        key: KeyRecord::parse(&text),
    });
    if record.key.is_ok() {
        let mut known = known();
        if KEYS_KNOWN_MAX <= known.len() {
            known.clear();
        }
        known.insert(text, Arc::clone(&record));
    }
    record
}
