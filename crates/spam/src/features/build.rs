//! Features of how the message is built: the tree of parts, and the page.

use super::shape::{self, bucket, fact, said, share};
use super::{Group, Sink};
use crate::{Sight, hash};

/// Most parts and attributes that are looked at.
const PARTS_MAX: usize = 20;
const TRAITS_MAX: usize = 400;

pub(super) fn describe(sight: &Sight, sink: &mut impl Sink) {
    parts(sight, sink);
    page(sight, sink);
}

fn parts(sight: &Sight, sink: &mut impl Sink) {
    let mut tree = hash::of(b"tree");
    let mut attachments = 0;
    for part in sight.parts.iter().take(PARTS_MAX) {
        let kind = hash::of(part.media_type.as_bytes());
        tree = hash::with(
            hash::with(tree, kind),
            u64::try_from(part.depth).unwrap_or_default(),
        );
        sink.put(Group::Parts, kind, || part.media_type.clone());
        let coded = hash::with(kind, part.encoding as u64);
        sink.put(Group::Parts, coded, || {
            format!("{} as {:?}", part.media_type, part.encoding)
        });
        if part.is_shown_text {
            let charset = hash::with(hash::of(part.charset.as_bytes()), kind);
            sink.put(Group::Parts, charset, || {
                format!("{} in {}", part.media_type, part.charset)
            });
            let both = hash::with(charset, part.encoding as u64);
            sink.put(Group::Parts, both, || {
                format!(
                    "{} in {} as {:?}",
                    part.media_type, part.charset, part.encoding
                )
            });
        }
        if let Some(name) = &part.name {
            attachments += 1;
            let ending = name.rsplit('.').next().unwrap_or_default();
            said(
                sink,
                Group::Parts,
                "a file ending",
                shape::lower(ending.as_bytes().get(..8).unwrap_or(ending.as_bytes())).as_slice(),
            );
            said(
                sink,
                Group::Parts,
                "a file named like",
                shape::of(name.as_bytes()).as_slice(),
            );
        }
    }
    sink.put(Group::Parts, tree, || "its tree of parts".to_owned());
    fact(
        sink,
        Group::Parts,
        "parts",
        bucket(sight.parts.len()).min(5),
    );
    fact(sink, Group::Parts, "files", bucket(attachments).min(4));
}

fn page(sight: &Sight, sink: &mut impl Sink) {
    let page = &sight.page;
    if page.bytes == 0 {
        fact(sink, Group::Page, "no page", 1);
        return;
    }
    for window in page.tags.windows(3) {
        let mut of = hash::of(b"tags");
        for tag in window {
            of = hash::with(of, *tag);
        }
        sink.put(Group::Page, of, || format!("tags {}", names(window)));
    }
    for tag in &page.tags {
        sink.put(Group::Page, hash::with(*tag, 5), || {
            format!("tag {}", names(&[*tag]))
        });
    }
    for of in page.traits.iter().take(TRAITS_MAX) {
        sink.put(Group::Page, *of, || "an attribute of the page".to_owned());
    }
    let mut measure = |name, value| fact(sink, Group::Page, name, value);
    measure("page size", bucket(page.bytes / 64).min(14));
    measure(
        "text of page",
        share(sight.text_of_pages_bytes * 2, page.bytes),
    );
    measure(
        "text beside page",
        share(
            sight.text.len() - sight.text_of_pages_bytes.min(sight.text.len()),
            sight.text.len(),
        ),
    );
    measure("images", bucket(page.images).min(7));
    measure("remote images", bucket(page.remote_images).min(7));
    measure("inline images", bucket(page.inline_images).min(4));
    measure("data images", bucket(page.data_images).min(3));
    measure("tiny images", bucket(page.tiny_images).min(3));
    measure("forms", bucket(page.forms).min(2));
    measure("inputs", bucket(page.inputs).min(3));
    measure("passwords", bucket(page.password_inputs).min(1));
    measure("scripts", bucket(page.scripts).min(2));
    measure("handlers", bucket(page.handlers).min(2));
    measure("frames", bucket(page.iframes).min(2));
    measure("comments", bucket(page.comments).min(6));
    measure("comment share", share(page.comment_bytes * 2, page.bytes));
    measure("hiding", bucket(page.hiding_elements).min(5));
    measure("unknown tags", bucket(page.unknown_tags).min(5));
    measure("coded letters", bucket(page.coded_letters).min(6));
    measure("base", u64::from(page.has_base));
    measure("refresh", u64::from(page.has_refresh));
    let text = sight.text.len();
    measure(
        "pictures for words",
        bucket(page.images * 400 / text.max(1)).min(5),
    );
    measure("hidden share", share(sight.hidden.len() * 2, text));
}

/// Packed names of tags, for people.
fn names(tags: &[u64]) -> String {
    let name = |tag: &u64| {
        let bytes = tag.to_be_bytes();
        let written = bytes.iter().filter(|byte| **byte != 0);
        written.map(|byte| char::from(*byte)).collect::<String>()
    };
    tags.iter().map(name).collect::<Vec<_>>().join(" ")
}
