//! Phrases that rules look for, all found in one pass over the text.

use std::sync::LazyLock;

use crate::limits;
use crate::phrasebook::Phrasebook;

/// What a phrase belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Letters that promise a fortune. Some of them in one message are no accident.
    Fortune,
    /// What any talk of money has.
    Money,
    /// An order or invoice.
    Payment,
    /// Asks to be called.
    Call,
    /// Threats with something embarrassing.
    Threat,
    /// Asks that a code be scanned.
    Scan,
    /// Coins that cannot be followed.
    Coin,
    /// Brands whose name is on invented invoices.
    Lure,
}

/// In lower case.
const LISTS: &[(List, &[&str])] = &[
    (
        List::Fortune,
        &[
            "next of kin",
            "beneficiary",
            "inheritance",
            "deceased",
            "late husband",
            "late client",
            "late father",
            "barrister",
            "the sum of",
            "million dollars",
            "million united states",
            "million usd",
            "million euros",
            "million pounds",
            "us$",
            "atm card",
            "western union",
            "moneygram",
            "bank draft",
            "diplomat",
            "consignment",
            "fund transfer",
            "transfer of funds",
            "bank transfer",
            "foreign account",
            "your bank account",
            "strictly confidential",
            "utmost confidence",
            "confidentiality",
            "compensation fund",
            "unclaimed",
            "lottery",
            "winning number",
            "lucky winner",
            "donation",
            "humanitarian",
            "charity",
            "god bless",
            "dying",
            "cancer",
            "widow",
            "orphan",
            "sole survivor",
            "percent of the",
            "% of the",
            "business proposal",
            "business proposition",
            "mutual benefit",
            "financial assistance",
            "loan offer",
            "investment proposal",
            "your full name",
            "full names",
            "contact me",
            "reply to this email",
            "private email",
            "telephone number",
            "nigeria",
            "burkina faso",
            "cote d'ivoire",
            "ivory coast",
            "united nations",
            "imf",
            "world bank",
            "federal reserve",
            "central bank",
            "security company",
            "trunk box",
            "gold bars",
            "crude oil",
        ],
    ),
    (
        List::Money,
        &[
            "million",
            "funds",
            "payment",
            "invoice",
            "transfer",
            "bank",
            "loan",
            "investment",
            "donation",
            "compensation",
            "inheritance",
            "gift card",
            "wire",
            "proposal",
            "beneficiary",
            "usd",
            "euros",
            "dollars",
        ],
    ),
    (
        List::Payment,
        &[
            "invoice",
            "subscription",
            "renewal",
            "renewed",
            "renew",
            "charged",
            "auto-debit",
            "auto debit",
            "debited",
            "deducted",
            "order id",
            "order number",
            "order confirmation",
            "transaction id",
            "purchase",
            "payment",
            "refund",
            "cancel",
            "cancellation",
            "billing",
            "amount",
            "total",
        ],
    ),
    (
        List::Call,
        &[
            "call us",
            "call our",
            "please call",
            "contact us at",
            "toll free",
            "toll-free",
            "helpline",
            "help line",
            "help desk",
            "helpdesk",
            "customer care",
            "customer support",
            "support team",
            "billing department",
            "reach us at",
            "contact our",
            "give us a call",
            "call on",
            "call at",
            "call now",
            "call immediately",
            "customer service",
        ],
    ),
    (
        List::Threat,
        &[
            "webcam",
            "recorded you",
            "recording",
            "your device",
            "your password",
            "hacked",
            "infected",
            "malware",
            "trojan",
            "spyware",
            "adult site",
            "adult sites",
            "adult websites",
            "porn",
            "masturbating",
            "masturbation",
            "intimate",
            "compromising",
            "your contacts",
            "all your contacts",
            "48 hours",
            "50 hours",
            "24 hours",
            "friends and family",
            "your browsing",
            "pixel in",
            "do not try to",
            "don't try to",
            "your reputation",
            "embarrassing",
        ],
    ),
    (
        List::Scan,
        &[
            "scan the qr",
            "scan qr",
            "scan this qr",
            "scan the code",
            "scan this code",
            "scan the barcode",
            "using your phone camera",
            "qr code below",
            "qr-code below",
            "qr code above",
            "qr-code scannen",
            "code scannen",
            "scannez le code",
            "scannez le qr",
            "escanee el",
            "escanea el",
            "scansiona il",
        ],
    ),
    (
        List::Coin,
        &[
            "bitcoin",
            "bitcoins",
            "btc",
            "litecoin",
            "ethereum",
            "usdt",
            "bitcoin wallet",
            "btc wallet",
        ],
    ),
    (
        List::Lure,
        &[
            "norton",
            "mcafee",
            "geek squad",
            "paypal",
            "microsoft",
            "windows defender",
            "amazon",
            "best buy",
            "bitcoin",
            "coinbase",
            "avast",
            "lifelock",
            "apple pay",
            "quickbooks",
            "netflix",
        ],
    ),
];

struct Finder {
    phrases: Vec<(List, &'static str)>,
    book: Phrasebook,
}

static FINDER: LazyLock<Finder> = LazyLock::new(|| {
    let phrases: Vec<(List, &'static str)> = LISTS
        .iter()
        .flat_map(|(list, phrases)| phrases.iter().map(move |phrase| (*list, *phrase)))
        .collect();
    let numbered = phrases.iter().map(|(_, phrase)| *phrase).enumerate();
    let book = Phrasebook::of(numbered);
    Finder { phrases, book }
});

/// Which phrases a text holds, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Said(Vec<(List, &'static str)>);

impl Said {
    /// Of a text in lower case.
    pub(super) fn of(text: &str) -> Self {
        // What a letter wants is said at its beginning.
        let text = text
            .get(..text.floor_char_boundary(limits::PHRASES_BYTES_MAX))
            .unwrap_or_default();
        let said = FINDER.book.all(text).into_iter();
        let said = said.filter_map(|number| FINDER.phrases.get(number).copied());
        Self(said.collect())
    }

    pub(super) fn count(&self, list: List) -> usize {
        self.0.iter().filter(|(of, _)| *of == list).count()
    }

    pub(super) fn first(&self, list: List) -> Option<&'static str> {
        self.all(list).next()
    }

    pub(super) fn all(&self, list: List) -> impl Iterator<Item = &'static str> {
        let of_list = self.0.iter().filter(move |(of, _)| *of == list);
        of_list.map(|(_, phrase)| *phrase)
    }
}

#[cfg(test)]
mod tests {
    use super::{LISTS, List, Said};

    #[test]
    fn whole_phrases_are_found() {
        let said = Said::of("the barrister wired us$ 5 by bank transfer; paypal, not paypals");
        assert_eq!(said.count(List::Fortune), 3);
        assert_eq!(said.all(List::Lure).collect::<Vec<_>>(), ["paypal"]);
        assert_eq!(said.first(List::Threat), None);
    }

    #[test]
    fn phrases_are_in_lower_case() {
        for phrase in LISTS.iter().flat_map(|(_, phrases)| *phrases) {
            assert_eq!(*phrase, phrase.to_lowercase());
        }
    }
}
