//! HTML and SVG sent as files: do they run programs, and do those make files or forms appear?

use super::Kind;

/// What unpacks something that was hidden in the page.
const UNPACKING: &[&str] = &[
    "atob(",
    "unescape(",
    "decodeuricomponent(",
    "string.fromcharcode",
    "createobjecturl",
    "new blob(",
    "mssaveoropenblob",
    "mssaveblob",
    "eval(",
    "new function(",
    "cryptojs",
    "uint8array",
    "parseint(",
    "charcodeat(",
];

/// What makes something of it: a download, a page, a way elsewhere.
const MAKING: &[&str] = &[
    "document.write",
    ".download",
    " download=",
    "createobjecturl",
    "mssaveoropenblob",
    "mssaveblob",
    "innerhtml",
    "outerhtml",
    "location.href",
    "location.replace",
    "window.location",
    "location=",
    "location.assign",
    "eval(",
    "new function(",
    "createelement(",
    "setattribute(",
    "appendchild(",
];

/// What a page that came as a file is.
pub(super) fn look(text: &str) -> Kind {
    let lower = text.to_ascii_lowercase();
    let has = |mark: &str| lower.contains(mark);
    let runs = has("<script") || has("javascript:") || has_handler(&lower);
    let asks = has("type=\"password\"") || has("type='password'") || has("type=password");
    let unpacks = UNPACKING.iter().any(|mark| has(mark));
    let makes = MAKING.iter().any(|mark| has(mark));
    let carries = has("data:application/")
        || has("data:text/html;base64")
        || has("href=\"data:") && has("download");
    let goes =
        has("http-equiv=\"refresh\"") || has("http-equiv='refresh'") || has("http-equiv=refresh");
    let foreign = has("<foreignobject") || has("<embed");
    if asks || carries || runs && unpacks && makes || runs && foreign {
        return Kind::SmugglingPage;
    }
    if runs || goes && has("url=") {
        return Kind::ScriptedPage;
    }
    Kind::Page
}

/// ` onload=`, ` onerror=` and the like.
fn has_handler(lower: &str) -> bool {
    let events = [
        "load",
        "error",
        "click",
        "mouseover",
        "focus",
        "pageshow",
        "begin",
        "toggle",
        "submit",
    ];
    events.iter().any(|event| {
        let mark = format!("on{event}=");
        lower.match_indices(&mark).any(|(at, _)| {
            let before = lower.get(..at).and_then(|text| text.chars().next_back());
            before.is_some_and(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '/'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::attachments::Kind;

    #[test]
    fn what_pages_do() {
        for (page, want) in [
            ("<html><p>Hello</p></html>", Kind::Page),
            ("<html><script>console.log(1)</script>", Kind::ScriptedPage),
            ("<svg onload=\"go()\"></svg>", Kind::ScriptedPage),
            (
                "<meta http-equiv=\"refresh\" content=\"0; url=https://evil.example/\">",
                Kind::ScriptedPage,
            ),
            (
                "<script>document.write(atob('PGh0bWw+'))</script>",
                Kind::SmugglingPage,
            ),
            (
                "<form action=x><input type=password></form>",
                Kind::SmugglingPage,
            ),
            (
                "<a href=\"data:application/zip;base64,UEs\" download=\"a.zip\">",
                Kind::SmugglingPage,
            ),
            (
                "<SCRIPT>var b=new Blob([d]);a.href=URL.createObjectURL(b);</SCRIPT>",
                Kind::SmugglingPage,
            ),
            ("<p>buttonload=1</p>", Kind::Page),
        ] {
            assert_eq!(look(page), want, "{page}");
        }
    }
}
