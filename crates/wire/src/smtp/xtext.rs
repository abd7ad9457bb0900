//! xtext, the wrapping of ENVID, ORCPT and AUTH. RFC 3461 §4.

/// `None` if it is not xtext, or not printable when decoded.
pub fn decode_xtext(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                out.push(high << 4 | low);
            }
            b'=' => return None,
            0x21..=0x7e => out.push(byte),
            // RFC 6533 §3 lets UTF-8 stand for itself where SMTPUTF8 is on.
            0x80.. => out.push(byte),
            _ => return None,
        }
    }
    let text = String::from_utf8(out).ok()?;
    // What was hidden by the wrapping must not be able to break a header field or a reply.
    (!text.chars().any(char::is_control)).then_some(text)
}

pub fn encode_xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'+' | b'=' => out.push_str(&format!("+{byte:02X}")),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("+{byte:02X}")),
        }
    }
    out
}

/// RFC 3461 §4 wants capitals.
fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
