//! After the login: numbers, sizes, ids and marks are the machine's; bodies and removal the flow's.
//! RFC 1939 §5 and §6.

use super::{Event, Server, State};
use crate::pop3::command::Command;
use crate::pop3::maildrop::Marked;

impl Server {
    pub(super) fn transaction(&mut self, mut marked: Marked, command: Command) {
        match command {
            Command::Stat => {
                let (count, octets) = marked.totals();
                self.ok(&format!("{count} {octets}"));
            }
            Command::List(None) => {
                let (count, octets) = marked.totals();
                self.ok(&format!("{count} messages, {octets} octets"));
                self.list(
                    marked
                        .iter()
                        .map(|(number, entry)| format!("{number} {}", entry.octets)),
                );
            }
            Command::List(Some(number)) => match marked.get(number) {
                Some((_, entry)) => self.ok(&format!("{number} {}", entry.octets)),
                None => self.no_such_message(),
            },
            Command::Uidl(None) => {
                self.ok("Unique ids follow");
                self.list(
                    marked
                        .iter()
                        .map(|(number, entry)| format!("{number} {}", marked.unique_id(entry))),
                );
            }
            Command::Uidl(Some(number)) => match marked.get(number) {
                Some((_, entry)) => self.ok(&format!("{number} {}", marked.unique_id(entry))),
                None => self.no_such_message(),
            },
            Command::Retr(number) => return self.retrieve(marked, number, None),
            Command::Top { number, lines } => return self.retrieve(marked, number, Some(lines)),
            Command::Dele(number) => match marked.get(number) {
                Some((index, _)) => {
                    marked.mark(index);
                    self.ok("Marked for removal");
                }
                None => self.no_such_message(),
            },
            Command::Rset => {
                marked.unmark_all();
                self.ok("Nothing is marked");
            }
            Command::Noop => self.ok(""),
            Command::Capa => {
                self.state = State::Transaction(marked);
                return self.capa();
            }
            Command::Quit => {
                self.pending = Some(Event::Update {
                    delete: marked.marked(),
                });
                self.state = State::AskedUpdate;
                return;
            }
            Command::User(_)
            | Command::Pass(_)
            | Command::Auth { .. }
            | Command::Stls
            | Command::Utf8 => {
                self.state = State::Transaction(marked);
                return self.error("Only before the login");
            }
        }
        self.state = State::Transaction(marked);
    }

    fn retrieve(&mut self, marked: Marked, number: u32, lines: Option<u64>) {
        match marked.get(number) {
            Some((index, entry)) => {
                self.state = State::AskedMessage(marked, lines, entry.octets);
                self.pending = Some(Event::Retrieve { index, lines });
            }
            None => {
                self.state = State::Transaction(marked);
                self.no_such_message();
            }
        }
    }

    /// Clients probe: this is no error that counts.
    fn no_such_message(&mut self) {
        self.err("No such message");
    }
}
