//! The body hashes that the signatures of one message need: one pass over the body for each
//! canonical form, however many signatures there are and whatever lengths they cover.

use aws_lc_rs::digest;

use super::canonicalize::{Form, Relaxed, Sink, bytes_of, simple_body};

/// What signatures ask for: a form, and the `l=` if there is one.
pub(crate) type Wish = (Form, Option<u64>);

#[derive(Debug)]
pub(crate) struct BodyHashes {
    simple: Option<Hashes>,
    relaxed: Option<Hashes>,
}

/// The hash of a body or its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyDigest {
    pub hash: [u8; 32],
    /// Nothing follows what was hashed.
    pub whole: bool,
}

#[derive(Debug)]
struct Hashes {
    length: u64,
    whole: [u8; 32],
    /// Of the first so many bytes, ascending.
    cut: Vec<(u64, [u8; 32])>,
}

impl BodyHashes {
    pub fn of(body: &[u8], wishes: &[Wish]) -> Self {
        let wanted = |form| {
            let lengths = wishes.iter().filter(|wish| wish.0 == form);
            let lengths: Vec<Option<u64>> = lengths.map(|wish| wish.1).collect();
            (!lengths.is_empty()).then(|| Cutter::new(lengths.into_iter().flatten().collect()))
        };
        Self {
            simple: wanted(Form::Simple).map(|cutter| simple_body(body, cutter).finish()),
            relaxed: wanted(Form::Relaxed).map(|cutter| {
                let mut canonical = Relaxed::new(cutter);
                canonical.update(body);
                canonical.finish().finish()
            }),
        }
    }

    /// `None` if the body is shorter than that, or nobody wished for it.
    pub fn get(&self, wish: Wish) -> Option<BodyDigest> {
        let hashes = match wish.0 {
            Form::Simple => self.simple.as_ref()?,
            Form::Relaxed => self.relaxed.as_ref()?,
        };
        match wish.1 {
            Some(length) if length != hashes.length => {
                let (_, hash) = hashes.cut.iter().find(|(cut, _)| *cut == length)?;
                Some(BodyDigest {
                    hash: *hash,
                    whole: false,
                })
            }
            _ => Some(BodyDigest {
                hash: hashes.whole,
                whole: true,
            }),
        }
    }
}

/// Hashes what flows through, and remembers the hash at the places asked for.
struct Cutter {
    hash: digest::Context,
    seen: u64,
    /// Still to come, descending.
    lengths: Vec<u64>,
    cut: Vec<(u64, [u8; 32])>,
}

impl Cutter {
    fn new(mut lengths: Vec<u64>) -> Self {
        lengths.sort_unstable_by(|one, two| two.cmp(one));
        lengths.dedup();
        Self {
            hash: digest::Context::new(&digest::SHA256),
            seen: 0,
            lengths,
            cut: Vec::new(),
        }
    }

    fn finish(mut self) -> Hashes {
        self.take(&[]);
        Hashes {
            length: self.seen,
            whole: bytes_of(&self.hash.finish()),
            cut: self.cut,
        }
    }
}

impl Sink for Cutter {
    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(&length) = self.lengths.last() {
            let until = usize::try_from(length - self.seen).unwrap_or(usize::MAX);
            let Some((before, after)) = rest.split_at_checked(until) else {
                break;
            };
            self.hash.update(before);
            self.seen = length;
            self.cut
                .push((length, bytes_of(&self.hash.clone().finish())));
            self.lengths.pop();
            rest = after;
        }
        self.hash.update(rest);
        self.seen += rest.len() as u64;
    }
}
