//! Names that deceive, and names that only resemble.

use proptest::prelude::proptest;

use super::{
    How, LABELS, Name, disguised_words, imitated, imitated_brand, imitates, mixed_alphabets,
    skeleton, stands_in_front,
};

#[test]
fn who_imitates_a_brand() {
    let table = [
        ("paypa1.com", Some(("PayPal", How::LooksAlike))),
        ("paypaI.com", Some(("PayPal", How::LooksAlike))),
        ("pаypal.com", Some(("PayPal", How::LooksAlike))),
        ("xn--pypal-4ve.com", Some(("PayPal", How::LooksAlike))),
        ("rnicrosoft.com", Some(("Microsoft", How::LooksAlike))),
        ("arnazon.de", Some(("Amazon", How::LooksAlike))),
        ("amazón.com", Some(("Amazon", How::LooksAlike))),
        ("faceb00k.com", Some(("Facebook", How::LooksAlike))),
        ("microsfot.com", Some(("Microsoft", How::Typo))),
        ("netfliix.com", Some(("Netflix", How::Typo))),
        ("paypal-security.com", Some(("PayPal", How::WithWord))),
        (
            "secure-paypal-login.example",
            Some(("PayPal", How::WithWord)),
        ),
        ("paypalsupport.com", Some(("PayPal", How::WithWord))),
        ("dhl-tracking.web.app", Some(("DHL", How::WithWord))),
        (
            "www.paypal.com.evil.example",
            Some(("PayPal", How::InFront)),
        ),
        ("paypal.com-account.example", Some(("PayPal", How::InFront))),
        // Theirs.
        ("www.paypal.com", None),
        ("email.amazon.co.uk", None),
        ("googlemail.com", None),
        // Others.
        ("paypay.ne.jp", None),
        ("finance.example", None),
        ("dhp.example", None),
        ("example.com", None),
        ("microsofts.example", None),
        ("apple.example", None),
        ("amazon.example.com", None),
        ("192.0.2.1", None),
        ("", None),
    ];
    for (host, want) in table {
        let got =
            imitated_brand(&host.to_lowercase()).map(|(brand, how)| (brand.name.as_str(), how));
        // An upper-case I is a small l to the eye; hosts come in lower case.
        let want = if host == "paypaI.com" {
            Some(("PayPal", How::LooksAlike))
        } else {
            want
        };
        assert_eq!(got, want, "{host}");
    }
}

#[test]
fn no_brand_imitates_another() {
    for brand in &crate::brands::knowledge().brand {
        for domain in &brand.domains {
            let got = imitated_brand(domain).map(|(brand, _)| brand.name.as_str());
            assert_eq!(got, None, "{domain}");
        }
    }
}

#[test]
fn who_imitates_us() {
    let ours = ["example-corp.com", "häuser.example", "acme.org"];
    for (host, want) in [
        ("example-c0rp.com", Some("example-corp.com")),
        ("examp1e-corp.com", Some("example-corp.com")),
        ("exampel-corp.com", Some("example-corp.com")),
        ("example-corp.co", Some("example-corp.com")),
        ("example-corp.com.evil.example", Some("example-corp.com")),
        ("mail.example-corp.com", None),
        ("example-corp.de", None),
        ("other.com", None),
        ("acne.org", None),
    ] {
        assert_eq!(imitated(host, ours), want, "{host}");
    }
    assert_eq!(imitated("anything.example", []), None);
}

#[test]
fn what_the_eye_sees() {
    assert_eq!(skeleton("PAYPA1"), skeleton("paypal"));
    assert_eq!(skeleton("ＰａｙＰａｌ"), skeleton("paypal"));
    assert_ne!(skeleton("paypal"), skeleton("payment"));
    assert!(stands_in_front(
        "login.paypal.com.evil.example",
        "paypal.com"
    ));
    assert!(!stands_in_front("notpaypal.com.evil.example", "paypal.com"));
    assert!(!stands_in_front("www.paypal.com", "paypal.com"));
}

#[test]
fn alphabets_that_no_language_mixes() {
    assert_eq!(
        mixed_alphabets("pаypal.com").as_deref(),
        Some("Latin, Cyrillic")
    );
    for honest in [
        "example.com",
        "müller.de",
        "яндекс.рф",
        "日本語テスト.jp",
        "ελλάδα.gr",
    ] {
        assert_eq!(mixed_alphabets(honest), None, "{honest}");
    }
    let words: Vec<&str> =
        disguised_words("Your Pаypal аccount, Москва, naïve, Wi-Fi-сеть, 𝐏𝐚𝐲 now").collect();
    assert_eq!(words, ["Pаypal", "аccount"]);
}

proptest! {
    #[test]
    fn nothing_panics(host in ".{0,80}") {
        imitated_brand(&host);
        imitated(&host, ["example.com"]);
        mixed_alphabets(&host);
        disguised_words(&host).count();
        stands_in_front(&host, "example.com");
    }
}

#[test]
fn no_label_is_passed_over() {
    let mut seen = 0;
    let brands = &crate::brands::knowledge().brand;
    for brand in brands {
        for label in &brand.labels {
            let swapped = label.replace('o', "0").replace('l', "1");
            let wrong = format!("{}q{}", &label[..1], label.get(2..).unwrap_or_default());
            for shown in [
                label.clone(),
                swapped,
                wrong,
                format!("{label}-login"),
                format!("secure-{label}"),
                format!("{label}support"),
                format!("my{label}"),
                format!("verify{label}"),
            ] {
                let candidate = Name::of(&shown);
                let all = LABELS.all.iter().enumerate();
                let want = all.filter(|(_, (_, name))| imitates(&candidate, name).is_some());
                let want: Vec<usize> = want.map(|(at, _)| at).collect();
                let near: Vec<usize> = LABELS.near(&candidate).collect();
                assert!(want.iter().all(|at| near.contains(at)), "{shown}");
                seen += want.len();
            }
        }
    }
    assert!(seen > 2 * brands.len());
}
