//! The words people read: plain, short, with the reply itself apart.

use doctor::replies::{
    Case, Class, Helps, Next, Phase, Refusal, built_in, classify,
    explain::{Delivery, for_author},
};

const S3150: &str = "550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).";

fn at(host: &str, reply: &str) -> Refusal {
    Refusal::read(host, "", Phase::Unknown, reply)
}

fn case() -> Case {
    Case {
        ip: "203.0.113.9".into(),
        hostname: "mail.example.org".into(),
        domain: "example.org".into(),
        when: "2026-11-21 10:00 UTC".into(),
        contact: "Ada <ada@elsewhere.example>".into(),
        recipient: "bob@hotmail.com".into(),
    }
}

#[test]
fn a_blocked_range_is_explained_with_its_form_filled_in() {
    let refusal = at("hotmail-com.olc.protection.outlook.com", S3150);
    let answer = classify(&refusal);
    assert_eq!(answer.class, Class::Reputation);
    assert_eq!(answer.next, Next::Hold);
    assert_eq!(answer.tags, ["s3150"]);
    let wait = answer.wait.unwrap();
    assert_eq!((wait.pause, wait.probe), (7200, true));
    let delivery = Delivery {
        own_addresses: vec!["203.0.113.9".parse().unwrap()],
        is_kept: true,
    };
    let words = built_in().for_operator(&answer, &refusal, &case(), &delivery);
    assert!(words.headline.starts_with("Outlook.com, Hotmail"));
    assert!(words.todo.contains("relay add --for microsoft"));
    assert!(words.waiting.contains("two hours of silence"));
    assert!(
        !words
            .notes
            .iter()
            .any(|note| note.contains("not an address")),
        "{:?}",
        words.notes
    );
    let form = words.form.unwrap();
    assert_eq!(form.url.as_deref(), Some("https://olcsupport.office.com/"));
    for needed in [
        "203.0.113.9",
        "mail.example.org",
        "S3150",
        "2026-11-21 10:00 UTC",
        "ada@elsewhere.example",
    ] {
        assert!(form.words.contains(needed), "{needed} in {}", form.words);
    }
    let author = for_author(&answer, &refusal, "bob@hotmail.com", &delivery);
    assert!(author.text.contains("nothing wrong with your message"));
    assert!(author.text.contains("need not send it again"));
    assert!(!author.acts);
    assert!(author.technical.contains("S3150"));
}

#[test]
fn a_reply_about_somebody_elses_address_says_so() {
    let refusal = at(
        "mx.example.net",
        "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using zen.spamhaus.org",
    );
    let answer = classify(&refusal);
    let delivery = Delivery {
        own_addresses: vec!["203.0.113.9".parse().unwrap()],
        is_kept: false,
    };
    let words = built_in().for_operator(&answer, &refusal, &case(), &delivery);
    assert!(words.notes.iter().any(|note| note.contains("198.51.100.7")));
}

#[test]
fn authors_read_plain_sentences() {
    // Reply, kept in the queue, what the author reads, whether the author must act.
    let table = [
        (
            "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown",
            false,
            "does not exist",
            true,
        ),
        (
            "552 5.2.2 <bob@example.net> mailbox full",
            false,
            "mailbox of bob@example.net is full",
            true,
        ),
        (
            "552 5.3.4 Message size exceeds fixed limit",
            false,
            "too large",
            true,
        ),
        (
            "450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted",
            true,
            "goes out by itself",
            false,
        ),
        (
            "451 4.3.0 Temporary lookup failure",
            true,
            "nothing to do with your message",
            false,
        ),
        (
            "550 5.7.26 This message fails to pass SPF checks",
            false,
            "could not verify",
            false,
        ),
        (
            "550 5.7.1 Message rejected as spam by Content Filtering.",
            false,
            "take out links and attachments",
            true,
        ),
        (
            "554 5.7.1 Client host [203.0.113.9] blocked using bl.spamcop.net",
            true,
            "nothing wrong with your message",
            false,
        ),
    ];
    for (reply, is_kept, wanted, acts) in table {
        let refusal = at("mx.example.net", reply);
        let delivery = Delivery {
            is_kept,
            ..Delivery::default()
        };
        let words = for_author(&classify(&refusal), &refusal, "bob@example.net", &delivery);
        assert!(words.text.contains(wanted), "{reply}: {}", words.text);
        assert_eq!(words.acts, acts, "{reply}");
        assert!(words.technical.contains(reply), "{}", words.technical);
        for jargon in [
            "SMTP", "DNSBL", "MX ", "PTR", "SPF", "DKIM", "DMARC", "5.7", "IP ",
        ] {
            assert!(!words.text.contains(jargon), "{jargon} in {}", words.text);
        }
        assert!(words.text.len() < 300, "{}", words.text);
    }
}

#[test]
fn every_rule_has_words_and_every_form_is_filled() {
    let knowledge = built_in();
    assert!(knowledge.rule_count() >= 200, "{}", knowledge.rule_count());
    assert!(knowledge.providers().len() >= 30);
    for form in knowledge.forms() {
        let filled = form.fill(&case(), "550 5.7.1 no", "s3150");
        let all = format!("{filled:?}");
        for left in [
            "{ip}",
            "{hostname}",
            "{domain}",
            "{reply}",
            "{when}",
            "{contact}",
            "{tag}",
            "{recipient}",
        ] {
            assert!(!all.contains(left), "{left} is left in {}", form.id);
        }
        assert!(
            form.url.is_some()
                || form.mail.is_some()
                || ["recipient", "hoster"].contains(&form.id.as_str())
        );
    }
    for provider in knowledge.providers() {
        let host = format!("mx1.{}", provider.mx[0]);
        let found = knowledge.provider_of(&host, "").map(|found| &found.id);
        assert_eq!(found, Some(&provider.id), "{host}");
    }
}

#[test]
fn what_is_unknown_is_left_to_the_operator() {
    let form = built_in().form("outlook").unwrap();
    let filled = form.fill(&Case::default(), "550 {ip} {{", "");
    assert!(filled.words.contains("[hostname]"), "{}", filled.words);
    // What a remote server says is not filled in again.
    assert!(filled.words.contains("550 {ip} {{"), "{}", filled.words);
}

#[test]
fn waiting_and_pausing_follow_the_provider() {
    // Host, reply, class, pause, probe, connections, what to do.
    let table = [
        (
            "gmail-smtp-in.l.google.com",
            "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\n421 4.7.28 from your IP address.",
            Class::Rate,
            600,
            false,
            Some(1),
            Next::Retry,
        ),
        (
            "mta7.am0.yahoodns.net",
            "421 4.7.0 [TSS04] Messages from 203.0.113.9 temporarily deferred due to unexpected volume or user complaints",
            Class::Reputation,
            7200,
            true,
            Some(1),
            Next::Retry,
        ),
        (
            "mta7.am0.yahoodns.net",
            "421 4.7.0 [TSS05] Messages temporarily deferred",
            Class::Reputation,
            14400,
            true,
            Some(1),
            Next::Retry,
        ),
        (
            "mx00.t-online.de",
            "554 IP=203.0.113.9 - None/bad reputation. Ask your postmaster for help or to contact tobr@rx.t-online.de for reset. (NOWL)",
            Class::Reputation,
            3600,
            false,
            None,
            Next::Hold,
        ),
        (
            "smtp-in.orange.fr",
            "421 mwinf5c63 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104 [104]",
            Class::Rate,
            60,
            false,
            Some(1),
            Next::Retry,
        ),
        (
            "mx.example.net",
            "450 4.2.0 Greylisted, try again in 300 seconds",
            Class::Greylisting,
            120,
            false,
            None,
            Next::Retry,
        ),
        (
            "mx3.qq.com",
            "550 Ip frequency limited",
            Class::Rate,
            3600,
            false,
            None,
            Next::Retry,
        ),
        (
            "mx.example.net",
            "554 5.7.1 blocked using zen.spamhaus.org",
            Class::Reputation,
            21600,
            true,
            None,
            Next::Hold,
        ),
    ];
    for (host, reply, class, pause, probe, connections, next) in table {
        let refusal = at(host, reply);
        let answer = classify(&refusal);
        let wait = answer.wait.unwrap();
        assert_eq!(
            (
                answer.class,
                wait.pause,
                wait.probe,
                wait.connections,
                answer.next
            ),
            (class, pause, probe, connections, next),
            "{reply} by {}",
            answer.rule
        );
    }
}

#[test]
fn an_unknown_reply_is_never_held_and_says_so() {
    let refusal = at("mx.example.net", "599 xyzzy");
    let answer = classify(&refusal);
    assert_eq!((answer.class, answer.next), (Class::Policy, Next::Bounce));
    let words = built_in().for_operator(&answer, &refusal, &case(), &Delivery::default());
    assert!(words.notes.iter().any(|note| note.contains("says little")));
    let nothing = classify(&Refusal::default());
    assert_eq!((nothing.next, nothing.helps), (Next::Retry, Helps::Perhaps));
}
