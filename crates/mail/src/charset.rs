//! Bytes in some charset to Unicode. Never fails: what has no meaning becomes U+FFFD.
//! The tables are `encoding_rs`'s; the names mail uses beyond the web's are here.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, WINDOWS_1252};

mod utf7;

/// Decodes by the charset's label as mail writes it. Unknown or missing labels: UTF-8 if the bytes are,
/// windows-1252 otherwise.
pub fn decode<'a>(bytes: &'a [u8], label: Option<&str>) -> Cow<'a, str> {
    let label = label.unwrap_or_default().trim();
    if is_ascii_compatible(label) {
        // Most text is, whatever it says; and text that says ASCII or Latin but is UTF-8 is better read so.
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text));
        }
    }
    if label.eq_ignore_ascii_case("utf-7") || label.eq_ignore_ascii_case("unicode-1-1-utf-7") {
        return Cow::Owned(utf7::decode(bytes));
    }
    let encoding = find(label).unwrap_or(if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        WINDOWS_1252
    });
    encoding.decode_with_bom_removal(bytes).0
}

/// Whether ASCII characters stand for themselves in this charset and nothing else contains their bytes, so that
/// ASCII text can be looked for in the raw bytes.
pub fn is_ascii_compatible(label: &str) -> bool {
    let starts = |start: &str| {
        label
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    label.is_empty()
        || starts("utf-8")
        || starts("utf8")
        || starts("us-ascii")
        || starts("ascii")
        || starts("windows-125")
        || starts("cp125")
        || starts("koi8")
        || starts("iso-8859")
        || starts("iso8859")
        || starts("latin")
}

fn find(label: &str) -> Option<&'static Encoding> {
    let known =
        |label: &str| Encoding::for_label(label.as_bytes()).filter(|found| *found != REPLACEMENT);
    known(label).or_else(|| {
        let label = label.to_ascii_lowercase();
        known(match label.as_str() {
            "cp932" | "shift-jis-2004" | "x-sjis-2004" => "shift_jis",
            "cp936" | "hz-gb-2312" => "gbk",
            "cp949" | "cp-949" | "ks_c_5601" => "euc-kr",
            "cp950" | "big5-eten" => "big5",
            "cp866" | "cp-866" => "ibm866",
            "utf16" => "utf-16",
            "cp65001" => "utf-8",
            // "ISO8859_1", "iso_8859-15", "latin-1", "windows1252", "win-1252"
            other => return loose(other),
        })
    })
}

fn loose(label: &str) -> Option<&'static Encoding> {
    let digits = |rest: &str| rest.trim_start_matches(['-', '_', ' ']).to_owned();
    let rebuilt = if let Some(rest) = label.strip_prefix("iso") {
        let rest = digits(rest);
        format!("iso-8859-{}", digits(rest.strip_prefix("8859")?))
    } else if let Some(rest) = label.strip_prefix("latin") {
        format!("latin{}", digits(rest))
    } else if let Some(rest) = label
        .strip_prefix("windows")
        .or_else(|| label.strip_prefix("win"))
    {
        format!("windows-{}", digits(rest))
    } else {
        format!("windows-{}", digits(label.strip_prefix("cp")?))
    };
    Encoding::for_label(rebuilt.as_bytes()).filter(|found| *found != REPLACEMENT)
}

#[cfg(test)]
mod tests;
