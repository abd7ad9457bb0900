//! Packets: a length of four octets, a letter, and what belongs to it. Reading them is bounded and never copies more than
//! one at a time.

use crate::limits::{MILTER_INPUT_BYTES_MAX, MILTER_PACKET_BYTES_MAX};

/// Bytes from the filter that are not acted on yet.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    bytes: Vec<u8>,
    start: usize,
}

/// What stands at the front.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front<'a> {
    Whole {
        command: u8,
        data: &'a [u8],
    },
    Partial,
    /// Longer than anything a filter has to say, or empty.
    Bad,
}

impl Packets {
    /// False if more came than may wait.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        let fits = self.bytes.len() + bytes.len() <= MILTER_INPUT_BYTES_MAX;
        if fits {
            self.bytes.extend_from_slice(bytes);
        }
        fits
    }

    /// The first packet; it is over when the next one is asked for.
    pub(crate) fn next(&mut self) -> Front<'_> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let Some((head, rest)) = rest.split_first_chunk::<4>() else {
            return Front::Partial;
        };
        let length = u32::from_be_bytes(*head) as usize;
        if length == 0 || MILTER_PACKET_BYTES_MAX < length {
            return Front::Bad;
        }
        match rest.get(..length).and_then(<[u8]>::split_first) {
            Some((command, data)) => {
                self.start += 4 + length;
                Front::Whole {
                    command: *command,
                    data,
                }
            }
            None => Front::Partial,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Gives the memory back: an idle connection owns no buffer.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn clear_if_empty(&mut self) {
        if self.is_empty() {
            self.clear();
        }
    }
}

/// A packet of ours being written.
pub(crate) struct Packet<'o> {
    out: &'o mut Vec<u8>,
    at: usize,
}

impl<'o> Packet<'o> {
    pub(crate) fn begin(out: &'o mut Vec<u8>, command: u8) -> Self {
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        out.push(command);
        Self { out, at }
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.out.extend_from_slice(bytes);
        self
    }

    pub(crate) fn number(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A string with its NUL; one inside it would end it for the filter, so it is left out.
    pub(crate) fn string(self, text: &[u8]) -> Self {
        self.out.extend(text.iter().filter(|byte| **byte != 0));
        self.out.push(0);
        self
    }

    pub(crate) fn strings<'s>(self, texts: impl IntoIterator<Item = &'s str>) -> Self {
        texts
            .into_iter()
            .fold(self, |packet, text| packet.string(text.as_bytes()))
    }

    pub(crate) fn end(self) {
        let length = self.out.len() - self.at - 4;
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if let Some(head) = self.out.get_mut(self.at..self.at + 4) {
            head.copy_from_slice(&length.to_be_bytes());
        }
    }
}
