//! Messages and what rules find in them. Each row is a message that a person might get.

use mail::Address;
use proptest::prelude::proptest;

use super::{known_lookalike, rules};
use crate::facts::Envelope;
use crate::reasons::Kind;
use crate::sight::Sight;

/// Finds nothing but what is said; `head` and `body` with bare line ends.
#[track_caller]
fn check(head: &str, body: &str, want: &[Kind]) {
    let to: Address = "ann@acme-works.example".parse().unwrap();
    let message = format!("{}\n\n{}", head.trim(), body).replace('\n', "\r\n");
    let envelope = Envelope {
        recipients: std::slice::from_ref(&to),
        ..Envelope::default()
    };
    let found = rules(&Sight::of(message.as_bytes()), &envelope);
    let mut kinds: Vec<Kind> = found.iter().map(|finding| finding.kind).collect();
    kinds.dedup();
    let words: Vec<String> = found.iter().map(|finding| finding.words()).collect();
    assert_eq!(kinds, want, "{head}\n{words:#?}");
}

const LETTER: &str = "Hello Ann,\nshall we meet on Tuesday at noon, as we said last week?\nBob\n";

fn html(body: &str) -> String {
    format!(
        "<html><body><p>Dear customer, please look at what we wrote for you here.</p>{body}</body></html>"
    )
}

const PAGE: &str = "From: Shop <news@shop.example>\nSubject: News\nContent-Type: text/html\n";

#[test]
fn who_the_author_pretends_to_be() {
    let table: &[(&str, &[Kind])] = &[
        ("From: Bob <bob@example.net>", &[]),
        ("From: Bob <bob@gmail.com>", &[]),
        ("Subject: x", &[Kind::NoAuthor]),
        ("From: a@b.example, c@d.example", &[Kind::SeveralAuthors]),
        ("From: a@b.example, c@d.example\nSender: a@b.example", &[]),
        ("From: Support <x@paypa1.com>", &[Kind::BrandLookalike]),
        (
            "From: Support <x@paypal-service.example>",
            &[Kind::BrandLookalike],
        ),
        ("From: Support <x@paypal.com>", &[]),
        (
            "From: Boss <boss@acme-w0rks.example>",
            &[Kind::OwnLookalike],
        ),
        (
            "From: Boss <boss@acme-wroks.example>",
            &[Kind::OwnLookalike],
        ),
        ("From: Boss <boss@acme-works.example>", &[]),
        ("From: Boss <boss@mail.acme-works.example>", &[]),
        ("From: PayPal <x@evil.example>", &[Kind::NameClaimsBrand]),
        ("From: PayPal <service@paypal.de>", &[]),
        (
            "From: \"bob@example.com\" <x@evil.example>",
            &[Kind::NameHoldsAddress],
        ),
        ("From: \"bob@example.com\" <bob@mail.example.com>", &[]),
        (
            "From: \"bob@example.com via Lists\" <list@lists.example>",
            &[],
        ),
        ("From: \"bob@yahoo.com\" <bob@gmail.com>", &[]),
        (
            "From: \"ann@acme-works.example\" <x@evil.example>",
            &[Kind::NameClaimsOwn],
        ),
        (
            "From: \"Help desk acme-works.example\" <x@evil.example>",
            &[Kind::NameClaimsOwn],
        ),
        (
            "From: \"Help desk acme-works.example\" <x@acme-works.example>",
            &[],
        ),
        (
            "From: =?utf-8?q?P=D0=B0ypal?= <x@evil.example>",
            &[Kind::NameClaimsBrand, Kind::NameDisguised],
        ),
        (
            "From: x@shop.example\nSubject: Your PoIicy",
            &[Kind::SubjectDisguised],
        ),
        ("From: x@shop.example\nSubject: LinkedIn and SignIn", &[]),
        (
            "From: x@shop.example\nSubject: ann@acme-works.example: mailbox full",
            &[Kind::SubjectNamesYou],
        ),
        ("From: x@offer.sbs", &[Kind::CheapDomain]),
        ("From: x@abc123.onmicrosoft.com", &[Kind::UnnamedTenant]),
        (
            "From: Costco <x@evil.example>\nSubject: Claim your gift card",
            &[Kind::NameClaimsBrand, Kind::Giveaway, Kind::StoryPrize],
        ),
        (
            "From: Costco <x@costco.com>\nSubject: Claim your gift card",
            &[],
        ),
    ];
    for (head, want) in table {
        check(head, LETTER, want);
    }
}

#[test]
fn where_answers_go() {
    let money = "The payment of the funds by bank transfer needs your proposal.\n";
    let from = |from: &str, to: &str| format!("From: {from}\nReply-To: {to}");
    check(&from("a@firm.example", "b@firm.example"), LETTER, &[]);
    check(&from("a@mail.firm.example", "b@firm.example"), LETTER, &[]);
    check(
        &from("a@firm.example", "b@other.example"),
        LETTER,
        &[Kind::ReplyElsewhere],
    );
    check(
        &from("a@firm.example", "b@gmail.com"),
        LETTER,
        &[Kind::ReplyFreemail],
    );
    check(
        &from("a@firm.example", "b@gmail.com"),
        money,
        &[Kind::ReplyMoney],
    );
    let bulk = format!(
        "{}\nList-Unsubscribe: <https://firm.example/>",
        from("a@firm.example", "b@gmail.com")
    );
    check(&bulk, money, &[Kind::Bulk]);
    let fortune = "I am a barrister. My late client, deceased, left the sum of ten million dollars, and you are the \
        beneficiary as next of kin. Keep it strictly confidential. Send your full names and telephone number.\n";
    check("From: Mr. X <x@firm.example>", fortune, &[Kind::AdvanceFee]);
}

#[test]
fn where_links_lead() {
    let table: &[(&str, &[Kind])] = &[
        ("<a href='https://shop.example/a'>Look</a>", &[]),
        ("<a href='https://www.shop.example/a'>shop.example</a>", &[]),
        (
            "<a href='https://other.example/a'>www.example.com/offer</a>",
            &[Kind::LinkElsewhere],
        ),
        (
            "<a href='https://evil.example/a'>https://www.paypal.com/signin</a>",
            &[Kind::LinkClaimsBrand],
        ),
        // As browsers read them.
        (
            "<a href='http:/evil.example/?://www.paypal.com/'>https://www.paypal.com/signin</a>",
            &[Kind::LinkClaimsBrand],
        ),
        (
            r"<a href='http:\\evil.example\x'>https://www.paypal.com/signin</a>",
            &[Kind::LinkClaimsBrand],
        ),
        (
            "<a href='http://evil.example/a' href='https://www.paypal.com/'>https://www.paypal.com/signin</a>",
            &[Kind::LinkClaimsBrand],
        ),
        ("<a href='https://www.paypal.com/a'>paypal.com</a>", &[]),
        (
            "<a href='https://click.shop.example/a'>instagram.com</a>",
            &[],
        ),
        (
            "<a href='http://203.0.113.9/a'>Look</a>",
            &[Kind::LinkToAddress],
        ),
        ("<a href='http://192.168.1.1/'>Router</a>", &[]),
        (
            "<a href='http://3405803785/a'>Look</a>",
            &[Kind::LinkHidesAddress],
        ),
        (
            "<a href='http://0xcb.0x0.0x71.0x09/a'>Look</a>",
            &[Kind::LinkHidesAddress],
        ),
        (
            "<a href='https://paypal.com@evil.example/a'>Look</a>",
            &[Kind::LinkHidesHost],
        ),
        ("<a href='https://user@shop.example/a'>Look</a>", &[]),
        (
            "<a href='https://xn--mller-kva.example/'>Look</a>",
            &[Kind::LinkPunycode],
        ),
        (
            "<a href='https://xn--pypal-4ve.com/'>Look</a>",
            &[Kind::LinkLookalike, Kind::MixedAlphabets],
        ),
        (
            "<a href='https://bit.ly/3abc'>Look</a>",
            &[Kind::LinkShortened],
        ),
        (
            "<a href='https://abc.web.app/x'>Look</a>",
            &[Kind::LinkFreeHost],
        ),
        (
            "<a href='https://www.paypal.com.evil.example/'>Look</a>",
            &[Kind::LinkLookalike],
        ),
        (
            "<a href='https://www.google.com/url?q=https%3A%2F%2Fevil.example%2Fx'>Look</a>",
            &[Kind::LinkRedirect],
        ),
        (
            "<a href='https://www.google.com/search?q=apples'>Look</a>",
            &[],
        ),
        (
            "<a href='data:text/html;base64,PGI+'>Look</a>",
            &[Kind::LinkData],
        ),
        (
            "<a href='javascript:window.location=decode(x)'>Look</a>",
            &[Kind::LinkBlob],
        ),
        ("<a href='javascript:void(0)'>Look</a>", &[]),
        (
            "<a href='mailto:bob@other.example'>bob@other.example</a>",
            &[],
        ),
        ("<a href='https://shop.example/a'>report.pdf</a>", &[]),
    ];
    for (body, want) in table {
        check(PAGE, &html(body), want);
    }
    let counted = "<a href='https://click.mailer.example/1'>facebook.com</a><a href='https://click.mailer.example/2'>A</a>\
        <a href='https://click.mailer.example/3'>B</a>";
    check(
        &format!("{PAGE}List-Unsubscribe: <https://x.example/>"),
        &html(counted),
        &[Kind::Bulk],
    );
    check(PAGE, &html(counted), &[Kind::LinkClaimsBrand]);
}

#[test]
fn what_pages_do() {
    let form = "<form action='https://evil.example/x'><input name=a></form>";
    check(PAGE, &html(form), &[Kind::FormInside]);
    check(
        PAGE,
        &html("<form action='https://shop.example/x'><input name=a></form>"),
        &[],
    );
    check(
        PAGE,
        &html("<form action='https://evil.example/x'><input type=password></form>"),
        &[Kind::PasswordForm],
    );
    check(
        PAGE,
        &html("<script>alert(1)</script>"),
        &[Kind::ScriptInside],
    );
    let picture =
        "<html><a href='https://other.example/'><img src='https://other.example/a.png'></a></html>";
    check(PAGE, picture, &[Kind::PictureOnly]);
    let qr = html("<img src='cid:a'><p>Please scan the QR code below with your phone</p>");
    check(PAGE, &qr, &[Kind::QrCode]);
    let cut: String = "A\u{200b}c\u{200b}c\u{200b}o\u{200b}u\u{200b}n\u{200b}t".into();
    check(
        "From: x@shop.example\nContent-Type: text/plain; charset=utf-8",
        &cut,
        &[Kind::SplitWords],
    );
    let disguised = "Yоur аccount is lоcked, sign in to keep yоur mail.";
    check(
        "From: x@shop.example\nContent-Type: text/plain; charset=utf-8",
        disguised,
        &[Kind::DisguisedText],
    );
    let russian = "Здравствуйте, Анна! Встретимся во вторник в полдень, как договорились?";
    check(
        "From: x@shop.example\nContent-Type: text/plain; charset=utf-8",
        russian,
        &[],
    );
}

#[test]
fn stories_that_want_money() {
    let call = "Norton subscription renewal: your card was charged $399.99. To cancel this payment please call our \
        billing department at +1 (888) 555-0123. Invoice attached.\n";
    check("From: Billing <x@gmail.com>", call, &[Kind::Callback]);
    check("From: Norton <x@norton.com>", call, &[]);
    check(
        "From: Bob <bob@gmail.com>",
        "Please call me at 888-555-0123 about the invoice.\n",
        &[],
    );
    let threat = "I have hacked your device with malware and recorded you with the webcam on an adult site. Pay in bitcoin \
        to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq within 48 hours or your contacts see it.\n";
    check("From: x@shop.example", threat, &[Kind::Extortion]);
    check(
        "From: x@shop.example",
        "Bitcoin fell by 48 hours ago; your device may show the chart.\n",
        &[],
    );
}

#[test]
fn mail_to_many() {
    check(
        "From: x@shop.example\nPrecedence: bulk",
        LETTER,
        &[Kind::Bulk],
    );
    check(
        "From: x@shop.example\nList-Id: Talk <talk.example.org>\nList-Post: <mailto:talk@example.org>",
        LETTER,
        &[Kind::MailingList],
    );
}

#[test]
fn the_test_line() {
    check(
        "From: x@shop.example",
        &format!("{}\n", super::GTUBE),
        &[Kind::TestString],
    );
}

#[test]
fn attached_files() {
    let part = |name: &str, content: &str| {
        format!(
            "--b\nContent-Type: text/plain\n\n{LETTER}\n--b\nContent-Type: application/octet-stream\n\
            Content-Disposition: attachment; filename=\"{name}\"\n\n{content}\n--b--\n"
        )
    };
    let head = "From: x@shop.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b";
    check(head, &part("a.txt", "hello"), &[]);
    check(head, &part("a.js", "hello"), &[Kind::Script]);
    check(
        head,
        &part("a.pdf.exe", "hello"),
        &[Kind::Program, Kind::DoubleExtension],
    );
    check(
        head,
        &part("a.html", "<script>eval(atob('x'))</script>"),
        &[Kind::SmugglingPage],
    );
}

#[test]
fn the_sending_host() {
    let found = |hello: &str, reverse: Option<&str>, peer: &str| -> Vec<Kind> {
        let own = ["mx.acme-works.example".to_owned()];
        let envelope = Envelope {
            peer: peer.parse().ok(),
            hello,
            reverse_name: reverse,
            own_hosts: &own,
            ..Envelope::default()
        };
        let sight = Sight::of(b"From: x@shop.example\r\n\r\nhello\r\n");
        rules(&sight, &envelope)
            .into_iter()
            .map(|finding| finding.kind)
            .collect()
    };
    let good = Some("mail.shop.example");
    assert_eq!(found("mail.shop.example", good, "203.0.113.9"), []);
    assert_eq!(found("mail.shop.example", None, "203.0.113.9"), []);
    assert_eq!(
        found("mail.shop.example", Some(""), "203.0.113.9"),
        [Kind::NoReverseName]
    );
    assert_eq!(
        found(
            "mail.shop.example",
            Some("dsl-203-0-113-9.pool.isp.example"),
            "203.0.113.9"
        ),
        [Kind::DynamicReverseName]
    );
    assert_eq!(
        found("MX.acme-works.example", good, "203.0.113.9"),
        [Kind::HelloOurs]
    );
    assert_eq!(found("localhost", good, "203.0.113.9"), [Kind::HelloBare]);
    assert_eq!(found("[203.0.113.9]", good, "203.0.113.9"), []);
    assert_eq!(found("localhost", Some(""), "127.0.0.1"), []);
}

#[test]
fn names_of_those_one_knows() {
    let known = ["partner-firm.example".to_owned(), "gmail.com".to_owned()];
    let found = |domain: &str| known_lookalike(domain, &known).map(|finding| finding.kind);
    assert_eq!(found("partner-flrm.example"), Some(Kind::KnownLookalike));
    assert_eq!(found("partner-firm.example"), None);
    assert_eq!(found("gmai1.com"), None);
    assert_eq!(found("other.example"), None);
}

#[test]
fn a_hundred_bad_links_are_not_a_hundred_reasons() {
    let links: String = (0..100)
        .map(|at| format!("<a href='http://203.0.113.{at}/'>x</a>"))
        .collect();
    let message = format!("From: x@shop.example\r\nContent-Type: text/html\r\n\r\n{links}");
    let found = rules(&Sight::of(message.as_bytes()), &Envelope::default());
    let of_links: Vec<f32> = found
        .iter()
        .filter(|finding| finding.kind == Kind::LinkToAddress)
        .map(|finding| finding.weight)
        .collect();
    assert_eq!(of_links.len(), 3);
    assert!(of_links[0] > of_links[1] && of_links[1] > of_links[2]);
}

proptest! {
    #[test]
    fn nothing_panics(from in ".{0,60}", subject in ".{0,60}", body in ".{0,300}") {
        let message = format!(
            "From: {from}\r\nReply-To: {body}\r\nSubject: {subject}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
            {body}<a href='{subject}'>{from}</a><a href='http://{body}'>{subject}</a>"
        );
        rules(&Sight::of(message.as_bytes()), &Envelope::default());
    }
}
