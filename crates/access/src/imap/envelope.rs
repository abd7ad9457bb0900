//! Reads back the ENVELOPE text that the store keeps ready to send: what SORT and THREAD need of it.
//! The text is our own; where it does not fit the form, the rest is empty.

/// Fields in their raw form, as in the message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) date: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) from: Option<Mailbox>,
    pub(super) to: Option<Mailbox>,
    pub(super) cc: Option<Mailbox>,
    pub(super) in_reply_to: Vec<u8>,
    pub(super) message_id: Vec<u8>,
}

/// The first address of a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) name: Vec<u8>,
    pub(super) local: Vec<u8>,
    pub(super) host: Vec<u8>,
}

impl Envelope {
    pub(super) fn read(text: &[u8]) -> Self {
        let mut envelope = Envelope::default();
        let mut reader = Reader { text, at: 0 };
        let _ = reader.fill(&mut envelope);
        envelope
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn fill(&mut self, envelope: &mut Envelope) -> Option<()> {
        self.take(b'(')?;
        envelope.date = self.string()?;
        self.take(b' ')?;
        envelope.subject = self.string()?;
        self.take(b' ')?;
        envelope.from = self.addresses()?;
        // Sender and Reply-To.
        for _ in 0..2 {
            self.take(b' ')?;
            self.addresses()?;
        }
        self.take(b' ')?;
        envelope.to = self.addresses()?;
        self.take(b' ')?;
        envelope.cc = self.addresses()?;
        self.take(b' ')?;
        self.addresses()?;
        self.take(b' ')?;
        envelope.in_reply_to = self.string()?;
        self.take(b' ')?;
        envelope.message_id = self.string()?;
        Some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn is_nil(&mut self) -> bool {
        let nil = self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(b"NIL"));
        if nil {
            self.at += 3;
        }
        nil
    }

    /// NIL is empty.
    fn string(&mut self) -> Option<Vec<u8>> {
        if self.is_nil() {
            return Some(Vec::new());
        }
        match self.peek()? {
            b'"' => self.quoted(),
            b'{' => self.literal(),
            _ => None,
        }
    }

    fn quoted(&mut self) -> Option<Vec<u8>> {
        self.take(b'"')?;
        let mut value = Vec::new();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(value),
                b'\\' => {
                    value.push(self.peek()?);
                    self.at += 1;
                }
                byte => value.push(byte),
            }
        }
    }

    fn literal(&mut self) -> Option<Vec<u8>> {
        self.take(b'{')?;
        let mut size = 0usize;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            size = size
                .checked_mul(10)?
                .checked_add(usize::from(digit - b'0'))?;
            self.at += 1;
        }
        self.take(b'}')?;
        self.take(b'\r')?;
        self.take(b'\n')?;
        let value = self.text.get(self.at..self.at.checked_add(size)?)?.to_vec();
        self.at += size;
        Some(value)
    }

    /// The first entry of a list. The mark of a group is one too, with its name as local part
    /// (RFC 5256 §3 sorts by it) and no host.
    fn addresses(&mut self) -> Option<Option<Mailbox>> {
        if self.is_nil() {
            return Some(None);
        }
        let mut first = None;
        self.take(b'(')?;
        while self.take(b')').is_none() {
            let _ = self.take(b' ');
            self.take(b'(')?;
            let name = self.string()?;
            self.take(b' ')?;
            self.string()?;
            self.take(b' ')?;
            let local = self.string()?;
            self.take(b' ')?;
            let host = self.string()?;
            self.take(b')')?;
            if first.is_none() {
                first = Some(Mailbox { name, local, host });
            }
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    #[test]
    fn it_reads_what_is_sent() {
        let text = b"(\"Mon, 7 Feb 1994\" {3}\r\na\"b ((\"N \\\"Q\\\"\" NIL \"fred\" \"b.test\")) NIL NIL \
            ((NIL NIL \"group\" NIL)(NIL NIL \"to\" \"c.test\")(NIL NIL NIL NIL)) NIL NIL \"<a@b>\" \"<c@d>\")";
        let envelope = Envelope::read(text);
        assert_eq!(envelope.subject, b"a\"b");
        assert_eq!(
            envelope.from.map(|from| (from.name, from.local)),
            Some((b"N \"Q\"".to_vec(), b"fred".to_vec()))
        );
        assert_eq!(envelope.to.map(|to| to.local), Some(b"group".to_vec()));
        assert_eq!(envelope.cc, None);
        assert_eq!(
            (envelope.in_reply_to, envelope.message_id),
            (b"<a@b>".to_vec(), b"<c@d>".to_vec())
        );
    }

    #[test]
    fn what_does_not_fit_is_empty() {
        for text in [
            &b""[..],
            b"(",
            b"(\"",
            b"({99999999999999999999}\r\n",
            b"(NIL NIL ((NIL",
            b"NIL",
        ] {
            let _ = Envelope::read(text);
        }
    }
}
