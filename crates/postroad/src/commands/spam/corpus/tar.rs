//! Files in a tar archive: POSIX.1-1988 with the long names of GNU and pax. Only as much as corpora need.

/// Of a header and of padding.
const BLOCK: usize = 512;

/// The regular files with their paths; `None` if it is no archive.
pub fn files(bytes: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let mut found = Vec::new();
    let mut long_name: Option<String> = None;
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + BLOCK) {
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let size = octal(header.get(124..136)?)?;
        let content = bytes.get(at + BLOCK..at.checked_add(BLOCK)?.checked_add(size)?)?;
        match *header.get(156)? {
            b'L' => long_name = Some(text(content)),
            b'x' => long_name = pax_path(content).or(long_name),
            b'0' | 0 => {
                let name = long_name.take().unwrap_or_else(|| name_of(header));
                found.push((name.trim_start_matches("./").to_owned(), content));
            }
            _ => long_name = None,
        }
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
    }
    Some(found)
}

fn name_of(header: &[u8]) -> String {
    let name = text(header.get(..100).unwrap_or_default());
    let is_posix = header.get(257..262) == Some(b"ustar");
    let prefix = text(header.get(345..500).unwrap_or_default());
    if is_posix && !prefix.is_empty() {
        format!("{prefix}/{name}")
    } else {
        name
    }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn octal(field: &[u8]) -> Option<usize> {
    let text = text(field);
    usize::from_str_radix(text.trim(), 8).ok()
}

/// `27 path=…\n`
fn pax_path(content: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(content);
    let line = text.lines().find(|line| line.contains(" path="))?;
    Some(line.split_once(" path=")?.1.to_owned())
}
