//! Tables: what is counted against which level, which step follows, what is alike.

use mail::UnixMillis;
use store::sending::{Counts, Habits, SendingFacts, SendingLimits, SendingState, Sketch};

use super::ladder::{Step, decide, decide_outcome};
use super::limits;
use super::signals::{Allowed, Level, Message, Place, Signal, measures};
use super::sketch::Look;

/// What was counted before, and the message in hand, of a situation.
#[derive(Clone, Default)]
struct Case {
    facts: SendingFacts,
    place: Place,
    message: Message,
}

impl Case {
    /// So many new recipients of late, in so many messages, all within the hour.
    fn new_people(hour: u64) -> Self {
        let mut case = Self::default();
        case.facts.hour.first_time = hour;
        case.facts.hour.recipients = hour;
        case.facts.day = case.facts.hour;
        case.writing(1, 1)
    }

    fn writing(mut self, recipients: u64, first_time: u64) -> Self {
        self.message = Message {
            counts: Counts {
                messages: 1,
                recipients,
                first_time,
                ..Counts::default()
            },
            to_new: first_time > 0,
            alike: 0,
        };
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn at_home(self) -> Self {
        self.with(|case| case.place.is_home = true)
    }

    fn step(&self) -> Step {
        let measures = measures(&self.facts, &self.place, &self.message);
        decide(self.facts.state, &self.message, &measures).step
    }
}

fn asking(case: &mut Case) {
    case.facts.state = SendingState::Asking {
        since: UnixMillis(0),
    };
}

#[test]
fn the_ladder() {
    let known = |recipients: u64| Case::default().writing(recipients, 0);
    let spam_like = |case: &mut Case| case.facts.verdicts = 0b11111;
    let strange = |case: &mut Case| case.place.is_new = true;
    let table: Vec<(&str, Case, Step)> = vec![
        ("a letter", Case::new_people(0), Step::Go),
        ("a busy day", Case::new_people(29), Step::Go),
        (
            "more than a person's hour",
            Case::new_people(30),
            Step::Delay,
        ),
        ("the same at home", Case::new_people(30).at_home(), Step::Go),
        (
            "a party for sixty, at home",
            Case::default().writing(60, 60).at_home(),
            Step::Go,
        ),
        (
            "a party for sixty, elsewhere",
            Case::default().writing(60, 60),
            Step::Delay,
        ),
        ("a newsletter to known people", known(150), Step::Go),
        (
            "a newsletter to 150 new members",
            Case::default().writing(150, 150),
            Step::Delay,
        ),
        ("and to one more", Case::new_people(160), Step::Hold),
        (
            "five hundred new ones at once",
            Case::default().writing(500, 500),
            Step::Hold,
        ),
        (
            "and again",
            Case::new_people(161).writing(500, 500),
            Step::Lock,
        ),
        ("a flood", Case::new_people(240), Step::Lock),
        (
            "a friend during a flood",
            Case::new_people(190).writing(1, 0),
            Step::Go,
        ),
        (
            "two hundred of any kind",
            known(1).with(|case| case.facts.day.recipients = 199),
            Step::Go,
        ),
        (
            "and one more",
            known(1).with(|case| case.facts.day.recipients = 200),
            Step::Hold,
        ),
        (
            "four hundred",
            known(1).with(|case| case.facts.day.recipients = 400),
            Step::Lock,
        ),
        (
            "single messages faster than anybody types",
            known(1).with(|case| case.facts.ten_minutes.messages = 60),
            Step::Delay,
        ),
        (
            "new people while asked",
            Case::new_people(0).with(asking),
            Step::Hold,
        ),
        ("friends while asked", known(3).with(asking), Step::Go),
        // Strange circumstances alone are a journey; with many new people they are an alarm.
        ("from a hotel", Case::new_people(3).with(strange), Step::Go),
        (
            "many from a hotel",
            Case::new_people(40).with(strange),
            Step::Delay,
        ),
        (
            "many from a hotel at night",
            Case::new_people(40).with(strange).with(|case| {
                case.facts.habits = Habits {
                    active_days: 20,
                    hours: 0x1ff << 8,
                    ..Habits::default()
                };
                case.place.hour = Some(3);
            }),
            Step::Hold,
        ),
        (
            "many that look like spam, from a new network at night",
            Case::new_people(40)
                .with(strange)
                .with(spam_like)
                .with(|case| {
                    case.facts.habits.active_days = 20;
                    case.facts.habits.hours = 0x1ff << 8;
                    case.place.hour = Some(3);
                }),
            Step::Lock,
        ),
        (
            "a few that look like spam",
            Case::new_people(2).with(spam_like),
            Step::Delay,
        ),
        ("to friends", known(2).with(spam_like), Step::Go),
        (
            "many from a herd of machines",
            Case::new_people(40).with(|case| case.place.networks_in_hour = 9),
            Step::Hold,
        ),
        (
            "with an app password of an hour ago",
            Case::new_people(40)
                .with(strange)
                .with(|case| case.place.has_new_app_password = true),
            Step::Hold,
        ),
        (
            "the same text to many",
            Case::new_people(12).with(|case| case.message.alike = 20),
            Step::Delay,
        ),
        (
            "local colleagues",
            Case::default().with(|case| {
                case.facts.day.local = 900;
                case.message.counts.local = 50;
            }),
            Step::Go,
        ),
        (
            "a flood of them",
            Case::default().with(|case| {
                case.facts.day.local = 1_001;
                case.message.counts.local = 1;
            }),
            Step::Lock,
        ),
        (
            "a loop of receipts",
            known(1).with(|case| {
                case.facts.hour.automatic = 100;
                case.message.counts.automatic = 1;
            }),
            Step::Hold,
        ),
    ];
    for (name, case, step) in table {
        assert_eq!(case.step(), step, "{name}");
    }
}

#[test]
fn failures_speak_where_many_are_new() {
    let of = |failed: u64, unknown: u64, blamed: u64, recipients: u64, first_time: u64| {
        let mut facts = SendingFacts::default();
        facts.hour.failed = failed;
        facts.hour.unknown = unknown;
        facts.hour.blamed = blamed;
        facts.day.recipients = recipients;
        facts.day.first_time = first_time;
        facts.hour.first_time = first_time;
        let measures = measures(&facts, &Place::default(), &Message::default());
        decide_outcome(&measures).step
    };
    for (failed, unknown, blamed, recipients, first_time, step) in [
        (0, 0, 0, 500, 150, Step::Go),
        // An old list with some dead addresses, a bought one with many.
        (9, 9, 0, 150, 20, Step::Go),
        (12, 5, 0, 150, 20, Step::Go),
        (45, 16, 0, 150, 20, Step::Hold),
        (45, 40, 0, 150, 120, Step::Hold),
        (45, 40, 0, 300, 170, Step::Lock),
        // One provider that refuses a signature's link is no alarm for who writes to friends.
        (5, 0, 5, 30, 3, Step::Go),
        (5, 0, 5, 30, 20, Step::Hold),
    ] {
        let found = of(failed, unknown, blamed, recipients, first_time);
        assert_eq!(
            found, step,
            "{failed} {unknown} {blamed} {recipients} {first_time}"
        );
    }
}

#[test]
fn bounces_of_what_was_sent_before_are_no_share_of_today() {
    let of = |failed: u64, taken: u64, recipients: u64| {
        let mut facts = SendingFacts::default();
        facts.hour.failed = failed;
        facts.hour.taken = taken;
        facts.day.recipients = recipients;
        facts.day.first_time = recipients;
        let measures = measures(&facts, &Place::default(), &Message::default());
        let share = measures
            .iter()
            .find(|of| of.signal == Signal::FailedShare)
            .map(|of| of.counted);
        share.expect("it is counted")
    };
    // A newsletter to 200 that was held and released: its counts begin anew, its bounces come now.
    assert_eq!(of(12, 188, 0), 6);
    assert_eq!(of(12, 0, 150), 8, "the first answers");
    assert_eq!(of(50, 50, 100), 50);
    assert_eq!(of(9, 0, 9), 0, "too few to say anything");
}

#[test]
fn habits_are_those_of_the_owner_at_home() {
    let busy = |place: Place, recipients: u64| {
        let mut case = Case::default().writing(1, 0);
        case.facts.habits.day_usual = 334;
        case.facts.habits.active_days = 20;
        case.facts.habits.hours = 0b1111 << 9;
        case.facts.day.recipients = recipients;
        case.place = place;
        case.step()
    };
    let at = |hour: u32| Place {
        hour: Some(hour),
        ..Place::default()
    };
    assert_eq!(busy(at(10), 450), Step::Go);
    assert_eq!(busy(at(10), 500), Step::Hold);
    assert_eq!(busy(at(3), 199), Step::Go);
    assert_eq!(busy(at(3), 200), Step::Hold, "by night");
    let abroad = Place {
        is_new: true,
        ..at(10)
    };
    assert_eq!(busy(abroad, 200), Step::Hold, "from elsewhere");
}

#[test]
fn limits_without_end_are_limits() {
    let mut case = Case::new_people(1_000);
    case.facts.limits.recipients = Some(u64::MAX);
    case.facts.limits.first_time = Some(u64::MAX);
    assert_eq!(case.step(), Step::Go);
}

#[test]
fn listed_links_speak_where_several_go_to_new_people() {
    let of = |listed: u64, first_time: u64| {
        let mut facts = SendingFacts::default();
        facts.day.listed = listed;
        facts.day.first_time = first_time;
        facts.day.recipients = first_time;
        facts.hour = facts.day;
        let measures = measures(&facts, &Place::default(), &Message::default());
        decide_outcome(&measures).step
    };
    for (listed, first_time, step) in [
        (0, 150, Step::Go),
        // Somebody warns a friend, or the whole choir.
        (1, 1, Step::Go),
        (2, 25, Step::Go),
        (5, 9, Step::Go),
        (1, 31, Step::Delay),
        (3, 10, Step::Hold),
        (3, 31, Step::Hold),
        (3, 161, Step::Lock),
    ] {
        assert_eq!(of(listed, first_time), step, "{listed} {first_time}");
    }
    // What follows is held as well, and a message to a friend is not.
    let mut case = Case::new_people(31);
    case.facts.day.listed = 3;
    assert_eq!(case.step(), Step::Hold);
    let mut friend = Case::default().writing(1, 0);
    friend.facts.day.listed = 3;
    assert_eq!(friend.step(), Step::Go);
}

#[test]
fn limits_follow_the_operator_the_habits_and_a_release() {
    let allowed = |change: fn(&mut SendingFacts)| {
        let mut facts = SendingFacts::default();
        change(&mut facts);
        let Allowed {
            first_time_in_day,
            recipients_in_day,
        } = Allowed::of(&facts);
        (first_time_in_day, recipients_in_day)
    };
    assert_eq!(allowed(|_| ()), (160, 200));
    assert_eq!(allowed(|facts| facts.habits.day_usual = 100), (160, 200));
    assert_eq!(allowed(|facts| facts.habits.day_usual = 240), (160, 360));
    assert_eq!(allowed(|facts| facts.habits.day_usual = 9_000), (160, 500));
    assert_eq!(
        allowed(|facts| facts.raised_until = Some(UnixMillis(1))),
        (480, 600)
    );
    let own = |recipients, first_time| SendingLimits {
        recipients,
        first_time,
        until: None,
    };
    for (limits, wanted) in [
        (own(Some(20), None), (20, 20)),
        (own(Some(5_000), None), (160, 5_000)),
        (own(Some(5_000), Some(5_000)), (5_000, 5_000)),
        (own(None, Some(0)), (0, 200)),
    ] {
        let facts = SendingFacts {
            limits,
            ..SendingFacts::default()
        };
        let found = Allowed::of(&facts);
        assert_eq!((found.first_time_in_day, found.recipients_in_day), wanted);
    }
}

#[test]
fn a_raised_limit_raises_what_hangs_on_it() {
    let mut case = Case::new_people(900);
    case.facts.limits = SendingLimits {
        recipients: Some(5_000),
        first_time: Some(5_000),
        until: None,
    };
    case.facts.ten_minutes.messages = 900;
    assert_eq!(case.step(), Step::Go, "a shop on a good day");
    case.message.alike = 600;
    assert_eq!(case.step(), Step::Go, "whose letters are alike");
    case.facts.day.first_time = 5_000;
    assert_eq!(case.step(), Step::Hold);
    // A form on a web page, with a low cap.
    let mut form = Case::default().writing(1, 0);
    form.facts.limits.recipients = Some(20);
    form.facts.day.recipients = 19;
    assert_eq!(form.step(), Step::Go);
    form.facts.day.recipients = 20;
    assert_eq!(form.step(), Step::Hold);
    form.facts.day.recipients = 41;
    assert_eq!(form.step(), Step::Lock);
}

#[test]
fn every_level_is_reached_by_one_more() {
    let mut facts = SendingFacts::default();
    facts.day.first_time = limits::FIRST_TIME_PER_DAY;
    let level = |facts: &SendingFacts| {
        let list = measures(facts, &Place::default(), &Message::default());
        let of = list.iter().find(|of| of.signal == Signal::FirstTimeInDay);
        of.expect("it is counted").level()
    };
    assert_eq!(level(&facts), Level::Warn);
    facts.day.first_time += 1;
    assert_eq!(level(&facts), Level::Act);
}

fn look(subject: &str, text: &str) -> Sketch {
    Look::at(format!("Subject: {subject}\r\n\r\n{text}\r\n").as_bytes()).sketch
}

#[test]
fn a_template_is_alike_whatever_name_stands_in_it() {
    let spam = |name: &str, code: &str| {
        look(
            &format!("{name}, your parcel is waiting"),
            &format!(
                "Dear {name},\r\n\r\nyour parcel {code} could not be delivered. Confirm your address within \
                 24 hours:\r\nhttp://parcel.example/{code}?to={name}\r\n\r\nThe delivery team"
            ),
        )
    };
    let one = spam("Ann", "AX-4412");
    for (name, code) in [
        ("Bartholomew", "QQ-1"),
        ("Zoë", "7"),
        ("Mr Kim", "PPPP-991-22"),
    ] {
        let likeness = one.likeness(&spam(name, code));
        assert!(likeness >= limits::ALIKE_PERCENT, "{name}: {likeness}");
    }
    let html = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n";
    let page = |name: &str| {
        let text = format!(
            "{html}<p>Hello <b>{name}</b>, we have an offer for you this week only: shoes at half their price. \
             <a href=\"https://shop.example/{name}\">See them all</a></p>"
        );
        Look::at(text.as_bytes()).sketch
    };
    assert!(page("ann").likeness(&page("bob")) >= limits::ALIKE_PERCENT);
}

#[test]
fn letters_of_one_person_are_not_alike() {
    let letters = [
        (
            "Lunch",
            "Shall we meet on Tuesday at noon? The place by the river is open again.",
        ),
        (
            "Minutes",
            "Please find the minutes of our meeting below. We agreed to paint the hall in spring.",
        ),
        (
            "Re: bicycle",
            "It is still for sale. You may come and see it any evening after six.",
        ),
        (
            "Thank you!",
            "The flowers are lovely, and the children have eaten all of the cake already.",
        ),
        (
            "Invoice",
            "Our bank has changed; the new account number stands on the second page.",
        ),
    ];
    let sketches: Vec<Sketch> = letters
        .iter()
        .map(|(subject, text)| look(subject, text))
        .collect();
    for (at, one) in sketches.iter().enumerate() {
        assert_eq!(one.likeness(one), 100);
        for other in sketches.iter().skip(at + 1) {
            let likeness = one.likeness(other);
            assert!(likeness < limits::ALIKE_PERCENT, "{likeness}");
        }
    }
    assert_eq!(
        look("", "").likeness(&look("", "")),
        0,
        "nothing is like nothing"
    );
}

#[test]
fn any_bytes_are_looked_at() {
    for bytes in [
        &b""[..],
        b"\0\xff\xfe",
        b"Subject: x\r\n\r\n\xff\xff <a href=\"://",
        b"Content-Type: text/html\r\n\r\n<<<<>>>> ://?",
    ] {
        let _ = Look::at(bytes);
    }
    assert!(Look::at(b"Auto-Submitted: auto-replied\r\n\r\n").automatic);
    assert!(!Look::at(b"Auto-Submitted: no\r\n\r\n").automatic);
}

#[test]
fn the_filter_is_asked_for_the_text_and_must_be_very_sure() {
    let of = |text: &str| {
        let message = format!(
            "From: Ann <ann@here.example>\r\nTo: <bob@there.example>\r\nSubject: Tuesday\r\nDate: Tue, 14 Nov 2023 \
             22:13:20 +0000\r\nMessage-ID: <1@here.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; \
             charset=utf-8\r\n\r\n{text}\r\n"
        );
        let from = mail::Address::parse("ann@here.example").expect("an address");
        super::Opinion::of(message.as_bytes(), Some(&from), &[]).is_distrusted
    };
    assert!(!of(
        "Shall we meet on Tuesday at noon? The place by the river is open again."
    ));
    assert!(!of(
        "Hello all,\r\n\r\nthe next practice is on Friday at seven. Bring your own cups.\r\n\r\nAnn"
    ));
    assert!(of(
        "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    ));
}
