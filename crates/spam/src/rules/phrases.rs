//! Phrases that rules look for, all found in one pass over the words of a text. The tables are a file of knowledge.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::folded::fold;
use crate::hash;
use crate::phrasebook::stands_alone;

/// What this program was built with.
const BUILT_IN: &str = include_str!("../../../../knowledge/phrases.toml");

/// What a phrase belongs to. See the file for what each list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum List {
    Fortune,
    Money,
    Payment,
    Call,
    Threat,
    Scan,
    Coin,
    Lure,
    Desk,
    Haste,
    Demand,
    Mailbox,
    MailboxWeak,
    Document,
    DocumentWeak,
    Parcel,
    ParcelWeak,
    Account,
    AccountWeak,
    Subscription,
    SubscriptionWeak,
    Coins,
    CoinsWeak,
    Tax,
    TaxWeak,
    Social,
    SocialWeak,
    Prize,
    PrizeWeak,
    Errand,
    Job,
}

/// How many there are.
const LISTS: usize = List::Job as usize + 1;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Knowledge {
    #[serde(default, rename = "date")]
    _date: String,
    lists: BTreeMap<List, Vec<String>>,
}

struct Phrase {
    /// As the file writes it.
    words: String,
    folded: String,
    /// Where its first word begins.
    lead: usize,
    lists: Vec<List>,
}

/// Phrases by their first word, or by their first two.
struct Finder {
    phrases: Vec<Phrase>,
    by_words: HashMap<u64, Vec<u32>>,
    /// A bit for each hash in `by_words`: most words of a text begin no phrase.
    sieve: Vec<u64>,
}

/// A file that cannot be read gives nothing; a test sees to it that it can.
static FINDER: LazyLock<Finder> =
    LazyLock::new(|| Finder::of(toml::from_str(BUILT_IN).unwrap_or_default()));

const SIEVE_BITS: u64 = 1 << 16;

impl Finder {
    fn of(knowledge: Knowledge) -> Self {
        let mut lists: BTreeMap<String, (String, Vec<List>)> = BTreeMap::new();
        for (list, phrases) in knowledge.lists {
            for words in phrases {
                let (_, of) = lists
                    .entry(fold(&words, usize::MAX))
                    .or_insert((words, Vec::new()));
                if !of.contains(&list) {
                    of.push(list);
                }
            }
        }
        let mut finder = Self {
            phrases: Vec::new(),
            by_words: HashMap::new(),
            sieve: vec![0; (SIEVE_BITS / 64) as usize],
        };
        for (folded, (words, lists)) in lists {
            let mut tokens = Tokens::of(&folded);
            let Some((lead, end)) = tokens.next() else {
                continue;
            };
            let mut key = hash::of(&folded.as_bytes()[lead..end]);
            if let Some((start, end)) = tokens.next() {
                key = hash::with(hash::of(&folded.as_bytes()[start..end]), key);
            }
            let (word, bit) = place(key);
            finder.sieve[word] |= bit;
            let at = u32::try_from(finder.phrases.len()).unwrap_or(u32::MAX);
            finder.by_words.entry(key).or_default().push(at);
            finder.phrases.push(Phrase {
                words,
                folded,
                lead,
                lists,
            });
        }
        finder
    }

    /// The phrases that may stand where words with this hash do.
    fn candidates(&self, key: u64) -> &[u32] {
        let (word, bit) = place(key);
        if self.sieve.get(word).is_none_or(|bits| bits & bit == 0) {
            return &[];
        }
        self.by_words.get(&key).map_or(&[], Vec::as_slice)
    }
}

/// Where the bit of a hash is in the sieve.
fn place(key: u64) -> (usize, u64) {
    let bit = key % SIEVE_BITS;
    (
        usize::try_from(bit / 64).unwrap_or_default(),
        1 << (bit % 64),
    )
}

/// The runs of letters and digits of a text: where each begins and ends.
struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Tokens<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        // What is not ASCII after folding is a letter of another alphabet, nearly always.
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
        let start = self.at + bytes.get(self.at..)?.iter().position(is_word)?;
        let len = bytes.get(start..)?.iter().take_while(|byte| is_word(byte));
        self.at = start + len.count();
        Some((start, self.at))
    }
}

/// One phrase that a text holds.
#[derive(Clone, Copy, Debug)]
struct Hit {
    list: List,
    phrase: u32,
    is_in_head: bool,
}

/// Which phrases a text holds, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Said(Vec<Hit>);

impl Said {
    /// Of a folded text whose first `head` bytes are the subject.
    pub(super) fn of(text: &str, head: usize) -> Self {
        let finder = &*FINDER;
        let bytes = text.as_bytes();
        let mut hits: Vec<Hit> = Vec::new();
        let mut seen = vec![0_u64; finder.phrases.len().div_ceil(64)];
        // Of a list no two phrases count for the same words.
        let mut ends = [0_usize; LISTS];
        let mut before: Option<(usize, u64)> = None;
        for (start, end) in Tokens::of(text) {
            let own = hash::of(bytes.get(start..end).unwrap_or_default());
            let pair = before.map(|(from, first)| (from, hash::with(own, first)));
            for (from, key) in pair.into_iter().chain([(start, own)]) {
                for &at in finder.candidates(key) {
                    let Some(phrase) = finder.phrases.get(at as usize) else {
                        continue;
                    };
                    let Some(from) = from.checked_sub(phrase.lead) else {
                        continue;
                    };
                    let (slot, bit) = (at as usize / 64, 1 << (at % 64));
                    let is_new = seen.get(slot).is_some_and(|bits| bits & bit == 0);
                    if !is_new || !stands_at(text, from, &phrase.folded) {
                        continue;
                    }
                    seen[slot] |= bit;
                    for &list in &phrase.lists {
                        let Some(last) = ends.get_mut(list as usize).filter(|last| from >= **last)
                        else {
                            continue;
                        };
                        *last = from + phrase.folded.len();
                        hits.push(Hit {
                            list,
                            phrase: at,
                            is_in_head: from < head,
                        });
                    }
                }
            }
            before = Some((start, own));
        }
        Self(hits)
    }

    pub(super) fn count(&self, list: List) -> usize {
        self.0.iter().filter(|hit| hit.list == list).count()
    }

    /// Those in the subject.
    pub(super) fn count_in_head(&self, list: List) -> usize {
        let hits = self.0.iter().filter(|hit| hit.list == list);
        hits.filter(|hit| hit.is_in_head).count()
    }

    pub(super) fn first(&self, list: List) -> Option<&'static str> {
        self.all(list).next()
    }

    pub(super) fn all(&self, list: List) -> impl Iterator<Item = &'static str> {
        let of_list = self.0.iter().filter(move |hit| hit.list == list);
        of_list.filter_map(|hit| Some(FINDER.phrases.get(hit.phrase as usize)?.words.as_str()))
    }
}

/// Whether a phrase stands there, not as part of a longer word.
fn stands_at(text: &str, at: usize, phrase: &str) -> bool {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.starts_with(phrase.as_bytes()) && stands_alone(text, at, at + phrase.len())
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, FINDER, Knowledge, List, Said};
    use crate::rules::folded::fold;

    fn said(text: &str) -> Said {
        Said::of(&fold(text, usize::MAX), 0)
    }

    #[test]
    fn whole_phrases_are_found() {
        let found = said("the barrister wired us$ 5 by bank transfer; paypal, not paypals");
        assert_eq!(found.count(List::Fortune), 3);
        assert_eq!(found.all(List::Lure).collect::<Vec<_>>(), ["paypal"]);
        assert_eq!(found.first(List::Threat), None);
    }

    #[test]
    fn writing_makes_no_difference() {
        for text in [
            "Ihr Postfach ist\r\n  voll",
            "ihr post\u{200b}fach ist v\u{43e}ll",
            "IHR POSTFACH IST VOLL!",
        ] {
            assert_eq!(said(text).count(List::Mailbox), 1, "{text}");
        }
        assert_eq!(said("contraseña caducará").count(List::Mailbox), 1);
        assert_eq!(said("contrasena caducara").count(List::Mailbox), 1);
    }

    #[test]
    fn the_file_can_be_read() {
        let knowledge: Knowledge = toml::from_str(BUILT_IN).unwrap();
        assert!(knowledge.lists.len() > 20);
        assert!(FINDER.phrases.len() > 1_000);
        for phrase in &FINDER.phrases {
            let found = Said::of(&phrase.folded, 0);
            assert!(!found.0.is_empty(), "{} is never found", phrase.words);
        }
    }
}
