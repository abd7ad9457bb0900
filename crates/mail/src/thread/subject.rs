//! The base subject: the steps of RFC 5256 §2.1, numbered as there.

/// From a decoded subject in one line; tells whether it marked a reply or a forward.
pub(super) fn base(subject: &str) -> (String, bool) {
    // (1)
    let joined = subject
        .split([' ', '\t'])
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let mut text = joined.as_str();
    let mut is_reply = false;
    loop {
        // (2)
        while let Some(shorter) = without_trailer(text, &mut is_reply) {
            text = shorter;
        }
        // (3), (4), (5)
        while let Some(shorter) = without_leader(text, &mut is_reply) {
            text = shorter;
        }
        // (6)
        match without_forward_brackets(text) {
            Some(inner) => {
                text = inner;
                is_reply = true;
            }
            None => return (text.to_owned(), is_reply),
        }
    }
}

/// `subj-trailer = "(fwd)" / WSP`
fn without_trailer<'t>(text: &'t str, is_reply: &mut bool) -> Option<&'t str> {
    if let Some(shorter) = text.strip_suffix(' ') {
        return Some(shorter);
    }
    let at = text.len().checked_sub("(fwd)".len())?;
    let trailer = text.get(at..)?;
    if trailer.eq_ignore_ascii_case("(fwd)") {
        *is_reply = true;
        return text.get(..at);
    }
    None
}

/// `subj-leader = (*subj-blob subj-refwd) / WSP`, or a blob with something after it.
fn without_leader<'t>(text: &'t str, is_reply: &mut bool) -> Option<&'t str> {
    if let Some(shorter) = text.strip_prefix(' ') {
        return Some(shorter);
    }
    let mut after_blobs = text;
    while let Some(shorter) = without_blob(after_blobs) {
        after_blobs = shorter;
    }
    if let Some(shorter) = without_refwd(after_blobs) {
        *is_reply = true;
        return Some(shorter);
    }
    without_blob(text).filter(|rest| !rest.is_empty())
}

/// `subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"`
fn without_refwd(text: &str) -> Option<&str> {
    let rest = ["fwd", "re", "fw"].iter().find_map(|word| {
        let head = text.get(..word.len())?;
        head.eq_ignore_ascii_case(word)
            .then(|| text.get(word.len()..))
            .flatten()
    })?;
    let rest = rest.trim_start_matches(' ');
    without_blob(rest).unwrap_or(rest).strip_prefix(':')
}

/// `subj-blob = "[" *BLOBCHAR "]" *WSP`
fn without_blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    let rest = inner.get(end..)?.strip_prefix(']')?;
    Some(rest.trim_start_matches(' '))
}

/// `subj-fwd-hdr subject subj-fwd-trl`: `[fwd: …]`
fn without_forward_brackets(text: &str) -> Option<&str> {
    let head = text.get(.."[fwd:".len())?;
    if !head.eq_ignore_ascii_case("[fwd:") {
        return None;
    }
    text.get("[fwd:".len()..)?.strip_suffix(']')
}
