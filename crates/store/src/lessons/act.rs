//! What people do with a message, and what follows from it for the filter. Pure.

/// What a message is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Junk,
    Wanted,
}

/// Something that somebody did with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Moved or copied into Junk.
    IntoJunk,
    /// Moved or copied from Junk to anywhere but Trash.
    OutOfJunk,
    /// The keywords changed: `$Junk`, `$NotJunk` and the like now say this. Both at once say nothing (RFC 9051 §2.3.2).
    Marked(Option<Class>),
    /// By command; nothing takes back all that was ever said of the message.
    Told(Option<Class>),
}

/// All that was said of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) moved: Option<Class>,
    pub(crate) marked: Option<Class>,
    pub(crate) told: Option<Class>,
}

impl Said {
    /// After one more act. A move takes back the opposite move, and keywords and commands that say the opposite:
    /// another program, which knows no keywords, was used in between.
    pub(crate) fn after(self, act: Act) -> Self {
        match act {
            Act::IntoJunk => self.moved_to(Class::Junk),
            Act::OutOfJunk => self.moved_to(Class::Wanted),
            Act::Marked(marked) => Self { marked, ..self },
            Act::Told(None) => Self::default(),
            Act::Told(told) => Self { told, ..self },
        }
    }

    /// What is to be learnt of it.
    pub(crate) fn due(self) -> Option<Class> {
        self.marked.or(self.told).or(self.moved)
    }

    fn moved_to(self, class: Class) -> Self {
        let agreeing = |said: Option<Class>| said.filter(|said| *said == class);
        Self {
            moved: match self.moved {
                Some(before) if before != class => None,
                _ => Some(class),
            },
            marked: agreeing(self.marked),
            told: agreeing(self.told),
        }
    }
}

impl Class {
    pub(crate) fn code(class: Option<Self>) -> i64 {
        match class {
            None => 0,
            Some(Self::Junk) => 1,
            Some(Self::Wanted) => 2,
        }
    }

    pub(crate) fn of_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Junk),
            2 => Some(Self::Wanted),
            _ => None,
        }
    }

    /// What the keywords of a message say. RFC 9051 §2.3.2
    pub(crate) fn of_keywords<'k>(names: impl Iterator<Item = &'k str>) -> Option<Self> {
        let (mut junk, mut wanted) = (false, false);
        for name in names {
            match Self::of_keyword(name) {
                Some(Self::Junk) => junk = true,
                Some(Self::Wanted) => wanted = true,
                None => {}
            }
        }
        match (junk, wanted) {
            (true, false) => Some(Self::Junk),
            (false, true) => Some(Self::Wanted),
            _ => None,
        }
    }

    /// The registered keywords, and those that Thunderbird, Evolution and others set from before there were any.
    pub(crate) fn of_keyword(name: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(&["$Junk", "Junk"]) {
            Some(Self::Junk)
        } else if is(&["$NotJunk", "NotJunk", "NonJunk"]) {
            Some(Self::Wanted)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Act::{IntoJunk, Marked, OutOfJunk, Told};
    use super::Class::{Junk, Wanted};
    use super::{Act, Class, Said};

    #[track_caller]
    fn check(acts: &[Act], due: Option<Class>) {
        let said = acts
            .iter()
            .fold(Said::default(), |said, act| said.after(*act));
        assert_eq!(said.due(), due, "{acts:?}");
    }

    #[test]
    fn moves() {
        check(&[], None);
        check(&[IntoJunk], Some(Junk));
        check(&[IntoJunk, IntoJunk], Some(Junk));
        check(&[IntoJunk, OutOfJunk], None);
        check(&[OutOfJunk], Some(Wanted));
        check(&[OutOfJunk, IntoJunk], None);
        check(&[OutOfJunk, IntoJunk, OutOfJunk], Some(Wanted));
        check(&[IntoJunk, OutOfJunk, IntoJunk], Some(Junk));
    }

    #[test]
    fn keywords() {
        check(&[Marked(Some(Junk))], Some(Junk));
        check(&[Marked(Some(Junk)), Marked(None)], None);
        check(&[Marked(Some(Junk)), Marked(Some(Wanted))], Some(Wanted));
    }

    #[test]
    fn a_keyword_and_a_move_together_count_once() {
        check(&[Marked(Some(Junk)), IntoJunk], Some(Junk));
        check(&[IntoJunk, Marked(Some(Junk))], Some(Junk));
        // What Thunderbird does when somebody says "not junk", in both orders.
        check(
            &[
                Marked(Some(Junk)),
                IntoJunk,
                Marked(Some(Wanted)),
                OutOfJunk,
            ],
            Some(Wanted),
        );
        check(
            &[IntoJunk, Marked(Some(Junk)), OutOfJunk, Marked(None)],
            None,
        );
    }

    #[test]
    fn a_move_by_a_program_without_keywords_counts_more_than_an_old_keyword() {
        check(&[Marked(Some(Junk)), IntoJunk, OutOfJunk], None);
        check(&[Marked(Some(Junk)), OutOfJunk], Some(Wanted));
        check(&[Marked(Some(Wanted)), IntoJunk], Some(Junk));
    }

    #[test]
    fn commands() {
        check(&[Told(Some(Junk))], Some(Junk));
        check(&[Told(Some(Junk)), OutOfJunk], Some(Wanted));
        check(&[IntoJunk, Marked(Some(Junk)), Told(None)], None);
    }

    #[test]
    fn names_of_keywords() {
        let of = |names: &[&str]| Class::of_keywords(names.iter().copied());
        assert_eq!(of(&["$junk"]), Some(Junk));
        assert_eq!(of(&["NonJunk", "$Forwarded"]), Some(Wanted));
        assert_eq!(of(&["$NotJunk", "Junk"]), None);
        assert_eq!(of(&["JunkRecorded"]), None);
    }
}
