//! The is_email() suite: which addresses a command may hold.
//!
//! The choice between "valid for SMTP" and "wrong", made once:
//! - CFWS (comments, folding) and obsolete forms (DEPREC) are refused: RFC 5321 has neither. Only IPv6 literals whose
//!   `::` stands for a single group are taken: they name a host all the same.
//! - RFC5322 (right in a header only) is refused, except local parts of 65 to 255 octets: variable return paths
//!   pass 64 every day, and refusing them would lose mail (RFC 5321 §4.5.3.1 asks for no limit).
//! - DNSWARN is valid: whether a domain exists is for DNS to say.

use mail::Address;

use crate::corpora;

#[test]
fn addresses_of_the_suite() {
    let Some(folder) = corpora::folder("email-address-isemail") else {
        return;
    };
    let suite = std::fs::read_to_string(folder.join("tests.xml")).unwrap();
    let mut count = 0;
    for test in suite.split("<test ").skip(1) {
        let address = unescape(element(test, "address").unwrap_or_default());
        let category = element(test, "category").unwrap();
        let diagnosis = element(test, "diagnosis").unwrap();
        let want = match category {
            "ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN" | "ISEMAIL_RFC5321" => true,
            "ISEMAIL_ERR" | "ISEMAIL_CFWS" => false,
            "ISEMAIL_DEPREC" => diagnosis == "ISEMAIL_RFC5321_IPV6DEPRECATED",
            "ISEMAIL_RFC5322" => diagnosis == "ISEMAIL_RFC5322_LOCAL_TOOLONG",
            other => panic!("{other}"),
        };
        let got = Address::parse(&address);
        assert_eq!(
            got.is_ok(),
            want,
            "{address:?} is {category}, {diagnosis}: {got:?}"
        );
        count += 1;
    }
    assert_eq!(count, 88);
}

fn element<'t>(xml: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// Entities, and control characters written as U+2400 and the following.
fn unescape(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("&#x") {
        let (before, entity) = rest.split_at(at);
        let (digits, after) = entity[3..].split_once(';').unwrap();
        out.push_str(before);
        out.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
        rest = after;
    }
    out.push_str(rest);
    let control = |c: char| match u32::from(c) {
        code @ 0x2400..=0x241f => char::from_u32(code - 0x2400).unwrap(),
        _ => c,
    };
    out.chars().map(control).collect()
}
