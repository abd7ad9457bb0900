//! A refusal in words: what the operator reads, and what the author of the message reads.
//! Both short and without jargon; the reply itself stands apart, for whoever wants it.

use serde::Serialize;

use super::class::{Class, Helps, Next};
use super::classified::{Classified, Evidence};
use super::knowledge::Knowledge;
use super::provider::{Case, Filled, fill};
use super::refusal::{Phase, Refusal};

/// For `postroad delivery`, the incident and its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorWords {
    /// One line.
    pub headline: String,
    pub means: String,
    /// Whether waiting helps, and what happens by itself.
    pub waiting: String,
    pub todo: String,
    /// Something to mind, such as a reply that is about an address that is not ours.
    pub notes: Vec<String>,
    pub form: Option<Filled>,
    pub technical: String,
}

/// For the bounce or the delay notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorWords {
    /// Two or three sentences.
    pub text: String,
    /// Whether the author has to do something.
    pub acts: bool,
    pub technical: String,
}

/// What only the caller knows of the delivery.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// Our own addresses, to tell whether the reply is about one of them.
    pub own_addresses: Vec<std::net::IpAddr>,
    /// Whether the message stays in the queue after this refusal.
    pub is_kept: bool,
}

impl Knowledge {
    /// Words for the operator; the form is filled from `case`.
    pub fn for_operator(
        &self,
        classified: &Classified<'_>,
        refusal: &Refusal,
        case: &Case,
        delivery: &Delivery,
    ) -> OperatorWords {
        let reply = refusal.text();
        let form = classified.form.and_then(|id| self.form(id));
        let tag = classified.tags.first().map_or("", String::as_str);
        OperatorWords {
            headline: headline(classified, refusal),
            means: classified.means.to_owned(),
            waiting: waiting(classified, delivery),
            todo: classified.todo.to_owned(),
            notes: notes(classified, delivery),
            form: form.map(|form| form.fill(case, &reply, tag)),
            technical: technical(classified, refusal),
        }
    }
}

/// Words for the author: what happened, and what happens next.
pub fn for_author(
    classified: &Classified<'_>,
    refusal: &Refusal,
    recipient: &str,
    delivery: &Delivery,
) -> AuthorWords {
    let values = [
        ("provider", classified.provider.as_str()),
        ("recipient", recipient),
    ];
    let mut text = fill(classified.author, &values);
    let acts = !delivery.is_kept && must_author_act(classified.class);
    text.push(' ');
    text.push_str(if delivery.is_kept {
        match classified.next {
            Next::Hold => {
                "It is kept and goes out as soon as they take our mail again; you need not send it again."
            }
            _ => "It is tried again by itself for some days; you need not send it again.",
        }
    } else {
        "It was not delivered."
    });
    AuthorWords {
        text,
        acts,
        technical: technical(classified, refusal),
    }
}

/// Whether only the author can bring the message through.
fn must_author_act(class: Class) -> bool {
    match class {
        Class::Content | Class::Full | Class::NoSuchUser | Class::Policy | Class::Protocol => true,
        Class::Reputation
        | Class::Rate
        | Class::Authentication
        | Class::Tls
        | Class::Dns
        | Class::Greylisting
        | Class::Theirs => false,
    }
}

fn headline(classified: &Classified<'_>, refusal: &Refusal) -> String {
    let who = &classified.provider;
    let verb = if refusal.is_temporary() {
        "puts off"
    } else {
        "refuses"
    };
    match classified.class {
        Class::Reputation => format!("{who} {verb} mail from our server: it distrusts our address"),
        Class::Rate => format!("{who} {verb} mail: too much at once"),
        Class::Authentication => format!("{who} {verb} mail: the sender could not be verified"),
        Class::Content => format!("{who} {verb} a message for its content"),
        Class::Full => format!("{who}: the mailbox is full"),
        Class::NoSuchUser => format!("{who}: no such address"),
        Class::Policy => format!("{who} {verb} a message by a rule of its own"),
        Class::Tls => format!("{who} {verb} mail: no acceptable encryption"),
        Class::Dns => format!("{who} {verb} mail: a name of ours is wrong in DNS"),
        Class::Greylisting => format!("{who} puts off a first message"),
        Class::Theirs => format!("{who} has trouble of its own"),
        Class::Protocol => format!("{who} {verb} a message as malformed"),
    }
}

fn waiting(classified: &Classified<'_>, delivery: &Delivery) -> String {
    let helps = match classified.helps {
        Helps::Yes => "Waiting helps.",
        Helps::Perhaps => "Waiting may help.",
        Helps::No => "Waiting does not help.",
    };
    let act = match (classified.next, classified.wait) {
        (Next::Ipv4, _) => "It is tried at once over IPv4.".to_owned(),
        (Next::Bounce, _) => "The message went back to its author.".to_owned(),
        (Next::Hold, _) if !delivery.is_kept => {
            "The message went back to its author; a destination that distrusts us can be paused instead."
                .to_owned()
        }
        (Next::Hold | Next::Retry, Some(wait)) => format!("What happens: {}.", wait.words),
        (Next::Hold | Next::Retry, None) => "The message stays in the queue.".to_owned(),
    };
    format!("{helps} {act}")
}

fn notes(classified: &Classified<'_>, delivery: &Delivery) -> Vec<String> {
    let mut notes = Vec::new();
    let named = &classified.addresses;
    let ours = named
        .iter()
        .any(|address| delivery.own_addresses.contains(address));
    if !named.is_empty() && !ours && !delivery.own_addresses.is_empty() {
        let list: Vec<String> = named.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "The reply names {}, which is not an address of this server: a neighbour, or one of the message's older stations.",
            list.join(" and ")
        ));
    }
    if classified.evidence >= Evidence::WeakText {
        notes.push(
            "The reply says little; this is the best guess. Read the reply itself.".to_owned(),
        );
    }
    if !classified.tags.is_empty() {
        notes.push(format!(
            "Marks in the reply: {}.",
            classified.tags.join(", ")
        ));
    }
    notes
}

fn technical(classified: &Classified<'_>, refusal: &Refusal) -> String {
    let host = if refusal.host.is_empty() {
        "the other server"
    } else {
        &refusal.host
    };
    let place = match refusal.phase {
        Phase::Connect => " when connecting",
        Phase::Helo => " to EHLO",
        Phase::Tls => " when starting TLS",
        Phase::Mail => " to MAIL FROM",
        Phase::Rcpt => " to RCPT TO",
        Phase::Data => " to DATA",
        Phase::End => " after the message",
        Phase::Unknown => "",
    };
    format!(
        "{host} said{place}: {} [{}, {}]",
        refusal.text(),
        classified.class.as_str(),
        classified.rule
    )
}
