//! What a server offered in its answer to EHLO. RFC 5321 §4.1.1.1.

use crate::sasl::Mechanism;
use crate::smtp::Reply;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The server's name as it gave it.
    pub name: String,
    /// Did it answer EHLO, or only HELO?
    pub extended: bool,
    pub pipelining: bool,
    pub eight_bit_mime: bool,
    pub smtputf8: bool,
    pub dsn: bool,
    pub enhanced_status_codes: bool,
    pub chunking: bool,
    pub binary_mime: bool,
    pub starttls: bool,
    pub require_tls: bool,
    /// `SIZE`: `Some(0)` means offered without a number.
    pub size: Option<u64>,
    pub auth: Vec<Mechanism>,
    /// LIMITS, RFC 9422.
    pub recipients_max: Option<usize>,
    pub messages_max: Option<u32>,
}

impl Capabilities {
    /// From the answer to EHLO.
    pub(super) fn of_ehlo(reply: &Reply) -> Capabilities {
        let mut capabilities = Capabilities {
            extended: true,
            ..Capabilities::of_helo(reply)
        };
        reply
            .lines()
            .skip(1)
            .for_each(|line| capabilities.line(line));
        capabilities
    }

    pub(super) fn of_helo(reply: &Reply) -> Capabilities {
        let name = reply.text().split([' ', '\n']).next().unwrap_or_default();
        Capabilities {
            name: name.to_owned(),
            ..Capabilities::default()
        }
    }

    fn line(&mut self, line: &str) {
        // `AUTH=LOGIN PLAIN` is how servers spoke to clients of 1998; some still do.
        let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
        let mut words = line.split_ascii_whitespace();
        match words.next().unwrap_or_default() {
            "PIPELINING" => self.pipelining = true,
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "DSN" => self.dsn = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "CHUNKING" => self.chunking = true,
            "BINARYMIME" => self.binary_mime = true,
            "STARTTLS" => self.starttls = true,
            "REQUIRETLS" => self.require_tls = true,
            "SIZE" => {
                self.size = Some(words.next().and_then(|size| size.parse().ok()).unwrap_or(0))
            }
            "AUTH" => {
                let new: Vec<_> = words
                    .filter_map(Mechanism::from_name)
                    .filter(|m| !self.auth.contains(m))
                    .collect();
                self.auth.extend(new);
            }
            "LIMITS" => words.for_each(|limit| self.limit(limit)),
            _ => {}
        }
    }

    fn limit(&mut self, limit: &str) {
        match limit.split_once('=') {
            Some(("RCPTMAX", max)) => self.recipients_max = max.parse().ok().filter(|max| *max > 0),
            Some(("MAILMAX", max)) => self.messages_max = max.parse().ok().filter(|max| *max > 0),
            _ => {}
        }
    }
}
