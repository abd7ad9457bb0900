//! `* SEARCH` and `* ESEARCH` (RFC 4731).

use wire::imap::{By, Ranges, Search, SearchReturn, write};

use super::super::refusal::{Done, Outcome, Refusal};
use super::super::session::Session;
use super::Matches;

impl Session {
    pub(super) fn write_search(&mut self, search: &Search, found: &Matches) -> Outcome {
        let numbers = self.numbers(&found.uids, search.by)?;
        let modseq = found.modseq(search.want);
        match search.want {
            Some(want) => self.write_esearch(want, search.by, &numbers, modseq),
            // RFC 9051 §6.4.4: IMAP4rev2 knows only the new form.
            None if self.enabled.rev2 => {
                let want = SearchReturn {
                    all: true,
                    ..SearchReturn::default()
                };
                self.write_esearch(want, search.by, &numbers, modseq);
            }
            None => self.write_numbers("SEARCH", &numbers, modseq),
        }
        Ok(Done::Plain)
    }

    /// UIDs as the client counts. What it was not told of is left out.
    pub(in super::super) fn numbers(
        &mut self,
        uids: &[store::Uid],
        by: By,
    ) -> Result<Vec<u32>, Refusal> {
        let selected = self.selected()?;
        Ok(match by {
            By::Uid => uids.iter().map(|uid| uid.0).collect(),
            By::Sequence => uids
                .iter()
                .filter_map(|uid| selected.numbering.seq(*uid))
                .collect(),
        })
    }

    /// `* SEARCH 2 5 (MODSEQ 917162488)`
    pub(in super::super) fn write_numbers(
        &mut self,
        name: &str,
        numbers: &[u32],
        modseq: Option<u64>,
    ) {
        let out = &mut self.out;
        out.extend_from_slice(b"* ");
        out.extend_from_slice(name.as_bytes());
        for number in numbers {
            out.push(b' ');
            write::number(out, u64::from(*number));
        }
        if let Some(modseq) = modseq {
            out.extend_from_slice(b" (MODSEQ ");
            write::number(out, modseq);
            out.push(b')');
        }
        out.extend_from_slice(b"\r\n");
    }

    /// `* ESEARCH (TAG "A282") MIN 2 COUNT 3`; what has no value is left out.
    pub(in super::super) fn write_esearch(
        &mut self,
        want: SearchReturn,
        by: By,
        numbers: &[u32],
        modseq: Option<u64>,
    ) {
        if want.save && !(want.min || want.max || want.all || want.count) {
            return;
        }
        let tag = self.tag.clone();
        let out = &mut self.out;
        out.extend_from_slice(b"* ESEARCH (TAG \"");
        out.extend_from_slice(tag.as_bytes());
        out.extend_from_slice(b"\")");
        if by == By::Uid {
            out.extend_from_slice(b" UID");
        }
        let (smallest, largest) = (numbers.iter().min(), numbers.iter().max());
        if let Some(number) = smallest.filter(|_| want.min) {
            out.extend_from_slice(b" MIN ");
            write::number(out, u64::from(*number));
        }
        if let Some(number) = largest.filter(|_| want.max) {
            out.extend_from_slice(b" MAX ");
            write::number(out, u64::from(*number));
        }
        if want.all && !numbers.is_empty() {
            out.extend_from_slice(b" ALL ");
            numbers.iter().copied().collect::<Ranges>().write(out);
        }
        if want.count {
            out.extend_from_slice(b" COUNT ");
            write::number(out, numbers.len() as u64);
        }
        if let Some(modseq) = modseq {
            out.extend_from_slice(b" MODSEQ ");
            write::number(out, modseq);
        }
        out.extend_from_slice(b"\r\n");
    }
}
