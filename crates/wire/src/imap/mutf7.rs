//! Modified UTF-7, the form of mailbox names in IMAP4rev1 (RFC 3501 §5.1.3).
//! Decoding is strict: what does not come out again the same is no name.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Appends the modified UTF-7 form of `name`.
pub fn encode(name: &str, out: &mut Vec<u8>) {
    let mut shifted: Vec<u16> = Vec::new();
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut shifted, out);
            out.push(c as u8);
            if c == '&' {
                out.push(b'-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend_from_slice(c.encode_utf16(&mut units));
        }
    }
    flush(&mut shifted, out);
}

/// The name behind modified UTF-7; `None` when it is malformed.
pub fn decode(text: &[u8]) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'&' => {
                let mut encoded = Vec::new();
                loop {
                    match rest.next()? {
                        b'-' => break,
                        other => encoded.push(other),
                    }
                }
                if encoded.is_empty() {
                    name.push('&');
                } else {
                    decode_shifted(&encoded, &mut name)?;
                }
            }
            b' '..=b'~' => name.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(name)
}

fn flush(units: &mut Vec<u16>, out: &mut Vec<u8>) {
    if units.is_empty() {
        return;
    }
    out.push(b'&');
    let (mut bits, mut held) = (0u32, 0u32);
    for unit in units.drain(..) {
        bits = (bits << 16) | u32::from(unit);
        held += 16;
        while held >= 6 {
            held -= 6;
            out.push(letter(bits >> held));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        out.push(letter(bits << (6 - held)));
    }
    out.push(b'-');
}

fn letter(six_bits: u32) -> u8 {
    ALPHABET
        .get((six_bits & 63) as usize)
        .copied()
        .unwrap_or(b'A')
}

fn decode_shifted(encoded: &[u8], name: &mut String) -> Option<()> {
    let (mut bits, mut held) = (0u32, 0u32);
    let mut units = Vec::with_capacity(encoded.len());
    for byte in encoded {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push(u16::try_from((bits >> held) & 0xffff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    // Padding is shorter than a letter and zero.
    if held >= 6 || bits != 0 {
        return None;
    }
    for c in char::decode_utf16(units) {
        name.push(c.ok()?);
    }
    Some(())
}
