//! LIST, LSUB, NAMESPACE (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154).
//! One query for all mailboxes; the rest is a pure walk over names.

use std::collections::{BTreeMap, BTreeSet};

use store::{Mailbox, SpecialUse, StoreError};
use wire::imap::{Dialect, List, StatusItem, write};

use super::pattern::Pattern;
use super::refusal::{Done, Outcome};
use super::session::Session;
use super::status::{Status, deleted_bytes};

/// All names of an account: mailboxes, levels above them that are none, and subscriptions.
struct Names {
    mailboxes: BTreeMap<String, Mailbox>,
    /// Levels that exist only because something is below them.
    levels: BTreeSet<String>,
    subscribed: BTreeSet<String>,
    deleted_bytes: BTreeMap<i64, u64>,
}

impl Session {
    pub(super) async fn list(&mut self, list: List) -> Outcome {
        // RFC 9051 §6.3.9: an empty pattern asks for the separator alone.
        if !list.extended && list.patterns.iter().all(String::is_empty) {
            self.out
                .extend_from_slice(b"* LIST (\\Noselect) \"/\" \"\"\r\n");
            return Ok(Done::Plain);
        }
        let account = self.account()?;
        let wants_bytes = list.want.status.contains(&StatusItem::DeletedStorage);
        let names = self.names(wants_bytes).await?;
        let patterns: Vec<Pattern> = list
            .patterns
            .iter()
            .map(|pattern| Pattern::new(&list.reference, pattern))
            .collect();
        let dialect = self.dialect();
        let append_bytes_max = self.access.settings.message_bytes_max;
        for name in names.all(list.select.subscribed) {
            if !patterns.iter().any(|pattern| pattern.matches(name)) {
                continue;
            }
            let Some(found) = names.found(name, &list) else {
                continue;
            };
            found.write(&mut self.out, dialect);
            if let (Some(mailbox), false) = (names.mailboxes.get(name), list.want.status.is_empty())
            {
                let deleted_bytes = names
                    .deleted_bytes
                    .get(&mailbox.id.0)
                    .copied()
                    .unwrap_or_default();
                Status {
                    account,
                    mailbox,
                    deleted_bytes,
                    append_bytes_max,
                }
                .write(&mut self.out, &list.want.status, dialect);
            }
        }
        Ok(Done::Plain)
    }

    /// RFC 3501 §6.3.9: subscribed names; a level above one stands for it where `%` stops short.
    pub(super) async fn lsub(&mut self, reference: &str, pattern: &str) -> Outcome {
        if pattern.is_empty() {
            self.out
                .extend_from_slice(b"* LSUB (\\Noselect) \"/\" \"\"\r\n");
            return Ok(Done::Plain);
        }
        let names = self.names(false).await?;
        let matcher = Pattern::new(reference, pattern);
        let dialect = self.dialect();
        let mut above = BTreeSet::new();
        if pattern.contains('%') {
            above = names
                .subscribed
                .iter()
                .flat_map(|name| levels_above(name))
                .map(str::to_owned)
                .collect();
        }
        for name in names
            .subscribed
            .union(&above)
            .filter(|name| matcher.matches(name))
        {
            let attributes: &[u8] = if names.subscribed.contains(name) {
                b""
            } else {
                b"\\Noselect"
            };
            self.out.extend_from_slice(b"* LSUB (");
            self.out.extend_from_slice(attributes);
            self.out.extend_from_slice(b") \"/\" ");
            write::mailbox(&mut self.out, name, dialect);
            self.out.extend_from_slice(b"\r\n");
        }
        Ok(Done::Plain)
    }

    /// RFC 2342: all names are the user's own.
    pub(super) fn namespace(&mut self) -> Done {
        self.out
            .extend_from_slice(b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
        Done::Plain
    }

    async fn names(&mut self, wants_bytes: bool) -> Result<Names, super::refusal::Refusal> {
        let account = self.account()?;
        let (mailboxes, subscriptions, deleted) = self
            .access
            .store
            .read(move |view| {
                let mailboxes = view.mailboxes(account)?;
                let mut bytes = BTreeMap::new();
                if wants_bytes {
                    for mailbox in &mailboxes {
                        bytes.insert(mailbox.id.0, deleted_bytes(view, account, mailbox)?);
                    }
                }
                Ok::<_, StoreError>((mailboxes, view.subscriptions(account)?, bytes))
            })
            .await?;
        let mailboxes: BTreeMap<String, Mailbox> = mailboxes
            .into_iter()
            .map(|mailbox| (mailbox.name.as_str().to_owned(), mailbox))
            .collect();
        let levels = mailboxes
            .keys()
            .flat_map(|name| levels_above(name))
            .filter(|level| !mailboxes.contains_key(*level))
            .map(str::to_owned)
            .collect();
        let subscribed = subscriptions
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect();
        Ok(Names {
            mailboxes,
            levels,
            subscribed,
            deleted_bytes: deleted,
        })
    }
}

/// One line of LIST.
struct Found<'a> {
    name: &'a str,
    attributes: Vec<&'static str>,
    /// CHILDINFO of RFC 5258 §4: something below is subscribed.
    child_subscribed: bool,
}

impl Names {
    fn all(&self, with_subscribed: bool) -> BTreeSet<&str> {
        let mut all: BTreeSet<&str> = self
            .mailboxes
            .keys()
            .chain(&self.levels)
            .map(String::as_str)
            .collect();
        if with_subscribed {
            all.extend(self.subscribed.iter().map(String::as_str));
            all.extend(self.subscribed.iter().flat_map(|name| levels_above(name)));
        }
        all
    }

    /// The line for a name that the patterns match, if the selection wants it.
    fn found<'a>(&self, name: &'a str, list: &List) -> Option<Found<'a>> {
        let mailbox = self.mailboxes.get(name);
        let special_use = mailbox
            .and_then(|mailbox| mailbox.special_use)
            .and_then(attribute);
        let subscribed = self.subscribed.contains(name);
        let child_subscribed = list.select.recursive_match
            && list.select.subscribed
            && is_above_any(name, &self.subscribed);
        let wanted = (!list.select.subscribed || subscribed || child_subscribed)
            && (!list.select.special_use || special_use.is_some());
        if !wanted {
            return None;
        }
        let mut attributes = Vec::new();
        if mailbox.is_none() {
            // \NonExistent says \Noselect too (RFC 5258 §3), but not to older clients.
            attributes.push(if list.extended {
                "\\NonExistent"
            } else {
                "\\Noselect"
            });
        }
        let children = is_above_any_key(name, &self.mailboxes);
        attributes.push(if children {
            "\\HasChildren"
        } else {
            "\\HasNoChildren"
        });
        attributes.extend(special_use);
        if subscribed && (list.want.subscribed || list.select.subscribed) {
            attributes.push("\\Subscribed");
        }
        Some(Found {
            name,
            attributes,
            child_subscribed,
        })
    }
}

impl Found<'_> {
    fn write(&self, out: &mut Vec<u8>, dialect: Dialect) {
        out.extend_from_slice(b"* LIST (");
        for (index, attribute) in self.attributes.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(attribute.as_bytes());
        }
        out.extend_from_slice(b") \"/\" ");
        write::mailbox(out, self.name, dialect);
        if self.child_subscribed {
            out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn attribute(special_use: SpecialUse) -> Option<&'static str> {
    Some(match special_use {
        SpecialUse::Inbox => return None,
        SpecialUse::Drafts => "\\Drafts",
        SpecialUse::Sent => "\\Sent",
        SpecialUse::Junk => "\\Junk",
        SpecialUse::Trash => "\\Trash",
        SpecialUse::Archive => "\\Archive",
    })
}

/// `a`, `a/b` for `a/b/c`.
fn levels_above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices(store::MailboxName::SEPARATOR)
        .filter_map(|(at, _)| name.get(..at))
}

fn is_above_any(name: &str, names: &BTreeSet<String>) -> bool {
    let below = format!("{name}/");
    names
        .range(below.clone()..)
        .next()
        .is_some_and(|next| next.starts_with(&below))
}

fn is_above_any_key(name: &str, names: &BTreeMap<String, Mailbox>) -> bool {
    let below = format!("{name}/");
    names
        .range(below.clone()..)
        .next()
        .is_some_and(|(next, _)| next.starts_with(&below))
}
