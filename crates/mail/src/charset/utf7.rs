//! UTF-7, which some old mail still is. RFC 2152.

/// `+…-` is base64 of UTF-16, `+-` a plus sign, the rest ASCII.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'+' {
            out.push(if byte.is_ascii() {
                char::from(byte)
            } else {
                char::REPLACEMENT_CHARACTER
            });
            continue;
        }
        let len = rest
            .iter()
            .position(|&b| !(b.is_ascii_alphanumeric() || b == b'+' || b == b'/'));
        let (run, after) = rest.split_at(len.unwrap_or(rest.len()));
        rest = after.strip_prefix(b"-").unwrap_or(after);
        if run.is_empty() {
            out.push('+');
            continue;
        }
        let utf16 = crate::transfer::decode_base64(run);
        let units = utf16
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u16::from_be_bytes(*pair));
        out.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    out
}
