//! HTML as a filter reads it: the text that shows, the text that is hidden, links, and the page's build.
//! One pass, no tree. Not for showing pages, and no protection against anything.

use super::{Link, LinkKind, Sight, push_bounded};
use crate::{hash, limits};

/// How the HTML parts are built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Of the decoded markup.
    pub bytes: usize,
    /// The names of the opening tags in order, the first eight letters of each packed.
    pub tags: Vec<u64>,
    /// Hashes of attributes that shape the page (colours, sizes, alignment) with their values.
    pub traits: Vec<u64>,
    pub images: usize,
    /// Fetched from elsewhere.
    pub remote_images: usize,
    /// Sent along: `cid:`.
    pub inline_images: usize,
    /// Written into the page: `data:`.
    pub data_images: usize,
    /// One pixel or none: they only count readers.
    pub tiny_images: usize,
    pub forms: usize,
    pub inputs: usize,
    pub password_inputs: usize,
    pub scripts: usize,
    /// `onclick` and the like.
    pub handlers: usize,
    pub iframes: usize,
    pub comments: usize,
    pub comment_bytes: usize,
    /// Elements whose style hides what is in them.
    pub hiding_elements: usize,
    /// Opening tags that HTML does not know.
    pub unknown_tags: usize,
    /// Character references for plain letters and digits.
    pub coded_letters: usize,
    pub has_base: bool,
    pub has_refresh: bool,
}

/// Reads a page into the sight.
pub(super) fn read(page: &str, sight: &mut Sight) {
    sight.page.bytes += page.len();
    let mut reader = Reader {
        sight,
        hiding: None,
        anchor: None,
        wants_space: false,
    };
    reader.read(page);
    reader.close_anchor();
}

struct Reader<'s> {
    sight: &'s mut Sight,
    /// The element that hides what we read, and how many of its name are open.
    hiding: Option<(u64, usize)>,
    /// Which link is open, and where its text begins.
    anchor: Option<(usize, usize)>,
    wants_space: bool,
}

/// What matters of a tag's attributes.
#[derive(Default)]
struct Attributes<'p> {
    href: Option<&'p str>,
    src: Option<&'p str>,
    action: Option<&'p str>,
    alt: Option<&'p str>,
    style: Option<&'p str>,
    kind: Option<&'p str>,
    background: Option<&'p str>,
    http_equiv: Option<&'p str>,
    content: Option<&'p str>,
    width: Option<&'p str>,
    height: Option<&'p str>,
    is_hidden: bool,
}

/// A tag's name in lower case, its first eight letters.
pub(crate) const fn tag(name: &str) -> u64 {
    pack(name.as_bytes())
}

const fn pack(name: &[u8]) -> u64 {
    let mut packed = 0_u64;
    let mut at = 0;
    while at < name.len() && at < 8 {
        packed = packed << 8 | name[at].to_ascii_lowercase() as u64;
        at += 1;
    }
    packed
}

const A: u64 = tag("a");
const IMG: u64 = tag("img");

/// Elements that do not part words.
const INLINE: [u64; 18] = [
    A,
    tag("b"),
    tag("i"),
    tag("u"),
    tag("em"),
    tag("strong"),
    tag("span"),
    tag("font"),
    tag("small"),
    tag("big"),
    tag("sub"),
    tag("sup"),
    tag("code"),
    tag("wbr"),
    tag("s"),
    tag("strike"),
    tag("bdo"),
    tag("o:p"),
];

const KNOWN: &str = "html head title body meta link base style script noscript p div span br hr a img b i u em \
strong font small big sub sup code pre tt center blockquote ul ol li dl dt dd table thead tbody tfoot tr td th \
caption col colgroup h1 h2 h3 h4 h5 h6 form input button select option textarea label fieldset iframe frame \
frameset map area object embed param applet marquee blink nobr wbr s strike del ins abbr address article aside \
section header footer main nav figure figcaption picture source video audio svg path g rect circle template \
center dir menu q cite kbd samp var bdo layer ilayer basefont bgsound xml o:p v:rect v:roundre v:textbo v:fill \
v:imaged v:shape o:office v:shapet v:formul v:f v:path o:lock v:stroke w:anchor o:allowp o:pixels";

/// Of an attribute that is given twice the first counts, as in browsers (HTML, "duplicate-attribute").
fn first<'p>(known: &mut Option<&'p str>, value: &'p str) {
    known.get_or_insert(value);
}

/// Whether HTML (or the office programs that write it) has such an element.
fn is_known(packed: u64) -> bool {
    static NAMES: std::sync::OnceLock<Vec<u64>> = std::sync::OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let mut names: Vec<u64> = KNOWN.split_ascii_whitespace().map(tag).collect();
        names.sort_unstable();
        names
    });
    names.binary_search(&packed).is_ok()
}

/// Elements without an end.
const VOID: [u64; 10] = [
    IMG,
    tag("br"),
    tag("hr"),
    tag("input"),
    tag("meta"),
    tag("link"),
    tag("base"),
    tag("area"),
    tag("col"),
    tag("param"),
];

impl<'s> Reader<'s> {
    fn read(&mut self, page: &str) {
        let bytes = page.as_bytes();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let len = memchr::memchr2(b'<', b'&', rest).unwrap_or(rest.len());
            self.push_text(page.get(at..at + len).unwrap_or_default());
            at += len;
            at = match bytes.get(at) {
                Some(b'<') => self.markup(page, at),
                Some(_) => self.reference(page, at),
                None => return,
            };
        }
    }

    /// A tag or comment, or a lone `<`; gives where it ends.
    fn markup(&mut self, page: &str, at: usize) -> usize {
        let rest = page.get(at + 1..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("!--") {
            self.sight.page.comments += 1;
            let len = comment.find("-->").map_or(comment.len(), |end| end + 3);
            self.sight.page.comment_bytes += len;
            return at + 4 + len;
        }
        match rest.as_bytes().first() {
            Some(b'/') => {
                let len = memchr::memchr(b'>', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
                self.close(pack(name_of(rest.get(1..).unwrap_or_default())));
                at + 1 + len
            }
            Some(b'!' | b'?') => {
                let len = memchr::memchr(b'>', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
                at + 1 + len
            }
            Some(first) if first.is_ascii_alphabetic() => {
                let name = name_of(rest);
                let (attributes, end) = self.attributes(page, at + 1 + name.len(), pack(name));
                self.open(pack(name), &attributes);
                self.after_silent(page, end, name)
            }
            _ => {
                self.push_text("<");
                at + 1
            }
        }
    }

    /// The content of styles and scripts is no text.
    fn after_silent(&mut self, page: &str, at: usize, name: &[u8]) -> usize {
        if !name.eq_ignore_ascii_case(b"style") && !name.eq_ignore_ascii_case(b"script") {
            return at;
        }
        let rest = page.as_bytes().get(at..).unwrap_or_default();
        let close = memchr::memmem::find_iter(rest, b"</").find(|&close| {
            rest.get(close + 2..close + 2 + name.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        });
        at + close.unwrap_or(rest.len())
    }

    /// Reads attributes up to the end of the tag, and gives where that is.
    fn attributes<'p>(
        &mut self,
        page: &'p str,
        start: usize,
        element: u64,
    ) -> (Attributes<'p>, usize) {
        let bytes = page.as_bytes();
        let mut found = Attributes::default();
        let mut at = start;
        loop {
            while bytes
                .get(at)
                .is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'/')
            {
                at += 1;
            }
            match bytes.get(at) {
                None => return (found, at),
                Some(b'>') => return (found, at + 1),
                // A tag that never ended.
                Some(b'<') => return (found, at),
                _ => {}
            }
            let name_start = at;
            while bytes
                .get(at)
                .is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>'))
            {
                at += 1;
            }
            let name = page.get(name_start..at).unwrap_or_default();
            while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            }
            let mut value = "";
            if bytes.get(at) == Some(&b'=') {
                at += 1;
                while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
                    at += 1;
                }
                (value, at) = value_at(page, at);
            } else if at == name_start {
                at += 1;
            }
            self.attribute(&mut found, element, name, value);
        }
    }

    fn attribute<'p>(
        &mut self,
        found: &mut Attributes<'p>,
        element: u64,
        name: &str,
        value: &'p str,
    ) {
        let mut lower = [0; 10];
        let Some(lower) = lower.get_mut(..name.len()) else {
            if name.len() > 10 && starts_with_on(name.as_bytes()) {
                self.sight.page.handlers += 1;
            }
            return;
        };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        match &*lower {
            b"href" => first(&mut found.href, value),
            b"src" => first(&mut found.src, value),
            b"action" => first(&mut found.action, value),
            b"alt" => first(&mut found.alt, value),
            b"style" => first(&mut found.style, value),
            b"type" => first(&mut found.kind, value),
            b"background" => first(&mut found.background, value),
            b"http-equiv" => first(&mut found.http_equiv, value),
            b"content" => first(&mut found.content, value),
            b"hidden" => found.is_hidden = true,
            b"width" | b"height" => {
                if *lower == *b"width" {
                    first(&mut found.width, value);
                } else {
                    first(&mut found.height, value);
                }
                self.push_trait(element, lower, value);
            }
            b"color" | b"bgcolor" | b"size" | b"face" | b"align" | b"valign" | b"border"
            | b"name" | b"target" | b"link" | b"vlink" | b"text" | b"topmargin" | b"dir"
            | b"lang" | b"charset" | b"rel" | b"role" | b"class" => {
                self.push_trait(element, lower, value);
            }
            _ if starts_with_on(lower) => self.sight.page.handlers += 1,
            _ => {}
        }
    }

    fn push_trait(&mut self, element: u64, name: &[u8], value: &str) {
        let page = &mut self.sight.page;
        if page.traits.len() < limits::TAGS_MAX && value.len() <= 40 {
            let mut lower = [0; 40];
            let lower = &mut lower[..value.len()];
            lower.copy_from_slice(value.as_bytes());
            lower.make_ascii_lowercase();
            let of = hash::with(hash::of(lower.trim_ascii()), pack(name));
            page.traits.push(hash::with(of, element));
        }
    }

    fn open(&mut self, element: u64, attributes: &Attributes<'_>) {
        let page = &mut self.sight.page;
        if page.tags.len() < limits::TAGS_MAX {
            page.tags.push(element);
        }
        if !is_known(element) {
            page.unknown_tags += 1;
        }
        if let Some((hiding, count)) = &mut self.hiding {
            if *hiding == element && !VOID.contains(&element) {
                *count += 1;
            }
        } else if hides(attributes) && !VOID.contains(&element) {
            self.sight.page.hiding_elements += 1;
            self.hiding = Some((element, 1));
        } else if element == tag("title") {
            self.hiding = Some((element, 1));
        }
        self.part_words(element);
        self.note(element, attributes);
    }

    fn note(&mut self, element: u64, attributes: &Attributes<'_>) {
        let page = &mut self.sight.page;
        if element == IMG {
            self.image(attributes);
        } else if element == A || element == tag("area") {
            self.close_anchor();
            if let Some(href) = attributes.href {
                self.push_link(LinkKind::Anchor, href);
                let last = self.sight.links.len().saturating_sub(1);
                self.anchor = Some((last, self.sight.text.len()));
            }
        } else if element == tag("form") {
            page.forms += 1;
            if let Some(action) = attributes.action {
                self.push_link(LinkKind::Form, action);
            }
        } else if element == tag("input") {
            page.inputs += 1;
            let kind = attributes.kind.unwrap_or_default();
            page.password_inputs += usize::from(kind.eq_ignore_ascii_case("password"));
        } else if element == tag("script") {
            page.scripts += 1;
        } else if element == tag("iframe") || element == tag("frame") {
            page.iframes += 1;
        } else if element == tag("base") {
            page.has_base |= attributes.href.is_some();
        } else if element == tag("meta") {
            let equiv = attributes.http_equiv.unwrap_or_default();
            if equiv.eq_ignore_ascii_case("refresh") {
                page.has_refresh = true;
                let content = attributes.content.unwrap_or_default();
                if let Some((_, target)) = content.split_once('=') {
                    self.push_link(LinkKind::Other, target);
                }
            }
            return;
        }
        if let Some(background) = attributes.background {
            self.push_link(LinkKind::Image, background);
        }
        let other = [
            tag("iframe"),
            tag("frame"),
            tag("link"),
            tag("base"),
            tag("object"),
        ];
        if other.contains(&element)
            && let Some(target) = attributes.src.or(attributes.href)
        {
            self.push_link(LinkKind::Other, target);
        }
    }

    fn image(&mut self, attributes: &Attributes<'_>) {
        let page = &mut self.sight.page;
        page.images += 1;
        let source = attributes.src.unwrap_or_default().trim();
        let starts = |with: &str| {
            source
                .get(..with.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(with))
        };
        page.remote_images += usize::from(starts("http"));
        page.inline_images += usize::from(starts("cid:"));
        page.data_images += usize::from(starts("data:"));
        let small = |size: Option<&str>| size.is_some_and(|size| matches!(size.trim(), "0" | "1"));
        page.tiny_images += usize::from(small(attributes.width) && small(attributes.height));
        if let Some(link) = self.anchor.and_then(|(at, _)| self.sight.links.get_mut(at)) {
            link.has_image = true;
        }
        if let Some(alt) = attributes.alt {
            self.wants_space = true;
            self.push_text(alt);
            self.wants_space = true;
        }
        if !starts("data:") && !source.is_empty() {
            self.push_link(LinkKind::Image, source);
        }
    }

    fn close(&mut self, element: u64) {
        if let Some((hiding, count)) = &mut self.hiding
            && *hiding == element
        {
            *count -= 1;
            if *count == 0 {
                self.hiding = None;
            }
        }
        if element == A {
            self.close_anchor();
        }
        self.part_words(element);
    }

    fn close_anchor(&mut self) {
        let Some((at, start)) = self.anchor.take() else {
            return;
        };
        let shown = self.sight.text.get(start..).unwrap_or_default().trim();
        let end = shown.floor_char_boundary(limits::LINK_TEXT_BYTES_MAX);
        let shown = shown.get(..end).unwrap_or_default().to_owned();
        if let Some(link) = self.sight.links.get_mut(at) {
            link.shown = shown;
        }
    }

    fn push_link(&mut self, kind: LinkKind, target: &str) {
        if self.sight.links.len() >= limits::LINKS_MAX {
            return;
        }
        let target = target.trim();
        let end = target.floor_char_boundary(limits::LINK_TARGET_BYTES_MAX);
        self.sight.links.push(Link {
            kind,
            target: unescape(target.get(..end).unwrap_or_default()),
            shown: String::new(),
            has_image: false,
        });
    }

    fn part_words(&mut self, element: u64) {
        if INLINE.contains(&element) {
            return;
        }
        self.wants_space = true;
    }

    /// White space is joined, as browsers do.
    fn push_text(&mut self, text: &str) {
        let (out, most) = match self.hiding {
            Some(_) => (&mut self.sight.hidden, limits::HIDDEN_BYTES_MAX),
            None => (&mut self.sight.text, limits::TEXT_BYTES_MAX),
        };
        if out.len() >= most {
            return;
        }
        if text.starts_with(|c: char| c.is_ascii_whitespace()) {
            self.wants_space = true;
        }
        for word in text.split_ascii_whitespace() {
            if self.wants_space && !out.is_empty() {
                push_bounded(out, " ", most);
            }
            push_bounded(out, word, most);
            self.wants_space = true;
        }
        self.wants_space = if text.trim_ascii().is_empty() {
            self.wants_space
        } else {
            text.ends_with(|c: char| c.is_ascii_whitespace())
        };
    }

    fn reference(&mut self, page: &str, at: usize) -> usize {
        let rest = page.get(at..).unwrap_or_default();
        let Some((c, len)) = read_reference(rest) else {
            self.push_text("&");
            return at + 1;
        };
        if c.is_ascii_alphanumeric() {
            self.sight.page.coded_letters += 1;
        }
        self.push_text(c.encode_utf8(&mut [0; 4]));
        at + len
    }
}

fn name_of(rest: &str) -> &[u8] {
    let bytes = rest.as_bytes();
    let len = bytes
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_'))
        .count();
    bytes.get(..len).unwrap_or_default()
}

fn starts_with_on(name: &[u8]) -> bool {
    name.len() > 4
        && name
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"on"))
}

/// A value with or without quotes, and where it ends.
fn value_at(page: &str, at: usize) -> (&str, usize) {
    let bytes = page.as_bytes();
    match bytes.get(at) {
        Some(&quote @ (b'"' | b'\'')) => {
            let rest = bytes.get(at + 1..).unwrap_or_default();
            let len = memchr::memchr(quote, rest).unwrap_or(rest.len());
            let value = page.get(at + 1..at + 1 + len).unwrap_or_default();
            (value, (at + len + 2).min(bytes.len()))
        }
        _ => {
            let rest = bytes.get(at..).unwrap_or_default();
            let len = rest
                .iter()
                .position(|byte| byte.is_ascii_whitespace() || *byte == b'>')
                .unwrap_or(rest.len());
            (page.get(at..at + len).unwrap_or_default(), at + len)
        }
    }
}

/// Whether the element's content does not show.
fn hides(attributes: &Attributes<'_>) -> bool {
    if attributes.is_hidden {
        return true;
    }
    let Some(style) = attributes.style else {
        return false;
    };
    let mut compact = [0; 400];
    let mut len = 0;
    for byte in style.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let Some(slot) = compact.get_mut(len) else {
            break;
        };
        *slot = byte.to_ascii_lowercase();
        len += 1;
    }
    let compact = compact.get(..len).unwrap_or_default();
    // Each is a name, a colon and a value.
    memchr::memchr_iter(b':', compact).any(|colon| {
        let (before, after) = compact.split_at(colon);
        let after = after.get(1..).unwrap_or_default();
        let is = |name: &str, value: &str| {
            before.ends_with(name.as_bytes()) && after.starts_with(value.as_bytes())
        };
        let is_none = |name: &str| before.ends_with(name.as_bytes()) && after == b"0";
        is("display", "none")
            || is("visibility", "hidden")
            || is("mso-hide", "all")
            || is("font-size", "0px")
            || is("font-size", "0;")
            || is("font-size", "1px")
            || is_none("font-size")
            || is("max-height", "0")
            || is("opacity", "0;")
            || is_none("opacity")
    })
}

/// A value with its character references undone.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        let (before, from_here) = rest.split_at(at);
        out.push_str(before);
        rest = match read_reference(from_here) {
            Some((c, len)) => {
                out.push(c);
                from_here.get(len..).unwrap_or_default()
            }
            None => {
                out.push('&');
                from_here.get(1..).unwrap_or_default()
            }
        };
    }
    out.push_str(rest);
    out
}

/// The character reference that stands here, and its length.
fn read_reference(rest: &str) -> Option<(char, usize)> {
    let inner = rest.get(1..)?;
    let end = inner.bytes().take(12).position(|byte| byte == b';')?;
    let name = inner.get(..end)?;
    let c = match name.strip_prefix('#') {
        Some(digits) => {
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
                .filter(|c| !c.is_control())
                .unwrap_or(' ')
        }
        None => named(name)?,
    };
    Some((c, end + 2))
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "ldquo" | "rdquo" => '"',
        "ndash" | "mdash" => '-',
        "hellip" => '…',
        "bull" | "middot" => '·',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "euro" => '€',
        "pound" => '£',
        "auml" | "aacute" | "agrave" | "acirc" | "aring" => 'a',
        "ouml" | "oacute" | "ograve" | "ocirc" => 'o',
        "uuml" | "uacute" | "ugrave" => 'u',
        "eacute" | "egrave" | "ecirc" | "euml" => 'e',
        "iacute" | "icirc" | "iuml" => 'i',
        "ntilde" => 'n',
        "ccedil" => 'c',
        "szlig" => 'ß',
        "zwnj" => '\u{200c}',
        "zwj" => '\u{200d}',
        "shy" => '\u{ad}',
        _ => return None,
    })
}
