//! The records that a domain should have, held against what its name servers say: right, missing, wrong (and how), or to be
//! removed; and the edits that would mend it. What others put there stays: one SPF record with their senders in it, their
//! DMARC policy, their CAA. Pure.

mod judge;
mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;

use crate::records::{Action, Kind, RecordWish};

/// What one server said: by name and type the values (as in [`RecordWish::value`]), or why it gave no answer.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Its name or address, as people know it.
    pub server: String,
    pub answers: BTreeMap<(String, Kind), Result<Vec<String>, String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Right,
    /// No server could tell.
    Unknown,
    /// It should go, or nobody knows whose it is.
    Extra,
    Missing,
    Wrong,
}

/// Who decides about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tenure {
    /// Made here, of use to nobody else, and changed here: signing keys, certificate pins, the policy's id. May be kept
    /// without asking.
    Ours,
    /// Shared with what others publish at the name; changed when the operator says so.
    Shared,
    /// Somebody else's; taken away only when the operator says so in as many words.
    Foreign,
}

/// One record and how it stands.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What should be there: for a record that is shared, with what others put into it.
    #[serde(flatten)]
    pub wish: RecordWish,
    pub state: State,
    /// What is there instead, where it is wrong.
    pub found: Vec<String>,
    /// The difference in a sentence; empty where it is right.
    pub difference: String,
    /// The servers that say so, where not all do.
    pub servers: Vec<String>,
    pub tenure: Tenure,
    /// What makes it right.
    #[serde(skip)]
    pub edits: Vec<Edit>,
}

/// One step of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Add {
        name: String,
        kind: Kind,
        ttl: u32,
        value: String,
    },
    Remove {
        name: String,
        kind: Kind,
        value: String,
    },
}

impl Edit {
    pub fn name(&self) -> &str {
        match self {
            Edit::Add { name, .. } | Edit::Remove { name, .. } => name,
        }
    }
}

/// What must be asked to compare these wishes, sorted, each once.
pub fn questions(wishes: &[RecordWish]) -> Vec<(String, Kind)> {
    let mut wanted = BTreeSet::new();
    for wish in wishes {
        wanted.insert((wish.name.clone(), wish.kind));
        if wish.kind == Kind::Cname {
            // An address in its place leads here as well.
            wanted.insert((wish.name.clone(), Kind::A));
            wanted.insert((wish.name.clone(), Kind::Aaaa));
        }
    }
    wanted.into_iter().collect()
}

/// Holds each wish against each server.
pub fn compare(wishes: &[RecordWish], seen: &[Seen]) -> Vec<Row> {
    let facts = Facts::of(wishes);
    let mut rows: Vec<Row> = Vec::new();
    for wish in wishes {
        let judged: Vec<(&str, Verdict)> = seen
            .iter()
            .map(|one| (one.server.as_str(), judge::one(wish, &facts, one)))
            .collect();
        let row = sum_up(wish, judged);
        let is_gone = wish.action == Action::Remove && row.state == State::Right;
        if !is_gone {
            rows.push(row);
        }
    }
    rows.extend(judge::strangers(&facts, seen));
    rows
}

/// Only what is made here and of use to nobody else.
pub fn ours(wishes: &[RecordWish]) -> Vec<RecordWish> {
    let ours = |wish: &&RecordWish| judge::tenure(wish) == Tenure::Ours;
    wishes.iter().filter(ours).cloned().collect()
}

/// Where everything is as it should be; what nobody could tell does not count as right.
pub fn is_right(rows: &[Row]) -> bool {
    rows.iter().all(|row| row.state == State::Right)
}

/// What all wishes together say.
struct Facts<'a> {
    wishes: &'a [RecordWish],
    /// Where the host is found.
    addresses: Vec<IpAddr>,
}

impl<'a> Facts<'a> {
    fn of(wishes: &'a [RecordWish]) -> Self {
        let at = |wish: &RecordWish| matches!(wish.kind, Kind::A | Kind::Aaaa);
        Facts {
            wishes,
            addresses: wishes
                .iter()
                .filter(|wish| at(wish))
                .filter_map(|wish| wish.value.parse().ok())
                .collect(),
        }
    }

    fn at(&self, name: &str, kind: Kind) -> impl Iterator<Item = &'a RecordWish> {
        let name = name.to_owned();
        self.wishes
            .iter()
            .filter(move |wish| wish.name == name && wish.kind == kind)
    }
}

/// What one server's answer means for one wish.
struct Verdict {
    state: State,
    found: Vec<String>,
    difference: String,
    /// What should be there, where that is not the bare wish.
    value: Option<String>,
    /// Stands in the way and goes.
    remove: Vec<(Kind, String)>,
}

impl Verdict {
    fn plain(state: State, difference: impl Into<String>) -> Self {
        Verdict {
            state,
            found: Vec::new(),
            difference: difference.into(),
            value: None,
            remove: Vec::new(),
        }
    }

    fn right() -> Self {
        Self::plain(State::Right, "")
    }

    fn missing() -> Self {
        Self::plain(State::Missing, "There is no such record.")
    }

    /// Something else is there, and stays there.
    fn wrong(found: &[String], difference: impl Into<String>) -> Self {
        Verdict {
            found: found.to_vec(),
            ..Self::plain(State::Wrong, difference)
        }
    }

    /// Something else of this kind is there and must give way.
    fn instead(found: &[String], kind: Kind, difference: impl Into<String>) -> Self {
        Verdict {
            remove: found.iter().map(|value| (kind, value.clone())).collect(),
            ..Self::wrong(found, difference)
        }
    }

    fn with_value(mut self, value: String) -> Self {
        self.value = Some(value);
        self
    }
}

/// The worst that a server says counts; a server that says nothing does not, as long as another does.
fn sum_up(wish: &RecordWish, judged: Vec<(&str, Verdict)>) -> Row {
    let told = judged
        .iter()
        .filter(|(_, verdict)| verdict.state != State::Unknown)
        .count();
    let worst = judged
        .iter()
        .map(|(_, verdict)| verdict.state)
        .filter(|state| *state != State::Unknown)
        .max()
        .unwrap_or(State::Unknown);
    let agreeing = judged.iter().filter(|(_, verdict)| verdict.state == worst);
    let mut servers: Vec<String> = agreeing.map(|(server, _)| (*server).to_owned()).collect();
    if servers.len() == told || worst == State::Right {
        servers.clear();
    }
    let verdict = judged
        .into_iter()
        .map(|(_, verdict)| verdict)
        .find(|verdict| verdict.state == worst)
        .unwrap_or_else(|| Verdict::plain(State::Unknown, "No name server was asked."));
    let mut wanted = wish.clone();
    if let Some(value) = &verdict.value {
        wanted.value.clone_from(value);
    }
    let edits = match (worst, wish.kind) {
        // Reverse names lie in zones of whoever gave the address.
        (State::Right | State::Unknown, _) | (_, Kind::Ptr) => Vec::new(),
        _ => edits(&wanted, verdict.remove),
    };
    Row {
        tenure: judge::tenure(wish),
        wish: wanted,
        state: worst,
        found: verdict.found,
        difference: verdict.difference,
        servers,
        edits,
    }
}

fn edits(wish: &RecordWish, remove: Vec<(Kind, String)>) -> Vec<Edit> {
    let mut edits: Vec<Edit> = remove
        .into_iter()
        .map(|(kind, value)| Edit::Remove {
            name: wish.name.clone(),
            kind,
            value,
        })
        .collect();
    if wish.action == Action::Publish {
        edits.push(Edit::Add {
            name: wish.name.clone(),
            kind: wish.kind,
            ttl: wish.ttl,
            value: wish.value.clone(),
        });
    }
    edits
}
