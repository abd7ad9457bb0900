//! ENABLE (RFC 5161): extensions that change what the client gets without asking.

use wire::imap::{Capability, Dialect};

use super::refusal::{Done, Outcome};
use super::session::Session;

impl Session {
    pub(super) fn enable(&mut self, wanted: &[Capability]) -> Outcome {
        let mut now_on = Vec::new();
        for capability in wanted {
            match capability {
                Capability::Condstore if !self.enabled.condstore => {
                    self.enabled.condstore = true;
                    now_on.push("CONDSTORE");
                }
                // RFC 7162 §3.2.3: QRESYNC comprises CONDSTORE.
                Capability::Qresync if !self.enabled.qresync => {
                    self.enabled.qresync = true;
                    self.enabled.condstore = true;
                    now_on.push("QRESYNC");
                }
                Capability::Utf8Accept if !self.enabled.utf8 => {
                    self.enabled.utf8 = true;
                    now_on.push("UTF8=ACCEPT");
                }
                Capability::Imap4Rev2 if !self.enabled.rev2 => {
                    self.enabled.rev2 = true;
                    now_on.push("IMAP4rev2");
                }
                _ => {}
            }
        }
        if self.enabled.utf8 || self.enabled.rev2 {
            self.talk.machine().set_dialect(Dialect::Utf8);
        }
        self.out.extend_from_slice(b"* ENABLED");
        for name in now_on {
            self.out.push(b' ');
            self.out.extend_from_slice(name.as_bytes());
        }
        self.out.extend_from_slice(b"\r\n");
        Ok(Done::Plain)
    }
}
