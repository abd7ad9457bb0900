//! The dot that ends a body, and the dots that must not: SMTP DATA and POP3 multi-line answers.
//! [`Unstuffer`] reads strictly, [`Stuffer`] writes so that exactly one end can be found. Both take
//! any cut of the stream and copy each byte once. RFC 5321 §4.5.2, RFC 1939 §3.

use memchr::{memchr2, memchr3};

/// What of the received bytes must never be in a body that ends with a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("bare CR: a line must end with CR LF")]
    BareCr,
    #[error("bare LF: a line must end with CR LF")]
    BareLf,
    #[error("NUL in the text")]
    Nul,
}

/// How far [`Unstuffer::push`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All was content so far.
    More,
    /// The end was found; what follows these bytes of the piece is no content.
    End {
        consumed: usize,
    },
    Bad(Fault),
}

/// Reads a body up to CR LF . CR LF, taking the doubled dots out.
///
/// A lone LF or CR never ends a line, and so never ends the body: another server may think it does,
/// and then a second message could hide inside the first (SMTP smuggling). Nor is it let through.
#[derive(Clone, Debug)]
pub struct Unstuffer {
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    InLine,
    /// A CR is held back until the LF comes.
    Cr,
    /// A dot at the start of a line is held back.
    Dot,
    DotCr,
}

impl Default for Unstuffer {
    fn default() -> Self {
        Unstuffer { at: At::LineStart }
    }
}

impl Unstuffer {
    /// Takes the next piece of the stream; content goes to `out`.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Progress {
        let mut at = 0;
        // Content from here to `at` is not yet copied: whole runs of lines are copied in one go.
        let mut run = 0;
        loop {
            let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) else {
                copy(out, piece, run, at - held(self.at, at));
                return Progress::More;
            };
            let byte = rest.first().copied().unwrap_or_default();
            match (self.at, byte) {
                (At::LineStart, b'.') => {
                    copy(out, piece, run, at);
                    at += 1;
                    run = at;
                    self.at = At::Dot;
                }
                (At::Dot, b'\r') => {
                    at += 1;
                    run = at;
                    self.at = At::DotCr;
                }
                (At::DotCr, b'\n') => {
                    self.at = At::LineStart;
                    return Progress::End { consumed: at + 1 };
                }
                (At::DotCr, _) => return Progress::Bad(Fault::BareCr),
                (At::Cr, b'\n') => {
                    if at == 0 {
                        // The CR was the last byte of the piece before, and was not copied then.
                        out.push(b'\r');
                    }
                    at += 1;
                    self.at = At::LineStart;
                }
                (At::Cr, _) => return Progress::Bad(Fault::BareCr),
                (At::LineStart | At::InLine | At::Dot, _) => match memchr3(b'\r', b'\n', 0, rest) {
                    None => {
                        at = piece.len();
                        self.at = At::InLine;
                    }
                    Some(found) => match rest.get(found..) {
                        Some([b'\r', b'\n', ..]) => {
                            at += found + 2;
                            self.at = At::LineStart;
                        }
                        Some([b'\r', ..]) => {
                            at += found + 1;
                            self.at = At::Cr;
                        }
                        Some([b'\n', ..]) => return Progress::Bad(Fault::BareLf),
                        _ => return Progress::Bad(Fault::Nul),
                    },
                },
            }
        }
    }
}

/// How many of the last bytes looked at wait for what follows.
fn held(state: At, at: usize) -> usize {
    usize::from(state == At::Cr && at > 0)
}

fn copy(out: &mut Vec<u8>, piece: &[u8], from: usize, to: usize) {
    if let Some(run) = piece.get(from..to) {
        out.extend_from_slice(run);
    }
}

/// Writes a body so that a reader finds its end exactly once: lines end with CR LF whatever ended
/// them before, a dot at the start of a line is doubled, and the last line is complete.
#[derive(Clone, Debug)]
pub struct Stuffer {
    at_line_start: bool,
    /// The piece before ended with a CR that is already written as CR LF.
    after_cr: bool,
}

impl Default for Stuffer {
    fn default() -> Self {
        Stuffer {
            at_line_start: true,
            after_cr: false,
        }
    }
}

impl Stuffer {
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        if std::mem::take(&mut self.after_cr) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        let mut run = rest;
        while !rest.is_empty() {
            if self.at_line_start && rest.first() == Some(&b'.') {
                flush(run, rest, out);
                out.push(b'.');
                run = rest;
            }
            self.at_line_start = false;
            let Some(end) = memchr2(b'\r', b'\n', rest).and_then(|found| rest.get(found..)) else {
                rest = &[];
                break;
            };
            self.at_line_start = true;
            if let Some(after) = end.strip_prefix(b"\r\n") {
                rest = after;
                continue;
            }
            // A bare CR or LF: the line ends here, so it is made to end properly.
            flush(run, end, out);
            out.extend_from_slice(b"\r\n");
            self.after_cr = end == b"\r";
            rest = end.get(1..).unwrap_or_default();
            run = rest;
        }
        flush(run, rest, out);
    }

    /// The end: completes a last line without its line end, and writes the dot.
    pub fn finish(self, out: &mut Vec<u8>) {
        if !self.at_line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

/// Copies what lies between the start of `run` and the start of its tail `rest`.
fn flush(run: &[u8], rest: &[u8], out: &mut Vec<u8>) {
    let length = run.len().saturating_sub(rest.len());
    out.extend_from_slice(run.get(..length).unwrap_or(run));
}

/// Looks for what [`Unstuffer`] would refuse, in content that comes counted (BDAT).
#[derive(Clone, Debug, Default)]
pub struct StrictLines {
    after_cr: bool,
}

impl StrictLines {
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let mut rest = piece;
        while let Some((&first, after)) = rest.split_first() {
            if std::mem::take(&mut self.after_cr) {
                if first != b'\n' {
                    return Err(Fault::BareCr);
                }
                rest = after;
                continue;
            }
            let Some(found) = memchr3(b'\r', b'\n', 0, rest) else {
                return Ok(());
            };
            match rest.get(found..) {
                Some([b'\r', after @ ..]) => {
                    self.after_cr = true;
                    rest = after;
                }
                Some([b'\n', ..]) => return Err(Fault::BareLf),
                _ => return Err(Fault::Nul),
            }
        }
        Ok(())
    }

    /// The content ends here.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.after_cr {
            Err(Fault::BareCr)
        } else {
            Ok(())
        }
    }
}
