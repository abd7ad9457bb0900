//! One wish against one server's answer, by what the record is for.

use super::{Edit, Facts, Row, Seen, State, Tenure, Verdict, merge};
use crate::records::{Action, Kind, RecordWish};

/// What a record is for, as far as it is treated differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Spf,
    Dmarc,
    TlsReports,
    Sts,
    SigningKey,
    /// One of a set in which others may stand too.
    OneOf,
    Alias,
    Authority,
    Reverse,
}

fn topic(wish: &RecordWish) -> Topic {
    match wish.kind {
        Kind::Cname => Topic::Alias,
        Kind::Caa => Topic::Authority,
        Kind::Ptr => Topic::Reverse,
        Kind::Txt if wish.name.contains("._domainkey.") => Topic::SigningKey,
        Kind::Txt => match wish.value.get(..6) {
            Some("v=spf1") => Topic::Spf,
            Some("v=DMAR") => Topic::Dmarc,
            Some("v=TLSR") => Topic::TlsReports,
            Some("v=STSv") => Topic::Sts,
            _ => Topic::OneOf,
        },
        Kind::Mx | Kind::A | Kind::Aaaa | Kind::Srv | Kind::Tlsa | Kind::Ns | Kind::Soa => {
            Topic::OneOf
        }
    }
}

pub(super) fn tenure(wish: &RecordWish) -> Tenure {
    match (topic(wish), wish.kind) {
        (Topic::SigningKey | Topic::Sts, _) | (_, Kind::Tlsa) => Tenure::Ours,
        _ => Tenure::Shared,
    }
}

pub(super) fn one(wish: &RecordWish, facts: &Facts<'_>, seen: &Seen) -> Verdict {
    let found = match answer(seen, &wish.name, wish.kind) {
        Ok(found) => found,
        Err(why) => return Verdict::plain(State::Unknown, why),
    };
    if wish.action == Action::Remove {
        return to_go(found, wish.kind);
    }
    match topic(wish) {
        Topic::Spf => spf(wish, facts, found),
        Topic::Dmarc => dmarc(wish, found),
        Topic::TlsReports => tls_reports(wish, found),
        Topic::Sts => sts(wish, found),
        Topic::SigningKey => signing_key(wish, found),
        Topic::OneOf => one_of(wish, facts, found),
        Topic::Alias => alias(wish, facts, seen, found),
        Topic::Authority => authority(wish, found),
        Topic::Reverse => reverse(wish, found),
    }
}

fn answer<'s>(seen: &'s Seen, name: &str, kind: Kind) -> Result<&'s [String], String> {
    match seen.answers.get(&(name.to_owned(), kind)) {
        Some(Ok(values)) => Ok(values),
        Some(Err(why)) => Err(why.clone()),
        None => Err("It was not asked.".to_owned()),
    }
}

fn to_go(found: &[String], kind: Kind) -> Verdict {
    if found.is_empty() {
        return Verdict::right();
    }
    let said = "It is not needed any more and is still there.";
    Verdict {
        state: State::Extra,
        ..Verdict::instead(found, kind, said)
    }
}

/// Those of a name's texts that begin with this.
fn texts(found: &[String], start: &str) -> Vec<String> {
    let begins = |text: &&String| {
        text.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    found.iter().filter(begins).cloned().collect()
}

fn spf(wish: &RecordWish, facts: &Facts<'_>, found: &[String]) -> Verdict {
    let there = texts(found, "v=spf1");
    let merged = merge::spf(&there, &wish.value, &facts.addresses);
    match there.as_slice() {
        [] => Verdict::missing(),
        [_] if merged.lacks.is_empty() => Verdict::right(),
        [_] => Verdict::instead(&there, Kind::Txt, merged.lacks).with_value(merged.text),
        several => Verdict::instead(
            &there,
            Kind::Txt,
            format!(
                "There are {} SPF records; with more than one, none counts.",
                several.len()
            ),
        )
        .with_value(merged.text),
    }
}

fn dmarc(wish: &RecordWish, found: &[String]) -> Verdict {
    let there = texts(found, "v=DMARC1");
    let [text] = there.as_slice() else {
        return one_text(wish, &there, "DMARC");
    };
    let policy = tag(text, "p").unwrap_or_default();
    if !["none", "quarantine", "reject"].contains(&policy.as_str()) {
        let said = format!("Its p={policy} is no policy: use none, quarantine or reject.");
        return Verdict::instead(&there, Kind::Txt, said);
    }
    if tag(text, "rua").is_some_and(|rua| rua.contains("mailto:")) {
        // The policy and who reads the reports are the operator's own business.
        return Verdict::right();
    }
    let ours = tag(&wish.value, "rua").unwrap_or_default();
    let kept: Vec<&str> = text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty() && !part.to_ascii_lowercase().starts_with("rua"))
        .collect();
    Verdict::instead(
        &there,
        Kind::Txt,
        "It names nobody who gets the reports (rua).",
    )
    .with_value(format!("{}; rua={ours}", kept.join("; ")))
}

fn tls_reports(wish: &RecordWish, found: &[String]) -> Verdict {
    let there = texts(found, "v=TLSRPTv1");
    let [text] = there.as_slice() else {
        return one_text(wish, &there, "TLS report");
    };
    if tag(text, "rua").is_some_and(|rua| !rua.is_empty()) {
        return Verdict::right();
    }
    Verdict::instead(
        &there,
        Kind::Txt,
        "It names nobody who gets the reports (rua).",
    )
}

fn sts(wish: &RecordWish, found: &[String]) -> Verdict {
    let there = texts(found, "v=STSv1");
    let [text] = there.as_slice() else {
        return one_text(wish, &there, "MTA-STS");
    };
    let (is, should) = (tag(text, "id"), tag(&wish.value, "id"));
    if is == should {
        return Verdict::right();
    }
    let said = format!(
        "Its id is {} instead of {}: senders go on using the policy before.",
        is.unwrap_or_default(),
        should.unwrap_or_default()
    );
    Verdict::instead(&there, Kind::Txt, said)
}

/// None, or more than one, of what must stand alone.
fn one_text(wish: &RecordWish, there: &[String], what: &str) -> Verdict {
    if there.is_empty() {
        return Verdict::missing();
    }
    let said = format!(
        "There are {} {what} records; with more than one, none counts.",
        there.len()
    );
    let verdict = Verdict::instead(there, Kind::Txt, said);
    // Of policies that somebody chose, the first; what we make ourselves is made anew.
    match (topic(wish), there.first()) {
        (Topic::Dmarc, Some(first)) => verdict.with_value(first.clone()),
        _ => verdict,
    }
}

/// It must carry our key byte for byte. RFC 6376 §3.6.1
fn signing_key(wish: &RecordWish, found: &[String]) -> Verdict {
    let text = match found {
        [] => return Verdict::missing(),
        [text] => text,
        several => {
            let said = format!(
                "There are {} TXT records instead of one: which one counts is anybody's guess.",
                several.len()
            );
            return Verdict::instead(found, Kind::Txt, said);
        }
    };
    let key = |text: &str| {
        let kind = tag(text, "k").unwrap_or_else(|| "rsa".to_owned());
        (kind, tag(text, "p").unwrap_or_default())
    };
    let ((kind, public), (our_kind, our_public)) = (key(text), key(&wish.value));
    let said = if kind != our_kind {
        format!("It says k={kind} instead of k={our_kind}.")
    } else if public.is_empty() {
        "Its p= is empty, which revokes the key.".to_owned()
    } else if public.len() != our_public.len() {
        format!(
            "Its p= has {} characters instead of {}: something was lost or added on the way.",
            public.len(),
            our_public.len()
        )
    } else if public != our_public {
        "Its p= holds another key.".to_owned()
    } else if tag(text, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y")) {
        "Its t=y tells receivers not to count on the signature.".to_owned()
    } else if tag(text, "v").is_some_and(|version| version != "DKIM1") {
        "It does not begin with v=DKIM1.".to_owned()
    } else {
        return Verdict::right();
    };
    Verdict::instead(found, Kind::Txt, said)
}

fn one_of(wish: &RecordWish, facts: &Facts<'_>, found: &[String]) -> Verdict {
    let fits = |value: &String| is_same(wish.kind, value, &wish.value);
    if found.iter().any(fits) {
        return match found.iter().find(|value| is_null_mx(wish.kind, value)) {
            Some(null) => Verdict::instead(
                std::slice::from_ref(null),
                Kind::Mx,
                "Beside it stands the null MX, which says that the domain takes no mail.",
            ),
            None => Verdict::right(),
        };
    }
    if found.is_empty() {
        return Verdict::missing();
    }
    match wish.kind {
        // Behind a router we do not know the address that the world sees.
        Kind::A | Kind::Aaaa if is_private(&wish.value) => Verdict::right(),
        Kind::Mx => {
            let said = format!("Mail goes to {} instead.", found.join(", "));
            let mut verdict = Verdict::wrong(found, said);
            let null = found.iter().filter(|value| is_null_mx(Kind::Mx, value));
            verdict.remove = null.map(|value| (Kind::Mx, value.clone())).collect();
            verdict
        }
        // The name is the service's own: whoever asks there wants just one answer.
        Kind::Srv => Verdict::instead(
            found,
            Kind::Srv,
            format!("It leads to {} instead.", found.join(", ")),
        ),
        Kind::Tlsa => Verdict::wrong(found, "The key that this server shows is not among them."),
        _ => {
            let expected: Vec<&str> = facts
                .at(&wish.name, wish.kind)
                .map(|wish| wish.value.as_str())
                .collect();
            let said = format!(
                "It is {} instead of {}.",
                found.join(", "),
                expected.join(", ")
            );
            Verdict::wrong(found, said)
        }
    }
}

fn alias(wish: &RecordWish, facts: &Facts<'_>, seen: &Seen, found: &[String]) -> Verdict {
    if found
        .iter()
        .any(|value| value.eq_ignore_ascii_case(&wish.value))
    {
        return Verdict::right();
    }
    let of = |kind| {
        let values = answer(seen, &wish.name, kind).unwrap_or_default();
        values.iter().map(move |value| (kind, value.clone()))
    };
    let addresses: Vec<(Kind, String)> = of(Kind::A).chain(of(Kind::Aaaa)).collect();
    let leads_here = |(_, value): &(Kind, String)| {
        value
            .parse()
            .is_ok_and(|address| facts.addresses.contains(&address))
    };
    if found.is_empty() && !addresses.is_empty() && addresses.iter().all(leads_here) {
        return Verdict::right();
    }
    let there: Vec<String> = found
        .iter()
        .cloned()
        .chain(addresses.iter().map(|(_, value)| value.clone()))
        .collect();
    if there.is_empty() {
        return Verdict::missing();
    }
    let said = format!("It leads to {} instead.", there.join(", "));
    let mut verdict = Verdict::instead(found, Kind::Cname, said);
    verdict.found = there;
    // Beside an alias nothing else may stand (RFC 1034 §3.6.2). What the alias leads to is not at the name itself.
    if found.is_empty() {
        verdict.remove.extend(addresses);
    }
    verdict
}

/// RFC 8659 §4.2: without any, everybody may; others that are allowed stay so.
fn authority(wish: &RecordWish, found: &[String]) -> Verdict {
    let issuer = |value: &str| {
        let (head, name) = value.split_once('"')?;
        let tag = head.split_ascii_whitespace().nth(1)?;
        let name = name.trim_end_matches('"').split(';').next()?.trim();
        tag.eq_ignore_ascii_case("issue")
            .then(|| name.to_ascii_lowercase())
    };
    let ours = issuer(&wish.value);
    if found.iter().any(|value| issuer(value) == ours) {
        return Verdict::right();
    }
    if found.iter().all(|value| issuer(value).is_none()) {
        return Verdict::missing();
    }
    Verdict::wrong(
        found,
        format!(
            "It allows others only: {} could not make a certificate.",
            ours.unwrap_or_default()
        ),
    )
}

fn reverse(wish: &RecordWish, found: &[String]) -> Verdict {
    match found {
        [] => Verdict::missing(),
        found
            if found
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&wish.value)) =>
        {
            Verdict::right()
        }
        found => Verdict::wrong(
            found,
            format!("It is {} instead of {}.", found.join(", "), wish.value),
        ),
    }
}

/// Records beside ours that nobody wished for: other mail hosts, other addresses of the host, pins of keys that are no
/// longer used.
pub(super) fn strangers(facts: &Facts<'_>, seen: &[Seen]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for wish in facts.wishes {
        let kind = wish.kind;
        if !matches!(kind, Kind::Mx | Kind::A | Kind::Aaaa | Kind::Tlsa) {
            continue;
        }
        for one in seen {
            let Ok(found) = answer(one, &wish.name, kind) else {
                continue;
            };
            // Where none of ours is there, all is said already.
            let ours = |value: &String| {
                facts
                    .at(&wish.name, kind)
                    .any(|wish| is_same(kind, value, &wish.value))
            };
            if !found.iter().any(ours) {
                continue;
            }
            let strange = found.iter().filter(|value| !ours(value));
            for value in strange.filter(|value| !is_null_mx(kind, value)) {
                let known = |row: &Row| {
                    row.wish.name == wish.name && row.wish.kind == kind && row.wish.value == **value
                };
                if !rows.iter().any(known) {
                    rows.extend(stranger(wish, value));
                }
            }
        }
    }
    rows
}

fn stranger(wish: &RecordWish, value: &str) -> Option<Row> {
    let (tenure, why) = match wish.kind {
        Kind::Mx => (
            Tenure::Foreign,
            "Mail may go to that host too; if it is not yours, remove it.",
        ),
        // Others' pins (of an authority, of a second server) are not ours to judge.
        Kind::Tlsa if !value.starts_with("3 1 1 ") => return None,
        Kind::Tlsa => (
            Tenure::Ours,
            "The pin of a key that is not used any more, so remove it.",
        ),
        _ => (
            Tenure::Foreign,
            "Whoever takes this address of the name does not reach this server by any address it knows.",
        ),
    };
    let name = wish.name.clone();
    Some(Row {
        wish: RecordWish {
            value: value.to_owned(),
            action: Action::Remove,
            why: why.to_owned(),
            ..wish.clone()
        },
        state: State::Extra,
        found: vec![value.to_owned()],
        difference: why.to_owned(),
        servers: Vec::new(),
        tenure,
        edits: vec![Edit::Remove {
            name,
            kind: wish.kind,
            value: value.to_owned(),
        }],
    })
}

/// Whether two values mean the same. Of MX records the preference is the operator's own business, and of SRV records
/// the weights are.
fn is_same(kind: Kind, one: &str, other: &str) -> bool {
    let words = |text: &str, from: usize| {
        let words = text.split_ascii_whitespace().skip(from);
        words.map(str::to_ascii_lowercase).collect::<Vec<_>>()
    };
    match kind {
        Kind::Mx => words(one, 1) == words(other, 1),
        Kind::Srv => words(one, 2) == words(other, 2),
        Kind::A | Kind::Aaaa => {
            let address = |text: &str| text.parse::<std::net::IpAddr>().ok();
            address(one).is_some() && address(one) == address(other)
        }
        _ => words(one, 0) == words(other, 0),
    }
}

/// RFC 7505
fn is_null_mx(kind: Kind, value: &str) -> bool {
    kind == Kind::Mx && value.split_ascii_whitespace().nth(1) == Some(".")
}

fn is_private(value: &str) -> bool {
    match value.parse() {
        Ok(std::net::IpAddr::V4(address)) => address.is_private() || address.is_link_local(),
        Ok(std::net::IpAddr::V6(address)) => {
            address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => false,
    }
}

/// The value of a tag without white space, which means nothing in any tag that is looked at here.
fn tag(record: &str, name: &str) -> Option<String> {
    record.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim().eq_ignore_ascii_case(name)).then(|| value.split_ascii_whitespace().collect())
    })
}
