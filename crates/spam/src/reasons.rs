//! Why a verdict came out as it did: the kinds of reasons, what each weighs, and its words for people.
//! A weight is a natural logarithm of odds: above nothing it speaks for junk, below for wanted mail.

use serde::{Deserialize, Serialize};

use crate::limits;

/// One line of the table of reasons.
struct Entry {
    kind: Kind,
    /// The name in header fields, weights and JSON.
    id: &'static str,
    nature: Nature,
    /// What it weighs when nothing more is known; where the weight is computed, its bound upwards.
    weight: f32,
    /// `{0}` and `{1}` stand for the details.
    words: &'static str,
}

/// What a reason speaks of, and with how loud a voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// What the text looks like and how the message is built. Never junks the mail of somebody known.
    Soft,
    /// A link of a kind that honest bulk mail has too.
    SoftLink,
    /// A trick that has no honest use, or what others are sure of.
    Hard,
    /// Who sent it.
    Sender,
    /// A lie by what it tells, who tells it and where it leads together. Never junks the mail of somebody known.
    Story,
    /// What a person or the operator said. Nothing else counts beside it.
    Order,
}

macro_rules! kinds {
    ($($kind:ident $id:literal $nature:ident $weight:literal $words:literal;)*) => {
        /// Every reason there is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $(#[serde(rename = $id)] $kind,)*
        }

        const TABLE: &[Entry] = &[
            $(Entry {
                kind: Kind::$kind,
                id: $id,
                nature: Nature::$nature,
                weight: $weight,
                words: $words,
            },)*
        ];
    };
}

kinds! {
    // What the text looks like.
    Content "content" Soft 12.0 "what it says and how it is built";
    TaughtByAccount "taught-by-account" Soft 10.0 "what was learnt from mail that you moved or marked";
    TaughtByServer "taught-by-server" Soft 6.0 "what was learnt from mail that others here moved or marked";

    // What people and the operator ordered.
    Blocked "blocked" Order 20.0 "{0} is on the block list of {1}";
    Allowed "allowed" Order -20.0 "{0} is on the allow list of {1}";
    AllowedUnproven "allowed-unproven" Sender 0.0 "{0} is on the allow list of {1}, but nothing proves that it is them";
    TestString "gtube" Order 20.0 "it holds the test line of spam filters (GTUBE)";

    // Who sent it.
    Authenticated "authenticated" Sender -0.2 "{0} really sent it";
    GenuineBrand "genuine-brand" Sender -1.0 "it really is from {0}";
    Unauthenticated "unauthenticated" Sender 0.4 "nothing proves that {0} sent it";
    AuthenticationFailed "authentication-failed" Sender 1.5 "{0} says that its mail is signed, and this is not";
    OwnForged "own-forged" Hard 2.5 "it claims to come from your own domain {0}, and does not";
    Correspondent "correspondent" Sender -6.0 "you wrote to {0}";
    CorrespondentDomain "correspondent-domain" Sender -2.5 "you wrote to people at {0}";
    Familiar "familiar" Sender -3.0 "wanted mail of {0} came before";
    FamiliarNetwork "familiar-network" Sender -2.0 "mail of {0} always came from this network";
    CorrespondentForged "correspondent-forged" Sender 1.5 "it uses the name of {0}, to whom you wrote, and is not from there";
    AnswersUs "answers-us" Sender -3.0 "it answers a message of yours";
    AddressReputation "address-reputation" Sender 2.5 "what came from {0} before";
    NetworkReputation "network-reputation" Sender 1.5 "what came from the network {0} before";
    DomainReputation "domain-reputation" Sender 2.5 "what came from {0} before";
    AddressListed "address-listed" Sender 3.0 "{0} is listed by {1}";
    DomainListed "domain-listed" Hard 3.5 "{0} is listed by {1}";
    LinkListed "link-listed" Hard 4.0 "it links to {0}, listed by {1}";
    NoReverseName "no-reverse-name" Sender 0.8 "the sending host {0} has no name";
    DynamicReverseName "dynamic-reverse-name" Sender 1.2 "the sending host {0} looks like a private line";
    HelloOurs "hello-ours" Hard 3.0 "the sending host calls itself {0}, which is our name";
    HelloBare "hello-bare" Sender 0.7 "the sending host calls itself {0}, which is no host name";

    // What other programs found.
    OtherFilter "other-filter" Hard 6.0 "{0} says: {1}";
    Virus "virus" Order 20.0 "{0} found {1}";

    // Names that deceive.
    BrandLookalike "brand-lookalike" Hard 3.0 "the sender's domain {0} imitates {1}";
    OwnLookalike "own-lookalike" Hard 3.5 "the sender's domain {0} imitates your own, {1}";
    KnownLookalike "known-lookalike" Hard 3.0 "the sender's domain {0} imitates {1}, with whom you correspond";
    LinkLookalike "link-lookalike" Hard 2.5 "a link leads to {0}, which imitates {1}";
    MixedAlphabets "mixed-alphabets" Hard 2.5 "the name {0} mixes alphabets ({1})";
    NameHoldsAddress "name-holds-address" Soft 0.8 "the sender's name shows {0}, the address is {1}";
    NameClaimsBrand "name-claims-brand" Hard 2.0 "the sender calls itself {0} and writes from {1}";
    NameClaimsOwn "name-claims-own" Hard 2.0 "the sender's name speaks for your domain {0}, the address is {1}";
    NameDisguised "name-disguised" Hard 2.0 "letters that only look alike hide what the sender's name says: {0}";
    SubjectDisguised "subject-disguised" Hard 1.5 "letters that only look alike hide what the subject says: {0}";

    CheapDomain "cheap-domain" Soft 0.8 "the sender's domain {0} ends like those that cost next to nothing";
    UnnamedTenant "unnamed-tenant" Soft 1.0 "it comes from {0}, a trial name at a big service";
    Giveaway "giveaway" Hard 2.0 "it promises a gift of {0}, and comes from {1}";
    FakeAnswer "fake-answer" Soft 0.5 "its subject claims to answer, and it answers nothing";
    SubjectNamesYou "subject-names-you" Soft 0.4 "its subject holds your address";

    // Answers that go elsewhere.
    ReplyElsewhere "reply-elsewhere" Soft 0.5 "it is from {0}, answers go to {1}";
    ReplyFreemail "reply-freemail" Hard 1.5 "it is from {0}, answers go to {1} at a free mail service";
    ReplyMoney "reply-money" Hard 2.0 "it speaks of money, and answers go from {0} to {1}";
    AdvanceFee "advance-fee" Hard 2.0 "it promises money to a stranger ({0})";

    // Links.
    LinkElsewhere "link-elsewhere" SoftLink 0.8 "the link shows {0} but leads to {1}";
    LinkClaimsBrand "link-claims-brand" Hard 2.5 "the link shows {0} but leads to {1}";
    LinkToAddress "link-to-address" Hard 1.8 "a link leads to a bare address, {0}";
    LinkHidesAddress "link-hides-address" Hard 3.0 "a link hides its address by odd writing, {0}";
    LinkHidesHost "link-hides-host" Hard 3.0 "a link pretends to lead to {0} and leads to {1}";
    LinkPunycode "link-punycode" Soft 0.7 "a link leads to {0}, a name of other letters";
    LinkShortened "link-shortened" SoftLink 0.4 "a link hides where it leads ({0})";
    LinkFreeHost "link-free-host" SoftLink 0.3 "a link leads to pages that anybody can set up ({0})";
    LinkRedirect "link-redirect" SoftLink 0.5 "a link uses {0} to lead to {1}";
    LinkNamesYou "link-names-you" Hard 1.8 "a link to {0} carries your address behind a # sign, where only a page to be filled in looks for it";
    LinkData "link-data" Hard 2.5 "a link carries its own page ({0})";
    LinkBlob "link-blob" Hard 2.5 "a link runs a program ({0})";

    // Pages.
    FormInside "form-inside" Soft 0.5 "it holds a form that sends what you type to {0}";
    PasswordForm "password-form" Hard 3.0 "it asks for a password in the message itself";
    ScriptInside "script-inside" Soft 0.4 "its page holds a program";
    HiddenText "hidden-text" Soft 0.7 "it holds text that is not shown";
    SplitWords "split-words" Hard 1.5 "invisible characters cut its words apart";
    DisguisedText "disguised-text" Hard 1.5 "letters of other alphabets stand among its words ({0})";
    PictureOnly "picture-only" Soft 0.8 "it is a picture with hardly a word";
    QrCode "qr-code" Hard 1.5 "it wants a code to be scanned ({0})";
    Callback "callback" Hard 2.5 "it invents a payment and wants {0} to be called";
    Extortion "extortion" Hard 3.0 "it threatens and wants to be paid in {0}";

    // Stories.
    StoryMailbox "story-mailbox" Story 4.5 "it worries you about your mailbox or password ({0}), and {1}";
    StoryDocument "story-document" Story 4.2 "it says that a document or message waits for you ({0}), and {1}";
    StoryParcel "story-parcel" Story 4.5 "it says that a parcel waits for you ({0}), and {1}";
    StoryAccount "story-account" Story 4.5 "it wants an account or a card verified ({0}), and {1}";
    StorySubscription "story-subscription" Story 4.2 "it says that a payment failed or something expires ({0}), and {1}";
    StoryCoins "story-coins" Story 4.5 "it is after a wallet or coins ({0}), and {1}";
    StoryTax "story-tax" Story 4.5 "it speaks of taxes, refunds or fines ({0}), and {1}";
    StorySocial "story-social" Story 4.2 "it threatens or flatters you for a page or profile ({0}), and {1}";
    StoryPrize "story-prize" Story 4.2 "it promises a prize or gift ({0}), and {1}";
    StoryErrand "story-errand" Story 4.2 "it asks a favour that costs money ({0}), and {1}";
    StoryJob "story-job" Story 3.5 "it offers work, a loan or gains to a stranger ({0}), and {1}";

    Pretence "pretence" Story 3.5 "it pretends to be somebody else ({0}), and {1}";

    // Attachments.
    Program "attached-program" Hard 5.0 "{0} is a program";
    Script "attached-script" Hard 4.5 "{0} is a script that runs when opened";
    Shortcut "attached-shortcut" Hard 4.5 "{0} starts a program when opened";
    Macros "attached-macros" Hard 3.0 "{0} is a document that holds a program (macros)";
    RemoteTemplate "attached-remote-template" Hard 3.0 "{0} is a document that fetches its program from {1}";
    LockedArchive "attached-locked-archive" Hard 2.0 "{0} is locked with a password, so that nobody can look inside";
    DiskImage "attached-disk-image" Hard 3.0 "{0} is the image of a disk";
    AttachedPage "attached-page" Soft 0.5 "{0} is a web page sent as a file";
    ScriptedPage "attached-scripted-page" Hard 2.5 "{0} is a page that runs a program when opened";
    SmugglingPage "attached-smuggling-page" Hard 4.0 "{0} is a page that makes a hidden file or form appear";
    DoubleExtension "attached-double-extension" Hard 4.0 "{0} pretends to be something else by its name";
    ReversedName "attached-reversed-name" Hard 4.5 "{0} is written so that its true ending is hidden";
    FalseType "attached-false-type" Hard 1.5 "{0} is not what it is called ({1})";
    ArchiveTooDeep "attached-bomb" Hard 2.0 "{0} is packed so that it cannot be looked into";
    Notebook "attached-notebook" Hard 2.0 "{0} is a notebook that can hold programs";

    // Mail to many.
    Bulk "bulk" Soft 0.0 "it was sent to many ({0})";
    MailingList "mailing-list" Soft 0.0 "it came through the mailing list {0}";
    NoAuthor "no-author" Soft 1.0 "nobody is named as its author";
    SeveralAuthors "several-authors" Hard 1.5 "several authors are named: {0}";
}

impl Kind {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Kind> {
        TABLE.iter().map(|entry| entry.kind)
    }

    /// The name in header fields, weights and JSON.
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    pub fn from_id(id: &str) -> Option<Kind> {
        TABLE
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| entry.kind)
    }

    pub fn nature(self) -> Nature {
        self.entry().nature
    }

    /// What it weighs when nothing more is known; where the weight is computed, its bound.
    pub fn weight(self) -> f32 {
        self.entry().weight
    }

    /// The sentence of this reason.
    pub fn words(self, details: &[String]) -> String {
        let detail = |at: usize| details.get(at).map_or("?", String::as_str);
        self.entry()
            .words
            .replace("{0}", detail(0))
            .replace("{1}", detail(1))
    }

    fn entry(self) -> &'static Entry {
        // One line per kind, in their order: the macro writes both.
        &TABLE[self as usize]
    }
}

/// What a rule found in one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub kind: Kind,
    pub weight: f32,
    pub details: Vec<String>,
}

/// A reason is a finding that was weighed.
pub type Reason = Finding;

impl Finding {
    /// With the weight of the table. Details are made safe to show and bounded.
    pub fn new<D: AsRef<str>>(kind: Kind, details: impl IntoIterator<Item = D>) -> Self {
        Self::weighing(kind, kind.weight(), details)
    }

    pub fn weighing<D: AsRef<str>>(
        kind: Kind,
        weight: f32,
        details: impl IntoIterator<Item = D>,
    ) -> Self {
        let details = details.into_iter().take(limits::DETAILS_MAX);
        Self {
            kind,
            weight,
            details: details.map(|detail| safe(detail.as_ref())).collect(),
        }
    }

    pub fn bare(kind: Kind) -> Self {
        Self::new(kind, [""; 0])
    }

    /// `the link shows paypal.com but leads to evil.example`
    pub fn words(&self) -> String {
        self.kind.words(&self.details)
    }
}

/// Without control characters and marks that turn the direction of text, and cut.
fn safe(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() >= limits::DETAIL_BYTES_MAX {
            out.push('…');
            break;
        }
        out.push(match mail::shown::misleads(c) {
            true => '\u{fffd}',
            false => c,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Finding, Kind, TABLE};

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.kind as usize, at);
            assert_eq!(Kind::from_id(entry.id), Some(entry.kind));
            let json = serde_json::to_string(&entry.kind).unwrap();
            assert_eq!(json, format!("\"{}\"", entry.id));
        }
    }

    #[test]
    fn ids_are_names_that_a_header_can_carry() {
        for kind in Kind::all() {
            let legal = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(kind.id().bytes().all(legal), "{}", kind.id());
        }
    }

    #[test]
    fn words_name_what_was_seen() {
        let finding = Finding::new(Kind::LinkClaimsBrand, ["paypal.com", "evil.example"]);
        let words = "the link shows paypal.com but leads to evil.example";
        assert_eq!(finding.words(), words);
    }

    #[test]
    fn details_cannot_turn_or_flood_the_line() {
        let finding = Finding::new(
            Kind::Program,
            [format!("a\u{202e}\r\n{}", "x".repeat(9_999))],
        );
        let words = finding.words();
        assert!(words.len() < 400, "{}", words.len());
        assert!(!words.contains(['\u{202e}', '\r', '\n']));
    }
}
