//! A strict reader of ENVELOPE and BODYSTRUCTURE by the grammar of RFC 9051 §9, written apart from the writer.

/// The value of one parenthesised text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Nil,
    Text(Vec<u8>),
    Number(usize),
    List(Vec<Value>),
}

/// Reads one value and nothing after it.
pub fn read(text: &[u8]) -> Result<Value, String> {
    let mut at = 0;
    let value = value(text, &mut at)?;
    if at != text.len() {
        return Err(format!("junk at {at}"));
    }
    Ok(value)
}

fn value(text: &[u8], at: &mut usize) -> Result<Value, String> {
    let rest = &text[*at..];
    match rest.first() {
        Some(b'(') => {
            *at += 1;
            let mut items = Vec::new();
            loop {
                match text.get(*at) {
                    Some(b')') => {
                        *at += 1;
                        return if items.is_empty() {
                            Err("empty list".into())
                        } else {
                            Ok(Value::List(items))
                        };
                    }
                    // Parts and addresses follow one another without a space.
                    Some(b'(') if matches!(items.last(), Some(Value::List(_))) => {}
                    Some(b' ') if !items.is_empty() => *at += 1,
                    _ if items.is_empty() => {}
                    other => return Err(format!("{other:?} between values at {at}")),
                }
                items.push(value(text, at)?);
            }
        }
        Some(b'"') => {
            let mut out = Vec::new();
            let mut i = 1;
            loop {
                match rest.get(i) {
                    Some(b'"') => break,
                    Some(b'\\') => {
                        i += 1;
                        match rest.get(i) {
                            Some(c @ (b'"' | b'\\')) => out.push(*c),
                            other => return Err(format!("escaped {other:?}")),
                        }
                    }
                    Some(0 | b'\r' | b'\n' | 128..) | None => {
                        return Err(format!("in quotes at {}", *at + i));
                    }
                    Some(c) => out.push(*c),
                }
                i += 1;
            }
            *at += i + 1;
            Ok(Value::Text(out))
        }
        Some(b'{') => {
            let end = rest.iter().position(|&b| b == b'}').ok_or("literal")?;
            let len: usize = std::str::from_utf8(&rest[1..end])
                .unwrap()
                .parse()
                .map_err(|e| format!("{e}"))?;
            let body = rest[end + 1..]
                .strip_prefix(b"\r\n")
                .ok_or("literal without line end")?;
            let content = body.get(..len).ok_or("short literal")?;
            if content.contains(&0) {
                return Err("NUL in a literal".into());
            }
            *at += end + 3 + len;
            Ok(Value::Text(content.to_vec()))
        }
        Some(b'N') if rest.starts_with(b"NIL") => {
            *at += 3;
            Ok(Value::Nil)
        }
        Some(b'0'..=b'9') => {
            let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            *at += len;
            Ok(Value::Number(
                std::str::from_utf8(&rest[..len]).unwrap().parse().unwrap(),
            ))
        }
        other => Err(format!("{other:?} at {at}")),
    }
}

fn ensure(holds: bool, what: &str, value: &impl std::fmt::Debug) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what}: {value:?}"))
    }
}

fn is_nstring(value: &Value) -> bool {
    matches!(value, Value::Nil | Value::Text(_))
}

/// `envelope`
pub fn check_envelope(value: &Value) -> Result<(), String> {
    let Value::List(items) = value else {
        return Err(format!("no envelope: {value:?}"));
    };
    ensure(items.len() == 10, "ten members", items)?;
    for at in [0, 1, 8, 9] {
        ensure(is_nstring(&items[at]), "nstring", &items[at])?;
    }
    for member in &items[2..8] {
        let addresses = match member {
            Value::Nil => continue,
            Value::List(addresses) => addresses,
            other => return Err(format!("addresses: {other:?}")),
        };
        let mut in_group = false;
        for address in addresses {
            let Value::List(fields) = address else {
                return Err(format!("address: {address:?}"));
            };
            ensure(
                fields.len() == 4 && fields.iter().all(is_nstring),
                "four nstrings",
                fields,
            )?;
            if fields[3] == Value::Nil {
                let starts = fields[2] != Value::Nil;
                ensure(starts != in_group, "groups do not nest", addresses)?;
                in_group = starts;
            } else {
                ensure(fields[2] != Value::Nil, "mailbox", fields)?;
            }
        }
        ensure(!in_group, "group is closed", addresses)?;
    }
    Ok(())
}

/// `body`, with or without extension data.
pub fn check_body(value: &Value, extended: bool) -> Result<(), String> {
    let Value::List(items) = value else {
        return Err(format!("no body: {value:?}"));
    };
    if matches!(items[0], Value::List(_)) {
        let parts = items
            .iter()
            .take_while(|item| matches!(item, Value::List(_)))
            .count();
        for part in &items[..parts] {
            check_body(part, extended)?;
        }
        let rest = &items[parts..];
        ensure(
            matches!(rest.first(), Some(Value::Text(_))),
            "subtype",
            &rest,
        )?;
        if !extended {
            return ensure(rest.len() == 1, "no extension data", &rest);
        }
        ensure(rest.len() == 5, "extension data", &rest)?;
        check_parameters(&rest[1])?;
        return check_extension(&rest[2..]);
    }
    ensure(items.len() >= 7, "body fields", items)?;
    let text = |at: usize| match &items[at] {
        Value::Text(text) => String::from_utf8_lossy(text).to_ascii_lowercase(),
        other => format!("{other:?}"),
    };
    ensure(
        matches!(items[0], Value::Text(_)) && matches!(items[1], Value::Text(_)),
        "type",
        items,
    )?;
    check_parameters(&items[2])?;
    ensure(
        is_nstring(&items[3]) && is_nstring(&items[4]),
        "id and description",
        items,
    )?;
    ensure(
        matches!(items[5], Value::Text(_)) && matches!(items[6], Value::Number(_)),
        "encoding and size",
        items,
    )?;
    let mut rest = &items[7..];
    match (text(0).as_str(), text(1).as_str()) {
        ("multipart", _) => return Err(format!("multipart as a leaf: {items:?}")),
        ("message", "rfc822" | "global") => {
            ensure(rest.len() >= 3, "message fields", items)?;
            check_envelope(&rest[0])?;
            check_body(&rest[1], extended).or_else(|error| {
                // The stand-in for what could not be read has no extension data; it is optional anyway.
                check_body(&rest[1], false).map_err(|_| error)
            })?;
            ensure(matches!(rest[2], Value::Number(_)), "lines", items)?;
            rest = &rest[3..];
        }
        ("text", _) => {
            ensure(
                matches!(rest.first(), Some(Value::Number(_))),
                "lines",
                items,
            )?;
            rest = &rest[1..];
        }
        _ => {}
    }
    if !extended {
        return ensure(rest.is_empty(), "no extension data", &rest);
    }
    ensure(
        rest.len() == 4 && is_nstring(&rest[0]),
        "extension data",
        &rest,
    )?;
    check_extension(&rest[1..])
}

fn check_parameters(value: &Value) -> Result<(), String> {
    match value {
        Value::Nil => Ok(()),
        Value::List(items) => ensure(
            items.len() % 2 == 0 && items.iter().all(|item| matches!(item, Value::Text(_))),
            "pairs",
            items,
        ),
        other => Err(format!("parameters: {other:?}")),
    }
}

/// Disposition, language, location.
fn check_extension(items: &[Value]) -> Result<(), String> {
    match &items[0] {
        Value::Nil => {}
        Value::List(pair) if pair.len() == 2 && matches!(pair[0], Value::Text(_)) => {
            check_parameters(&pair[1])?
        }
        other => return Err(format!("disposition: {other:?}")),
    }
    let languages = match &items[1] {
        Value::List(languages) => languages
            .iter()
            .all(|language| matches!(language, Value::Text(_))),
        other => is_nstring(other),
    };
    ensure(languages, "language", &items[1])?;
    ensure(is_nstring(&items[2]), "location", &items[2])
}
