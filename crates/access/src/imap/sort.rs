//! SORT (RFC 5256), SORT=DISPLAY (RFC 5957), ESORT (RFC 5267): a search whose answer is in order.

use std::cmp::Ordering;

use store::{Columns, StoredRow, UidSet};
use wire::imap::{Direction, Sort, SortCriterion, SortKey};

use super::envelope::{Envelope, Mailbox};
use super::refusal::{Done, Outcome, Refusal};
use super::session::Session;
use crate::limits::MESSAGES_PER_READ;

pub(super) const ENVELOPE: Columns = Columns {
    envelope: true,
    structure: false,
    preview: false,
    body: false,
};

/// What one message is compared by, in the order of the criteria.
struct Keyed {
    uid: store::Uid,
    values: Vec<Value>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i64),
    Text(String),
}

impl Session {
    pub(super) async fn sort(&mut self, sort: Sort) -> Outcome {
        let found = self.find(&sort.key).await?;
        let set: UidSet = found.uids.iter().copied().collect();
        let order = sort.order.clone();
        let mut keyed = self
            .each_found(&set, ENVELOPE, move |row| keyed(row, &order))
            .await?;
        // Equal messages stay in the order of the mailbox (RFC 5256 §3).
        keyed.sort_by(|a, b| compare(a, b, &sort.order).then(a.uid.cmp(&b.uid)));
        let uids: Vec<store::Uid> = keyed.iter().map(|keyed| keyed.uid).collect();
        if sort.want.is_some_and(|want| want.save) {
            self.selected()?.saved = set;
        }
        let numbers = self.numbers(&uids, sort.by)?;
        let modseq = found.modseq(sort.want);
        match sort.want {
            Some(want) => self.write_esearch(want, sort.by, &numbers, modseq),
            None => self.write_numbers("SORT", &numbers, modseq),
        }
        Ok(Done::Plain)
    }

    /// Reads messages in batches and keeps what `of` makes of each.
    pub(super) async fn each_found<T: Send + 'static>(
        &mut self,
        set: &UidSet,
        want: Columns,
        of: impl Fn(&StoredRow<'_>) -> T + Send + Clone + 'static,
    ) -> Result<Vec<T>, Refusal> {
        let selected = self.selected()?;
        let (account, mailbox, numbering) = (
            selected.account,
            selected.mailbox,
            selected.numbering.clone(),
        );
        let mut all = Vec::new();
        for piece in numbering.pieces(set, MESSAGES_PER_READ) {
            let (set, of) = (set.clone(), of.clone());
            let read = move |view: &store::View<'_>| {
                let mut rows = Vec::new();
                for range in &piece {
                    view.each_message(account, mailbox, range.clone(), want, &mut |row| {
                        if set.contains(row.placement.uid) {
                            rows.push(of(row));
                        }
                    })?;
                }
                Ok::<_, store::StoreError>(rows)
            };
            all.extend(self.access.store.read(read).await?);
        }
        Ok(all)
    }
}

fn keyed(stored: &StoredRow<'_>, order: &[SortCriterion]) -> Keyed {
    let envelope = Envelope::read(stored.envelope);
    let local = |mailbox: &Option<Mailbox>| {
        mailbox
            .as_ref()
            .map(|mailbox| String::from_utf8_lossy(&mailbox.local).to_lowercase())
            .unwrap_or_default()
    };
    let values = order
        .iter()
        .map(|criterion| match criterion.key {
            SortKey::Arrival => Value::Number(stored.placement.internal_date.0),
            SortKey::Date => Value::Number(sent_or_arrived(stored)),
            SortKey::Size => {
                Value::Number(i64::try_from(stored.placement.size).unwrap_or(i64::MAX))
            }
            SortKey::Subject => Value::Text(
                mail::thread::base_subject(&envelope.subject)
                    .0
                    .to_lowercase(),
            ),
            SortKey::From => Value::Text(local(&envelope.from)),
            SortKey::To => Value::Text(local(&envelope.to)),
            SortKey::Cc => Value::Text(local(&envelope.cc)),
            SortKey::DisplayFrom => Value::Text(display(&envelope.from)),
            SortKey::DisplayTo => Value::Text(display(&envelope.to)),
        })
        .collect();
    Keyed {
        uid: stored.placement.uid,
        values,
    }
}

/// RFC 5256 §2.2: without a Date that can be read, the internal date.
pub(super) fn sent_or_arrived(stored: &StoredRow<'_>) -> i64 {
    stored.sent.unwrap_or(stored.placement.internal_date).0
}

/// RFC 5957 §3: the name, or else the address.
fn display(mailbox: &Option<Mailbox>) -> String {
    let Some(mailbox) = mailbox else {
        return String::new();
    };
    let name = mail::words::decode(&mailbox.name);
    if name.is_empty() {
        let (local, host) = (
            String::from_utf8_lossy(&mailbox.local),
            String::from_utf8_lossy(&mailbox.host),
        );
        let at = if host.is_empty() { "" } else { "@" };
        return format!("{local}{at}{host}").to_lowercase();
    }
    name.to_lowercase()
}

fn compare(a: &Keyed, b: &Keyed, order: &[SortCriterion]) -> Ordering {
    for ((left, right), criterion) in a.values.iter().zip(&b.values).zip(order) {
        let ordering = match criterion.direction {
            Direction::Up => left.cmp(right),
            Direction::Down => right.cmp(left),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}
