//! Bodies: DATA with its dots, BDAT with its counts. The hottest path of the whole product: content
//! is copied once, from the carrier's buffer into the message.

use super::{Asked, Ending, Event, Server, State, replies};
use crate::Step;
use crate::limits;
use crate::smtp::{Body, EnhancedCode, Reply};
use crate::stuffing::{Progress, StrictLines, Unstuffer};

/// Inside DATA.
#[derive(Debug)]
pub(super) struct DataBody {
    unstuffer: Unstuffer,
    content: Vec<u8>,
    /// As they came, dots and all.
    received: u64,
    fate: Fate,
}

#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    /// Too big: read on to its end, and thrown away.
    Drained,
    /// The end has come.
    Complete,
}

impl DataBody {
    pub(super) fn received(&self) -> u64 {
        self.received
    }
}

/// Inside the content of one BDAT.
#[derive(Debug)]
pub(super) struct Chunk {
    size: u64,
    remaining: u64,
    last: bool,
    /// Said at its end, if it is not wanted.
    refusal: Option<Reply>,
}

impl Chunk {
    pub(super) fn received(&self) -> u64 {
        self.size - self.remaining
    }
}

/// What the BDATs of one message brought so far.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    content: Vec<u8>,
    lines: StrictLines,
}

impl Server {
    pub(super) fn begin_data(&mut self) {
        let declared = self
            .transaction
            .as_ref()
            .map_or(0, |transaction| transaction.declared);
        self.say(&Reply::plain(354, "Go ahead, end with <CR><LF>.<CR><LF>"));
        self.state = State::Data(Box::new(DataBody {
            unstuffer: Unstuffer::default(),
            content: Vec::with_capacity(reserve(declared)),
            received: 0,
            fate: Fate::Kept,
        }));
    }

    /// Content, in whatever pieces it comes.
    pub(super) fn take_data(&mut self, bytes: &[u8]) {
        let State::Data(body) = &mut self.state else {
            return;
        };
        if body.fate == Fate::Complete {
            return self.input.push(bytes);
        }
        let progress = body.unstuffer.push(bytes, &mut body.content);
        let consumed = match progress {
            Progress::End { consumed } => consumed,
            Progress::More | Progress::Bad(_) => bytes.len(),
        };
        body.received += consumed as u64;
        if body.fate == Fate::Kept && body.content.len() as u64 > self.settings.size_max {
            body.fate = Fate::Drained;
            body.content = Vec::new();
        }
        if body.fate == Fate::Drained {
            body.content.clear();
        }
        match progress {
            Progress::More
                if body.received
                    > self
                        .settings
                        .size_max
                        .saturating_add(limits::DRAIN_BYTES_MAX) =>
            {
                self.close(&replies::TOO_BIG, Ending::TooBig);
            }
            Progress::More => {}
            Progress::Bad(fault) => self.close(&replies::bad_body(fault), Ending::BadFraming),
            Progress::End { .. } => {
                if body.fate == Fate::Drained {
                    self.state = State::Command;
                    self.transaction = None;
                    self.error(&replies::TOO_BIG);
                } else {
                    body.fate = Fate::Complete;
                }
                // What follows the end are commands. Unless we just hung up.
                if !matches!(self.state, State::Closed) {
                    self.input.push(bytes.get(consumed..).unwrap_or_default());
                }
            }
        }
    }

    pub(super) fn advance_data(&mut self) -> Option<Step<Event>> {
        let State::Data(body) = &mut self.state else {
            return None;
        };
        if body.fate == Fate::Complete {
            let content = std::mem::take(&mut body.content);
            return self.ask(Asked::Message, Event::Message(content));
        }
        if self.input.is_empty() {
            return Some(self.wait(self.settings.body_patience));
        }
        let bytes = self.input.take();
        self.take_data(&bytes);
        None
    }

    pub(super) fn bdat(&mut self, size: u64, last: bool) -> Option<Step<Event>> {
        let Some(transaction) = &mut self.transaction else {
            self.refuse_chunk(size, replies::MAIL_FIRST, self.group_refused);
            return None;
        };
        if transaction.recipients == 0 {
            self.refuse_chunk(size, replies::NO_RECIPIENTS, true);
            return None;
        }
        if transaction.chunks.is_none() {
            return self.ask(Asked::FirstChunk { size, last }, Event::Data);
        }
        self.begin_chunk(size, last);
        None
    }

    /// The flow said yes to the first BDAT.
    pub(super) fn begin_chunks(&mut self, size: u64, last: bool) {
        if let Some(transaction) = &mut self.transaction {
            let content = Vec::with_capacity(reserve(transaction.declared.max(size)));
            transaction.chunks = Some(Box::new(Chunks {
                content,
                lines: StrictLines::default(),
            }));
        }
        self.begin_chunk(size, last);
    }

    fn begin_chunk(&mut self, size: u64, last: bool) {
        if self.chunk_bytes_before().saturating_add(size) > self.settings.size_max {
            self.transaction = None;
            return self.refuse_chunk(size, replies::TOO_BIG, false);
        }
        self.state = State::Chunk(Chunk {
            size,
            remaining: size,
            last,
            refusal: None,
        });
    }

    pub(super) fn chunk_bytes_before(&self) -> u64 {
        let chunks = self
            .transaction
            .as_ref()
            .and_then(|transaction| transaction.chunks.as_ref());
        let now = match &self.state {
            State::Chunk(chunk) => chunk.received(),
            _ => 0,
        };
        chunks.map_or(0, |chunks| {
            (chunks.content.len() as u64).saturating_sub(now)
        })
    }

    /// The peer did wrong (or could not know better), but its content comes anyway.
    fn refuse_chunk(&mut self, size: u64, reply: Reply, blameless: bool) {
        let too_many = if blameless {
            self.tally.following()
        } else {
            self.tally.error()
        };
        if too_many {
            self.say(&reply);
            return self.close(&replies::TOO_MANY_ERRORS, Ending::TooManyErrors);
        }
        self.drain_chunk(size, reply);
    }

    /// RFC 3030 §2: the content follows whatever we think of it, and must be read to stay in step.
    pub(super) fn drain_chunk(&mut self, size: u64, reply: Reply) {
        if size
            > self
                .settings
                .size_max
                .saturating_add(limits::DRAIN_BYTES_MAX)
        {
            return self.close(&reply, Ending::TooBig);
        }
        self.state = State::Chunk(Chunk {
            size,
            remaining: size,
            last: false,
            refusal: Some(reply),
        });
    }

    pub(super) fn take_chunk(&mut self, bytes: &[u8]) {
        let State::Chunk(chunk) = &mut self.state else {
            return;
        };
        let wanted = usize::try_from(chunk.remaining)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let (content, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        chunk.remaining -= content.len() as u64;
        if chunk.refusal.is_none()
            && let Some(transaction) = &mut self.transaction
            && let Some(chunks) = &mut transaction.chunks
        {
            let binary = transaction.body == Body::BinaryMime;
            if !binary && let Err(fault) = chunks.lines.push(content) {
                // The count keeps us in step, so a wrong line end here costs the message only.
                chunk.refusal = Some(replies::bad_body(fault));
            } else {
                chunks.content.extend_from_slice(content);
            }
        }
        self.input.push(rest);
    }

    pub(super) fn advance_chunk(&mut self) -> Option<Step<Event>> {
        let State::Chunk(chunk) = &mut self.state else {
            return None;
        };
        if chunk.remaining > 0 {
            if self.input.is_empty() {
                return Some(self.wait(self.settings.body_patience));
            }
            let bytes = self.input.take();
            self.take_chunk(&bytes);
            return None;
        }
        let (size, last, refusal) = (chunk.size, chunk.last, chunk.refusal.take());
        self.state = State::Command;
        if let Some(reply) = refusal {
            self.transaction = None;
            self.group_refused = true;
            self.say(&reply);
            return None;
        }
        if !last {
            self.say(&Reply::new(
                250,
                EnhancedCode(2, 0, 0),
                format!("{size} bytes received"),
            ));
            return None;
        }
        self.complete_chunks()
    }

    fn complete_chunks(&mut self) -> Option<Step<Event>> {
        let transaction = self.transaction.as_mut()?;
        let chunks = transaction.chunks.take()?;
        if transaction.body != Body::BinaryMime
            && let Err(fault) = chunks.lines.finish()
        {
            self.transaction = None;
            self.error(&replies::bad_body(fault));
            return None;
        }
        self.ask(Asked::Message, Event::Message(chunks.content))
    }
}

/// A declared size is a claim: enough is reserved to save most of the growing, no more.
fn reserve(declared: u64) -> usize {
    usize::try_from(declared)
        .unwrap_or(usize::MAX)
        .clamp(4 * 1024, limits::BODY_BYTES_RESERVE_MAX)
}
